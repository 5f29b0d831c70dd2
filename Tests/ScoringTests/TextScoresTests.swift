import Scoring
import Testing

@Suite struct TextScoresTests {
  private let ln2: Float = 0.693_147_18

  /// BOS, "a", " b", "c", " d": log-probabilities of -1, -2, … bits, and of a space after each of -0.5 bits, ….
  private func scores(spaces: [Float?]? = [-0.5, -0.25, -0.125, -1, -2]) -> TextScores {
    var scores = TextScores(logprobs: [nil] + [-1, -2, -3, -4].map { $0 * ln2 })
    scores.ranks = [nil, 1, 2, 3, 4]
    scores.entropies = [nil, 5, 6, 7, 8]
    scores.spaceLogprobs = spaces?.map { $0.map { $0 * ln2 } }
    return scores
  }

  private func equal(_ a: Float, _ b: Float) -> Bool { abs(a - b) < 1e-5 }

  private func score(_ tokens: Range<Int>, _ scores: TextScores) -> TextScores.WordScore? {
    scores.score(ofTokens: tokens, beginsWithSpace: { [2, 4].contains($0) }, isSpecial: { $0 == 0 })
  }

  @Test func theScoreOfAWordIsTheSumOverItsTokens() throws {
    let word = try #require(score(2..<4, scores()))
    #expect(abs(word.surprisal - 5) < 1e-5 && abs(word.logprob + 5 * ln2) < 1e-5)
    #expect(word.rank == 2 && word.entropy == 6)
    #expect(score(0..<2, scores()) == nil, "the first token has no score")
    #expect(score(3..<3, scores()) == nil)
  }

  @Test func theCorrectionMovesSpacesToTheWordBefore() throws {
    func corrected(_ tokens: Range<Int>) throws -> Float {
      try #require(score(tokens, scores())?.correctedSurprisal)
    }
    #expect(try equal(corrected(1..<2), 1 + 0.25), "the first word")
    #expect(try equal(corrected(2..<4), 5 - 0.25 + 1))
    #expect(try equal(corrected(4..<5), 4 - 1 + 2), "the end of the text")
    #expect(try equal(corrected(2..<3), 2 - 0.25), "no space after it")
    #expect(score(2..<4, scores(spaces: nil))?.correctedSurprisal == nil)
    #expect(score(2..<4, scores(spaces: [nil, nil, -1, -1, -1]))?.correctedSurprisal == nil)
  }

  @Test func theTotalCountsTokensWithScores() throws {
    let total = scores().total
    #expect(total.tokens == 4 && abs(total.surprisal - 10) < 1e-5 && abs(total.logprob + 10 * ln2) < 1e-5)
    #expect(try equal(#require(total.meanSurprisal), 2.5))
    #expect(try equal(#require(total.perplexity), 5.656_854), "2^2.5")
    let none = TextScores(logprobs: [nil]).total
    #expect(none.tokens == 0 && none.surprisal == 0 && none.perplexity == nil)
  }

  @Test func extremeNumbersStayFinite() throws {
    let scores = TextScores(logprobs: [-.greatestFiniteMagnitude, -.greatestFiniteMagnitude])
    let total = scores.total
    #expect(total.surprisal.isFinite && total.logprob.isFinite)
    #expect(total.perplexity?.isFinite == true)
  }
}
