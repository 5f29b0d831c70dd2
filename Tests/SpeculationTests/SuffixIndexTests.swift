import Testing

@testable import Speculation

@Suite struct SuffixIndexTests {
  private func index(_ ids: [Int]) -> SuffixIndex {
    var index = SuffixIndex()
    for id in ids { index.append(id) }
    return index
  }

  @Test func findsTheLatestOccurrenceOfTheEnd() {
    #expect(index([]).match == nil && index([]).continuation(3).isEmpty)
    #expect(index([5, 6, 7]).match == nil)
    #expect(index([5, 6, 7, 8, 5, 6]).match == SuffixIndex.Match(end: 2, length: 2))
    #expect(index([5, 6, 7, 8, 5, 6]).continuation(3) == [7, 8, 5])
    #expect(index([1, 2, 3, 9, 2, 4, 2]).match == SuffixIndex.Match(end: 5, length: 1))
    // A longer match before a later one.
    #expect(index([1, 2, 3, 9, 2, 4, 1, 2]).match == SuffixIndex.Match(end: 2, length: 2))
  }

  @Test func repeatsAPeriod() {
    #expect(index([7, 7]).continuation(3) == [7, 7, 7])
    #expect(index([1, 2, 3, 1, 2, 3]).continuation(7) == [1, 2, 3, 1, 2, 3, 1])
  }

  @Test func countsAtMostTheLongestMatch() {
    #expect(
      index(Array(repeating: 3, count: 100)).match == SuffixIndex.Match(end: 99, length: SuffixIndex.longestMatch))
  }

  /// Every match is an earlier occurrence of the end, and at least as long as the orders of the table allow.
  @Test(arguments: [2, 5, 50, 100_000])
  func matchesAreOccurrences(_ vocabulary: Int) throws {
    var (state, ids, index) = (UInt64(vocabulary), [Int](), SuffixIndex())
    var found = 0
    for count in 1...3000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let id = Int(state >> 33) % vocabulary
      ids.append(id)
      index.append(id)
      guard let match = index.match else { continue }
      found += 1
      #expect(0 < match.end && match.end < count && index.next == ids[match.end])
      #expect(ids[..<match.end].suffix(match.length) == ids.suffix(match.length)[...])
    }
    if vocabulary <= 50 { #expect(found > 2800) }
  }
}
