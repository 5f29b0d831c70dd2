/// Finds the latest earlier occurrence of the end of a growing sequence. The tokens after it are a draft of the next
/// tokens (Saxena, "Prompt Lookup Decoding", 2023).
///
///     var index = SuffixIndex()
///     for id in [5, 6, 7, 8, 5, 6] { index.append(id) }
///     index.match            // the length 2: 5, 6
///     index.continuation(3)  // 7, 8, 5
///
/// A table has, for the hash of the last 1, 2, 3, 4, 6 and 8 ids at each position, the latest such position. A hash
/// replaces another one with the same slot, so that an old occurrence can be missed. A match is always compared with
/// the ids. Appending an id takes constant time, amortized over the growth of the table.
public struct SuffixIndex {
  /// An earlier occurrence of the end of the sequence.
  public struct Match: Equatable, Sendable {
    /// The position after the occurrence.
    public let end: Int
    /// The number of ids that are equal, at most `longestMatch`.
    public let length: Int
  }

  /// The length of a match is not counted further.
  public static let longestMatch = 32

  private static let orders = [1, 2, 3, 4, 6, 8]

  private var ids: [Int] = []
  /// The ends of occurrences by slot; 0 for none. The number of slots is a power of two.
  private var ends = [Int32](repeating: 0, count: 1024)
  /// The earlier occurrence of the end, preferably of its longest part; nil if its last id has not occurred before.
  public private(set) var match: Match?

  public init() {}

  /// The number of ids.
  public var count: Int { ids.count }

  public mutating func append(_ id: Int) {
    ids.append(id)
    if 2 * ids.count * Self.orders.count > ends.count { grow() }
    match = enter(ids.count)
  }

  /// Returns up to `count` tokens that follow the earlier occurrence. If the occurrence reaches to the end of the
  /// sequence, they repeat, like a copy of overlapping ranges. Empty if there is no match.
  public func continuation(_ count: Int) -> [Int] {
    guard let match else { return [] }
    let period = ids.count - match.end
    return (0..<count).map { ids[match.end + $0 % period] }
  }

  /// The most likely next token: the first of the continuation.
  public var next: Int? { match.map { ids[$0.end] } }

  /// Makes the table four times as large.
  private mutating func grow() {
    ends = [Int32](repeating: 0, count: 4 * ends.count)
    for end in 1..<ids.count { _ = enter(end) }
  }

  /// Enters the hashes of the ids before `end`.
  ///
  /// - Returns: the earlier occurrence of the longest of these ids that is in the table.
  private mutating func enter(_ end: Int) -> Match? {
    var (hash, hashed) = (UInt64(0), 0)
    var best: Match?
    for order in Self.orders where order <= end {
      while hashed < order {
        hashed += 1
        hash = (hash ^ UInt64(truncatingIfNeeded: ids[end - hashed])) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
      }
      let slot = Int(truncatingIfNeeded: hash >> 8) & (ends.count - 1)
      let previous = Int(ends[slot])
      ends[slot] = Int32(truncatingIfNeeded: end)
      guard 1..<end ~= previous else { continue }  // none, or another order has just used the slot
      let length = commonSuffix(previous, end)
      if length >= order { best = Match(end: previous, length: length) }
    }
    return best
  }

  /// Returns the number of equal ids before two positions, at most `longestMatch`.
  private func commonSuffix(_ first: Int, _ second: Int) -> Int {
    var length = 0
    while length < min(first, Self.longestMatch), ids[first - 1 - length] == ids[second - 1 - length] { length += 1 }
    return length
  }
}
