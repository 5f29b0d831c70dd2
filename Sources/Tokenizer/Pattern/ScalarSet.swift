/// A set of Unicode scalars: ascending ranges that neither overlap nor touch.
struct ScalarSet: Equatable, Sendable {
  private(set) var ranges: [ClosedRange<UInt32>]

  static let last: UInt32 = 0x10FFFF
  static let all = ScalarSet(ranges: [0...last])
  static let empty = ScalarSet(ranges: [])

  private init(ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

  /// The ranges may overlap and have any order.
  init(_ unordered: [ClosedRange<UInt32>]) {
    ranges = []
    for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let previous = ranges.last, range.lowerBound <= previous.upperBound + 1 {
        ranges[ranges.count - 1] = previous.lowerBound...max(previous.upperBound, range.upperBound)
      } else {
        ranges.append(range)
      }
    }
  }

  init(_ scalar: UInt32) { ranges = [scalar...scalar] }

  /// First and last scalars of ranges in turn, as in the tables of `UnicodeProperties`.
  init(pairs: [UInt32]) { self.init(stride(from: 0, to: pairs.count, by: 2).map { pairs[$0]...pairs[$0 + 1] }) }

  func contains(_ scalar: UInt32) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= scalar
  }

  /// The only element, or nil if there is not exactly one.
  var single: UInt32? {
    guard ranges.count == 1, ranges[0].lowerBound == ranges[0].upperBound else { return nil }
    return ranges[0].lowerBound
  }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  var inverted: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if next < range.lowerBound { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= Self.last { result.append(next...Self.last) }
    return ScalarSet(ranges: result)
  }

  func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }

  func symmetricDifference(_ other: ScalarSet) -> ScalarSet {
    union(other).intersection(intersection(other).inverted)
  }

  /// The set with all scalars that match an element if case is ignored (simple case folding).
  var withCaseVariants: ScalarSet {
    var added: [ClosedRange<UInt32>] = []
    var first = 0
    let table = UnicodeProperties.caseVariants
    for index in table.indices where table[index] >> 31 == 1 {
      let variants = table[first...index].lazy.map { $0 & 0x7FFF_FFFF }
      if variants.contains(where: contains) { added += variants.map { $0...$0 } }
      first = index + 1
    }
    return added.isEmpty ? self : ScalarSet(ranges + added)
  }
}
