import JSONLines
import Sampling
import Scoring

/// A record, its text as tokens and words, and their scores as far as they are computed.
final class ScoredText {
  let record: Record
  /// The index of the record in the input, from 0.
  let index: Int
  let ids: [Int]
  let text: TokenizedText
  /// The words of the whole text.
  let allWords: [TokenizedText.Word]
  /// The first token that is not context only.
  let firstToken: Int
  /// The change that adds `vocab` to the record.
  let vocabulary: [Record.Change]
  /// The windows to compute; empty if the record has log-probabilities already.
  let windows: [ScoringWindow]
  /// Whether each token begins with a space.
  let beginsWithSpace: [Bool]
  private(set) var scores: TextScores
  /// The most likely tokens at the place of each token; empty for a token without score, nil if they are unknown.
  private(set) var predictions: [[Distribution.Candidate]]?

  /// - Parameter scores: the scores in the record; nil if they must be computed.
  init(
    _ record: Record, index: Int, ids: [Int], _ text: TokenizedText, words: [TokenizedText.Word], firstToken: Int,
    beginsWithSpace: [Bool], vocabulary: [Record.Change], windows: [ScoringWindow], scores: TextScores?
  ) {
    (self.record, self.index, self.ids, self.text, allWords) = (record, index, ids, text, words)
    (self.firstToken, self.vocabulary, self.windows) = (firstToken, vocabulary, windows)
    self.beginsWithSpace = beginsWithSpace
    if let scores {
      self.scores = scores
    } else {
      self.scores = TextScores(logprobs: Array(repeating: nil, count: ids.count))
      self.scores.ranks = Array(repeating: nil, count: ids.count)
      self.scores.entropies = Array(repeating: nil, count: ids.count)
      self.scores.spaceLogprobs = Array(repeating: nil, count: ids.count)
      predictions = Array(repeating: [], count: ids.count)
    }
  }

  /// Stores the scores of a position.
  func set(_ score: PositionScore, at position: Int) {
    scores.spaceLogprobs?[position] = score.subsetLogprob
    let next = position + 1
    guard next < ids.count else { return }
    scores.logprobs[next] = score.logprob
    scores.ranks?[next] = score.rank
    scores.entropies?[next] = score.entropy
    predictions?[next] = score.candidates
  }

  // MARK: - Words, tokens, the whole text

  /// A word or a token that is scored, or a token that has no score because it has no context.
  struct Unit {
    /// The index among the words or tokens of the whole text, from 0.
    let index: Int
    /// The range in the bytes of the text.
    let bytes: Range<Int>
    let tokens: Range<Int>
    let score: TextScores.WordScore?
  }

  /// The words that have tokens after the context.
  var words: [Unit] {
    let start = text.ranges.indices.contains(firstToken) ? text.ranges[firstToken].lowerBound : text.bytes.count
    return allWords.enumerated().compactMap { index, word in
      guard word.tokens.isEmpty ? word.bytes.lowerBound >= start : word.tokens.upperBound > firstToken else {
        return nil
      }
      let tokens = max(word.tokens.lowerBound, min(firstToken, word.tokens.upperBound))..<word.tokens.upperBound
      return Unit(index: index, bytes: word.bytes, tokens: tokens, score: score(tokens))
    }
  }

  /// The tokens after the context, without special tokens that have no score.
  var tokens: [Unit] {
    (firstToken..<max(firstToken, ids.count)).compactMap { token in
      guard scores.logprobs[token] != nil || !text.isSpecial[token] else { return nil }
      return Unit(index: token, bytes: text.ranges[token], tokens: token..<token + 1, score: score(token..<token + 1))
    }
  }

  /// Returns the index of the word that each token belongs to, or nil.
  var wordOfToken: [Int?] {
    var words = [Int?](repeating: nil, count: ids.count)
    for (index, word) in allWords.enumerated() { for token in word.tokens { words[token] = index } }
    return words
  }

  private func score(_ tokens: Range<Int>) -> TextScores.WordScore? {
    scores.score(ofTokens: tokens, beginsWithSpace: { beginsWithSpace[$0] }, isSpecial: { text.isSpecial[$0] })
  }

  /// The offset of the text: after the special tokens at its beginning.
  var textStart: Int {
    let first = text.isSpecial.firstIndex(of: false) ?? text.isSpecial.count
    return first == 0 ? 0 : text.ranges[first - 1].upperBound
  }

  /// The scores of the whole text, and the sizes that they refer to.
  struct Total {
    let scores: TextScores.Total
    /// The number of words, and the bytes and characters of the tokens with a score; special tokens have none.
    let words, bytes, characters: Int

    var bitsPerByte: Float? { bytes == 0 ? nil : scores.surprisal / Float(bytes) }
    var bitsPerCharacter: Float? { characters == 0 ? nil : scores.surprisal / Float(characters) }
  }

  var total: Total {
    let ranges = text.ranges.indices.lazy.filter { self.scores.logprobs[$0] != nil && !self.text.isSpecial[$0] }
      .map { self.text.ranges[$0] }
    return Total(
      scores: scores.total, words: words.count { !$0.tokens.isEmpty && $0.score != nil },
      bytes: ranges.reduce(0) { $0 + $1.count },
      characters: ranges.reduce(0) { $0 + text.characterCount(in: $1) })
  }
}
