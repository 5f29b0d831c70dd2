/// Byte-pair merging: a piece begins as its bytes; of all neighbours that may be joined, those with the lowest rank are,
/// the leftmost first, until none may be.
///
/// Unsafe pointers: the piece is the caller's, `count` bytes of it; `short` leads to one value.
final class PieceMerger {
  /// Up to this length looking for the lowest rank again after each merge beats keeping order.
  private static let longestShortPiece = 128

  private let vocabulary: Vocabulary
  private let pairs = PairCache()
  private let short = ShortPiece(capacity: longestShortPiece)

  init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  deinit { short.deallocate() }

  /// Gives `output` the piece's tokens in order: id, start, end. The id is -1 for a byte that has no token.
  @inline(__always)
  func merge(_ piece: UnsafePointer<UInt8>, _ count: Int, _ output: (Int32, Int, Int) -> Void) {
    if count > Self.longestShortPiece { return mergeLong(piece, count, output) }
    mergeShort(piece, count)
    var start = 0
    while start < count {
      let end = Int(short.ends[start])
      output(short.ids[start], start, end)
      start = end
    }
  }

  /// The parts of a short piece, each at the index of its first byte.
  private struct ShortPiece {
    /// The piece, with room to read on behind it.
    let text: UnsafeMutablePointer<UInt8>
    /// -1 for a byte without a token.
    let ids: UnsafeMutablePointer<Int32>
    /// Where the part ends, and so where the next one starts.
    let ends: UnsafeMutablePointer<UInt8>
    /// Where the part before it starts.
    let previous: UnsafeMutablePointer<UInt8>
    /// Of joining it with the next part: the rank, and below it in eight bits the index, so that the least is also the
    /// leftmost; `none` where there is nothing to join, or no part.
    let order: UnsafeMutablePointer<UInt32>

    static let none = UInt32.max

    init(capacity: Int) {
      text = .allocate(capacity: capacity + Arena<UInt8>.slack)
      ids = .allocate(capacity: capacity)
      ends = .allocate(capacity: capacity + 1)
      previous = .allocate(capacity: capacity + 1)
      order = .allocate(capacity: capacity)
    }

    func deallocate() {
      text.deallocate()
      ids.deallocate()
      ends.deallocate()
      previous.deallocate()
      order.deallocate()
    }
  }

  /// Merges the piece in `short`.
  private func mergeShort(_ piece: UnsafePointer<UInt8>, _ length: Int) {
    let (short, vocabulary) = (short, vocabulary)
    short.text.update(from: piece, count: length)

    /// Whether the part at `index` and the next may be joined.
    @inline(__always) func look(_ index: Int) {
      let cut = Int(short.ends[index])
      guard cut < length else {
        short.order[index] = ShortPiece.none
        return
      }
      let end = Int(short.ends[cut])
      let rank = rank(
        short.ids[index], short.ids[cut], short.text + index, cut: cut &- index, count: end &- index,
        readable: length &- index &+ Arena<UInt8>.slack)
      short.order[index] =
        rank == Vocabulary.noMerge
        ? ShortPiece.none : UInt32(truncatingIfNeeded: rank) << 8 | UInt32(truncatingIfNeeded: index)
    }

    for index in 0..<length {
      short.ids[index] = vocabulary.byteID(piece[index])
      short.ends[index] = UInt8(truncatingIfNeeded: index + 1)
      short.previous[index] = UInt8(truncatingIfNeeded: index &- 1)
    }
    for index in 0..<length { look(index) }
    let padded = (length + 31) & ~31  // a multiple that the search for the least is unrolled by
    for index in length..<padded { short.order[index] = ShortPiece.none }
    while true {
      var first = ShortPiece.none
      for index in 0..<padded { first = min(first, short.order[index]) }
      guard first < ShortPiece.none else { return }
      let index = Int(first & 0xFF)
      let cut = Int(short.ends[index])
      let end = short.ends[cut]
      short.ids[index] = vocabulary.result(ofMerge: Int(first >> 8))
      short.ends[index] = end
      short.order[cut] = ShortPiece.none
      short.previous[Int(end)] = UInt8(truncatingIfNeeded: index)
      look(index)
      if index > 0 { look(Int(short.previous[index])) }
    }
  }

  /// The rank of joining the tokens `left` and `right`, which are `text[..<cut]` and `text[cut..<count]`.
  @inline(__always)
  private func rank(
    _ left: Int32, _ right: Int32, _ text: UnsafePointer<UInt8>, cut: Int, count: Int, readable: Int
  ) -> Int32 {
    guard left | right >= 0 else { return vocabulary.rank(text, cut: cut, count: count, readable: readable) }
    return pairs.rank(left, right) { vocabulary.rank(text, cut: cut, count: count, readable: readable) }
  }

  /// A part in a list of parts that are linked by the offsets at which they start.
  private struct LinkedPart: BitwiseCopyable {
    var previous: Int32
    /// Where the part ends, and so where the next one starts.
    var end: Int32
    /// -1 for a byte without a token.
    var id: Int32
    /// Of joining this part with the next one; `noMerge` also for a part that has been joined to its left neighbour.
    var rank: Int32
  }

  /// The same in O(n log n): the places to join wait in a heap, lowest rank first, then leftmost. An entry whose place
  /// has another rank by now is out of date.
  private func mergeLong(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    let vocabulary = vocabulary
    let parts = UnsafeMutablePointer<LinkedPart>.allocate(capacity: length)
    defer { parts.deallocate() }
    var queue = MinimumHeap(capacity: length)

    /// Of joining the parts that start at `start` and at its end.
    @inline(__always) func rank(_ start: Int) -> Int32 {
      let cut = Int(parts[start].end)
      guard cut < length else { return Vocabulary.noMerge }
      return self.rank(
        parts[start].id, parts[cut].id, piece + start, cut: cut - start, count: Int(parts[cut].end) - start,
        readable: length - start)
    }
    @inline(__always) func enqueue(_ start: Int) {
      let rank = rank(start)
      parts[start].rank = rank
      if rank < Vocabulary.noMerge { queue.append(UInt64(rank) << 32 | UInt64(start)) }
    }

    for index in 0..<length {
      parts[index] = LinkedPart(
        previous: Int32(index - 1), end: Int32(index + 1), id: vocabulary.byteID(piece[index]),
        rank: Vocabulary.noMerge)
    }
    for index in 0..<length { enqueue(index) }
    queue.order()
    while let entry = queue.removeLeast() {
      let start = Int(entry & 0xFFFF_FFFF)
      guard parts[start].rank == Int32(entry >> 32) else { continue }
      let cut = Int(parts[start].end)
      let end = Int(parts[cut].end)
      parts[start].id = vocabulary.result(ofMerge: Int(entry >> 32))
      parts[start].end = Int32(end)
      parts[cut].rank = Vocabulary.noMerge
      if end < length { parts[end].previous = Int32(start) }
      for place in [Int(parts[start].previous), start] where place >= 0 {
        let rank = rank(place)
        parts[place].rank = rank
        if rank < Vocabulary.noMerge { queue.insert(UInt64(rank) << 32 | UInt64(place)) }
      }
    }
    var start = 0
    while start < length {
      let end = Int(parts[start].end)
      output(parts[start].id, start, end)
      start = end
    }
  }
}
