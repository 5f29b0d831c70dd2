import Numerics

/// The scores of the tokens of a text, and the scores of words and of the whole text that follow from them.
///
/// All scores are computed from the float32 log-probabilities, so that they are the same whether the log-probabilities
/// come from the model or from a record.
public struct TextScores: Sendable {
  /// The natural logarithm of the probability of each token; nil for a token without context, or one that is itself
  /// context and not counted.
  public var logprobs: [Float?]
  /// The rank of each token; nil as above. Nil if the ranks are unknown.
  public var ranks: [Int?]?
  /// The entropy in bits of the distribution before each token; nil as above. Nil if the entropies are unknown.
  public var entropies: [Float?]?
  /// The natural logarithm of the probability that the token *after* each token begins with a space; nil for a token
  /// before the first scored position. Nil if these are unknown, or no token of the vocabulary begins with a space.
  public var spaceLogprobs: [Float?]?

  public init(logprobs: [Float?]) { self.logprobs = logprobs }

  /// Returns the surprisal in bits of a log-probability.
  public static func surprisal(_ logprob: Float) -> Float { bits(-Double(logprob)) }

  private static func bits(_ nats: Double) -> Float {
    Float(min(nats / naturalLogarithm(2), Double(Float.greatestFiniteMagnitude)))
  }

  /// The score of a word, or of any other range of tokens.
  public struct WordScore: Equatable, Sendable {
    /// The sum of the log-probabilities of the tokens (natural logarithm).
    public let logprob: Float
    /// The surprisal in bits: the sum over the tokens.
    public let surprisal: Float
    /// The surprisal in bits with the correction for leading spaces; nil if it is unknown.
    public let correctedSurprisal: Float?
    /// The rank and the entropy of the first token.
    public let rank: Int?
    public let entropy: Float?
  }

  /// Returns the score of a word; nil if it has no tokens, or one of them has no log-probability.
  ///
  /// The correction: in most vocabularies a token that begins a word contains the space before it. So the sum over the
  /// tokens is the probability of the space and the word, but not that the word ends there: "can" includes "cannot".
  /// The correction moves the probability of the space to the word before it: it adds the log-probability that the
  /// token after the word begins with a space, if it does or the text ends there, and subtracts the same for the token
  /// before the word, if the word begins with a space and is not the first of the text (Pimentel and Meister, "How to
  /// Compute the Probability of a Word", 2024; Oh and Schuler, "Leading Whitespaces of Language Models' Subword
  /// Vocabulary Pose a Confound for Calculating Word Probabilities", 2024).
  ///
  /// - Parameters:
  ///   - beginsWithSpace: returns whether the token at an index begins with a space.
  ///   - isSpecial: returns whether the token at an index is a special token. A word after it is the first of a text.
  public func score(
    ofTokens tokens: Range<Int>, beginsWithSpace: (Int) -> Bool, isSpecial: (Int) -> Bool
  ) -> WordScore? {
    guard let sum = sum(tokens), !tokens.isEmpty else { return nil }
    let (first, last) = (tokens.lowerBound, tokens.upperBound - 1)
    var corrected: Double? = spaceLogprobs == nil ? nil : sum
    if first > 0, !isSpecial(first - 1), beginsWithSpace(first) { correct(-1, after: first - 1) }
    if last + 1 == logprobs.count || beginsWithSpace(last + 1) { correct(1, after: last) }
    return WordScore(
      logprob: finite(sum), surprisal: Self.bits(-sum), correctedSurprisal: corrected.map { Self.bits(-$0) },
      rank: ranks?[first], entropy: entropies?[first])

    func correct(_ sign: Double, after token: Int) {
      guard let sum = corrected, let logprob = spaceLogprobs?[token] else {
        corrected = nil
        return
      }
      corrected = sum + sign * Double(logprob)
    }
  }

  /// The score of a whole text.
  public struct Total: Equatable, Sendable {
    /// The number of tokens with a score.
    public let tokens: Int
    /// The sum of their log-probabilities, and their surprisal in bits.
    public let logprob: Float
    public let surprisal: Float
    /// Bits per token; nil without tokens.
    public let meanSurprisal: Float?
    /// exp of the mean negative log-probability; nil without tokens.
    public let perplexity: Float?
  }

  /// The score of all tokens that have a log-probability.
  public var total: Total {
    let known = logprobs.compactMap { $0 }
    let sum = known.reduce(0.0) { $0 + Double($1) }
    let mean = known.isEmpty ? nil : -sum / Double(known.count)
    return Total(
      tokens: known.count, logprob: finite(sum), surprisal: Self.bits(-sum), meanSurprisal: mean.map(Self.bits),
      perplexity: mean.map { Float(exponential(min($0, Self.largestMean))) })
  }

  /// The mean whose perplexity is just finite in float32.
  private static let largestMean = 88.7

  /// Returns the sum of the log-probabilities of some tokens; nil if one is unknown.
  private func sum(_ tokens: Range<Int>) -> Double? {
    var sum = 0.0
    for logprob in logprobs[tokens] {
      guard let logprob else { return nil }
      sum += Double(logprob)
    }
    return sum
  }

  private func finite(_ sum: Double) -> Float { Float(max(sum, -Double(Float.greatestFiniteMagnitude))) }
}
