import Scoring
import Testing

@Suite struct ScoringWindowTests {
  @Test(arguments: [(5, 0, 0..<5), (8, 3, 2..<8), (1, 0, 0..<1), (5, 5, 4..<5)])
  func aShortTextIsOneWindow(_ count: Int, _ first: Int, _ positions: Range<Int>) {
    let windows = ScoringWindow.windows(of: count, scoringFrom: first, length: 8, stride: 9)
    #expect(windows.map(\.tokens) == [0..<count] && windows.map(\.positions) == [positions])
  }

  /// The loop of https://huggingface.co/docs/transformers/perplexity: the scored tokens of each window.
  private func transformersWindows(_ count: Int, _ length: Int, _ stride: Int) -> [(
    tokens: Range<Int>, scored: Range<Int>
  )] {
    var windows: [(tokens: Range<Int>, scored: Range<Int>)] = []
    var previousEnd = 0
    for begin in Swift.stride(from: 0, to: count, by: stride) {
      let end = min(begin + length, count)
      windows.append((begin..<end, max(previousEnd, begin + 1)..<end))  // the first label of a window is not predicted
      previousEnd = end
      if end == count { break }
    }
    return windows
  }

  @Test func windowsAreThoseOfTransformers() {
    for count in 2...40 {
      for length in 2...12 {
        for stride in 1..<length {
          let windows = ScoringWindow.windows(of: count, scoringFrom: 0, length: length, stride: stride)
          let expected = transformersWindows(count, length, stride)
          #expect(windows.map(\.tokens) == expected.map(\.tokens))
          // A position predicts the token after it; the position after the last token is used too.
          #expect(windows.flatMap(\.positions) == Array(0..<count))
          #expect(windows.map { $0.positions.lowerBound + 1 } == expected.map(\.scored.lowerBound))
        }
      }
    }
  }

  @Test func windowsOfTheContextAreOmitted() {
    let all = ScoringWindow.windows(of: 100, scoringFrom: 0, length: 10, stride: 5)
    for first in 1...100 {
      let windows = ScoringWindow.windows(of: 100, scoringFrom: first, length: 10, stride: 5)
      #expect(windows.flatMap(\.positions) == Array(first - 1..<100))
      #expect(
        windows.allSatisfy { window in all.contains { $0.tokens == window.tokens } }, "the same context as without")
    }
  }
}
