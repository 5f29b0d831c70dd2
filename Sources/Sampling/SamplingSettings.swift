import Numerics

/// Which tokens may come next, and how likely each is. The steps and their order are those of transformers: repetition
/// penalty, temperature, top-k, top-p, min-p, and the softmax of what is left.
public struct SamplingSettings: Equatable, Sendable {
  /// Divides the scores: below 1 the likely get likelier. Positive; towards 0 only the most likely tokens are left.
  public var temperature: Double = 1
  /// So many likeliest tokens are kept, and those that are exactly as likely as the last of them.
  public var topK: Int?
  /// The likeliest tokens are kept until together they have this probability (Holtzman et al., "The Curious Case of
  /// Neural Text Degeneration", 2020).
  public var topP: Double?
  /// Tokens are kept that have at least this part of the likeliest token's probability (Nguyen et al., "Turning Up the
  /// Heat: Min-p Sampling", 2025).
  public var minP: Double?
  /// The scores of tokens that the sequence has are divided by this where they are positive, and multiplied where they
  /// are negative (Keskar et al., "CTRL", 2019).
  public var repetitionPenalty: Float = 1

  public init() {}

  /// The logits (vocabulary) after the repetition penalty, for a sequence of `ids` so far.
  public func penalized(_ logits: UnsafeBufferPointer<Float>, after ids: [Int]) -> [Float] {
    var scores = Array(logits)
    guard repetitionPenalty != 1 else { return scores }
    for id in ids {  // from the logits, so that a token that comes twice counts once
      scores[id] = finite(logits[id] < 0 ? logits[id] * repetitionPenalty : logits[id] / repetitionPenalty)
    }
    return scores
  }

  /// The tokens that survive the filters, for the logits (vocabulary) of what follows `ids`.
  public func choices(_ logits: UnsafeBufferPointer<Float>, after ids: [Int]) -> Choices {
    penalized(logits, after: ids).withUnsafeBufferPointer { scores in
      let distribution = Distribution(scores, temperature: temperature)
      guard topK != nil || topP != nil else { return Choices(Array(scores.indices), distribution.probabilities, minP) }
      var kept = distribution.likeliest(min(topK ?? firstGuess, scores.count))
      if topK != nil {
        let least = kept[kept.count - 1]
        kept += scores.indices.filter { scores[$0] == least.logit && $0 > least.id }.map(distribution.candidate)
      }
      if let topP {
        let total = topK == nil ? 1 : kept.reduce(0) { $0 + distribution.probability($1.id) }
        var count = nucleus(kept, topP * total, distribution)
        while count == nil, topK == nil, kept.count < scores.count {
          kept = distribution.likeliest(min(8 * kept.count, scores.count))
          count = nucleus(kept, topP * total, distribution)
        }
        kept = Array(kept[..<(count ?? kept.count)])
      }
      let ids = kept.map(\.id).sorted()
      return Choices(ids, ids.map(distribution.probability), minP)
    }
  }

  /// How many likeliest tokens to look at first for those that make up `topP`.
  private var firstGuess: Int { 64 }

  /// How many of the candidates, likeliest first, have `mass` together; nil where all of them have less.
  private func nucleus(_ candidates: [Distribution.Candidate], _ mass: Double, _ distribution: Distribution) -> Int? {
    var sum = 0.0
    for (index, candidate) in candidates.enumerated() {
      sum += distribution.probability(candidate.id)
      if sum >= mass { return index + 1 }
    }
    return nil
  }

  /// The number, or the greatest there is in its place.
  private func finite(_ score: Float) -> Float {
    min(max(score, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
  }
}

/// The tokens that may come next.
public struct Choices {
  /// In rising order.
  public let ids: [Int]
  /// How likely each is, not yet divided by their sum.
  private let weights: [Double]
  private let total: Double

  /// - Parameter minP: leaves out those that have less than this part of the likeliest one's probability.
  init(_ ids: [Int], _ weights: [Double], _ minP: Double?) {
    var (ids, weights) = (ids, weights)
    if let minP, let greatest = weights.max() {
      let kept = weights.indices.filter { weights[$0] >= minP * greatest }
      (ids, weights) = (kept.map { ids[$0] }, kept.map { weights[$0] })
    }
    self.ids = ids
    self.weights = weights
    total = weights.reduce(0, +)
  }

  /// How likely each of `ids` is.
  public var probabilities: [Double] { weights.map { $0 / total } }

  /// The token that a number in 0..<1 stands for: the first whose probability, added to those before it, is above it.
  public func id(at number: Double) -> Int {
    var rest = number * total
    for (id, weight) in zip(ids, weights) {
      rest -= weight
      if rest < 0 { return id }
    }
    // What rounding left over belongs to the last token that can come at all.
    return zip(ids, weights).reversed().first { $0.1 > 0 }?.0 ?? ids[0]
  }
}
