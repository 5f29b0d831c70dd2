import Numerics

/// The settings of sampling: which tokens are candidates for the next token, and with which probabilities.
///
/// The steps and their order are the same as in transformers: biases, repetition penalty, temperature, top-k, top-p,
/// min-p, softmax of the remaining tokens.
///
///     var settings = SamplingSettings()
///     settings.topP = 0.9
///     let id = settings.choices(logits, after: ids).id(at: uniformNumber(seed: 1, position: ids.count))
public struct SamplingSettings: Equatable, Sendable {
  /// Divides the logits. Values below 1 favor likely tokens; the limit 0 is greedy decoding. Must be positive.
  public var temperature: Double = 1
  /// Top-k sampling: keeps this number of most likely tokens, and all tokens exactly as likely as the last of these.
  public var topK: Int?
  /// Nucleus (top-p) sampling: keeps the smallest set of most likely tokens with at least this total probability
  /// (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020).
  public var topP: Double?
  /// Min-p sampling: keeps tokens with at least this fraction of the probability of the most likely token (Nguyen et
  /// al., "Turning Up the Heat: Min-p Sampling", 2025).
  public var minP: Double?
  /// Penalizes tokens already in the sequence: positive logits are divided by this number, negative logits multiplied
  /// by it (Keskar et al., "CTRL", 2019). 1 has no effect.
  public var repetitionPenalty: Float = 1

  /// Numbers to add to the logits of tokens, by id.
  public var biases: [Int: Float] = [:]

  public init() {}

  /// Whether the most likely token can differ from that of the unchanged logits.
  public var changesLogits: Bool { repetitionPenalty != 1 || !biases.isEmpty }

  /// Returns the logits (vocabulary) of the token after `ids` with the biases and the repetition penalty.
  ///
  /// - Parameter banned: tokens that cannot be chosen: their probability becomes 0.
  public func penalized(_ logits: UnsafeBufferPointer<Float>, after ids: [Int], banned: [Int] = []) -> [Float] {
    var scores = Array(logits)
    for (id, bias) in biases { scores[id] = finite(scores[id] + bias) }
    if repetitionPenalty != 1 {
      for id in Set(ids) {
        scores[id] = finite(scores[id] < 0 ? scores[id] * repetitionPenalty : scores[id] / repetitionPenalty)
      }
    }
    for id in banned { scores[id] = -.greatestFiniteMagnitude }
    return scores
  }

  /// Returns the tokens that the filters keep, for the logits (vocabulary) of the token after `ids`.
  ///
  /// - Parameter banned: tokens that cannot be chosen.
  public func choices(_ logits: UnsafeBufferPointer<Float>, after ids: [Int], banned: [Int] = []) -> Choices {
    penalized(logits, after: ids, banned: banned).withUnsafeBufferPointer { scores in
      let distribution = Distribution(scores, temperature: temperature)
      guard topK != nil || topP != nil else { return Choices(Array(scores.indices), distribution.probabilities, minP) }
      var kept = distribution.mostLikely(min(topK ?? firstNucleusSize, scores.count))
      if topK != nil {
        let last = kept[kept.count - 1]
        kept += scores.indices.filter { scores[$0] == last.logit && $0 > last.id }.map(distribution.candidate)
      }
      if let topP {
        let total = topK == nil ? 1 : kept.reduce(0) { $0 + distribution.probability($1.id) }
        var count = nucleus(kept, topP * total, distribution)
        while count == nil, topK == nil, kept.count < scores.count {
          kept = distribution.mostLikely(min(8 * kept.count, scores.count))
          count = nucleus(kept, topP * total, distribution)
        }
        kept = Array(kept[..<(count ?? kept.count)])
      }
      let ids = kept.map(\.id).sorted()
      return Choices(ids, ids.map(distribution.probability), minP)
    }
  }

  /// The number of most likely tokens to try first as the nucleus; then 8 times as many, and so on.
  private var firstNucleusSize: Int { 64 }

  /// Returns the number of candidates (most likely first) that have the probability `mass` together, or nil if all have
  /// less.
  private func nucleus(_ candidates: [Distribution.Candidate], _ mass: Double, _ distribution: Distribution) -> Int? {
    var sum = 0.0
    for (index, candidate) in candidates.enumerated() {
      sum += distribution.probability(candidate.id)
      if sum >= mass { return index + 1 }
    }
    return nil
  }

  /// Clamps a number to the finite range of float32.
  private func finite(_ score: Float) -> Float {
    min(max(score, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
  }
}

/// The candidates for the next token after all filters, with their probabilities.
public struct Choices {
  /// The ids in ascending order.
  public let ids: [Int]
  /// The probabilities before normalization.
  private let weights: [Double]
  private let total: Double

  /// - Parameter minP: removes tokens with less than this fraction of the largest weight.
  init(_ ids: [Int], _ weights: [Double], _ minP: Double?) {
    var (ids, weights) = (ids, weights)
    if let minP, let largest = weights.max() {
      let kept = weights.indices.filter { weights[$0] >= minP * largest }
      (ids, weights) = (kept.map { ids[$0] }, kept.map { weights[$0] })
    }
    self.ids = ids
    self.weights = weights
    total = weights.reduce(0, +)
  }

  /// The probability of each of `ids`.
  public var probabilities: [Double] { weights.map { $0 / total } }

  /// Samples a token: returns the first id whose cumulative probability is greater than a number in 0..<1.
  public func id(at number: Double) -> Int {
    var rest = number * total
    for (id, weight) in zip(ids, weights) {
      rest -= weight
      if rest < 0 { return id }
    }
    // Rounding errors can leave a rest, which goes to the last token with a positive probability.
    return zip(ids, weights).reversed().first { $0.1 > 0 }?.0 ?? ids[0]
  }
}
