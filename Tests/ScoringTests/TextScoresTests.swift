import Scoring
import Testing

@Suite struct TextScoresTests {
  private let ln2: Float = 0.693_147_18

  /// BOS, "a", " b", "c", " d": log-probabilities of -1, -2, … bits, and of a space after each of -0.5 bits, ….
  private func scores(spaces: [Float?]? = [-0.5, -0.25, -0.125, -1, -2]) -> TextScores {
    var scores = TextScores(logprobs: [nil, -1, -2, -3, -4].map { $0.map { $0 * ln2 } })
    scores.ranks = [nil, 1, 2, 3, 4]
    scores.entropies = [nil, 5, 6, 7, 8]
    scores.spaceLogprobs = spaces?.map { $0.map { $0 * ln2 } }
    return scores
  }

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
    let all = scores()
    #expect(abs(try #require(score(1..<2, all)?.correctedSurprisal) - (1 + 0.25)) < 1e-5, "the first word")
    #expect(abs(try #require(score(2..<4, all)?.correctedSurprisal) - (5 - 0.25 + 1)) < 1e-5)
    #expect(abs(try #require(score(4..<5, all)?.correctedSurprisal) - (4 - 1 + 2)) < 1e-5, "the end of the text")
    #expect(abs(try #require(score(2..<3, all)?.correctedSurprisal) - (2 - 0.25)) < 1e-5, "no space after it")
    #expect(score(2..<4, scores(spaces: nil))?.correctedSurprisal == nil)
    #expect(score(2..<4, scores(spaces: [nil, nil, -1, -1, -1]))?.correctedSurprisal == nil)
  }

  @Test func theTotalCountsTokensWithScores() throws {
    let total = scores().total
    #expect(total.tokens == 4 && abs(total.surprisal - 10) < 1e-5 && abs(total.logprob + 10 * ln2) < 1e-5)
    #expect(abs(try #require(total.meanSurprisal) - 2.5) < 1e-5)
    #expect(abs(try #require(total.perplexity) - 5.656_854) < 1e-4, "2^2.5")
    let none = TextScores(logprobs: [nil]).total
    #expect(none.tokens == 0 && none.surprisal == 0 && none.perplexity == nil)
  }

  @Test func extremeNumbersStayFinite() throws {
    let scores = TextScores(logprobs: [-.greatestFiniteMagnitude, -.greatestFiniteMagnitude])
    let total = scores.total
    #expect(total.surprisal.isFinite && total.logprob.isFinite)
    #expect(try #require(total.perplexity).isFinite)
  }
}
