import Numerics

/// The scores of one position of a text: of the distribution of the next token, and of the token that follows.
public struct PositionScore: Sendable {
  /// The natural logarithm of the probability of the token that follows, as in `Distribution.Candidate`; nil at the end
  /// of the text.
  public let logprob: Float?
  /// The rank of the token that follows, 1 for the most likely of all tokens; ties by lower id. Nil at the end of the
  /// text.
  public let rank: Int?
  /// The entropy of the distribution in bits: the expected surprisal of the next token.
  public let entropy: Float
  /// The natural logarithm of the probability that the next token is in the scorer's subset of the vocabulary.
  public let subsetLogprob: Float
  /// The most likely tokens, most likely first.
  public let candidates: [Distribution.Candidate]
}

/// Computes the scores of positions. The sum of exponentials, the entropy, the probability of the subset and the rank
/// come from one pass over the logits, so that they take little longer than the log-probability alone.
///
///     let scorer = PositionScorer(vocabularySize: 50_257, candidates: 1) { beginsWithSpace($0) }
///     let score = scorer.score(logits, next: ids[position + 1])
public struct PositionScorer: Sendable {
  /// 1 for a token of the subset, else 0 (vocabulary, rounded up to whole lanes).
  private let weights: [Float]
  private let candidateCount: Int

  /// - Parameters:
  ///   - candidates: the number of most likely tokens to list; at least 1.
  ///   - subset: returns whether a token is in the subset.
  public init(vocabularySize: Int, candidates: Int = 1, subset: (Int) -> Bool) {
    precondition(candidates >= 1)
    candidateCount = candidates
    weights = (0..<(vocabularySize + Lanes.scalarCount - 1) / Lanes.scalarCount * Lanes.scalarCount).map {
      $0 < vocabularySize && subset($0) ? 1 : 0
    }
  }

  /// Returns the scores of a position.
  ///
  /// - Parameters:
  ///   - logits: the logits of the next token (vocabulary), all finite.
  ///   - id: the token that follows; nil at the end of the text.
  public func score(_ logits: UnsafeBufferPointer<Float>, next id: Int?) -> PositionScore {
    precondition(!logits.isEmpty && logits.count <= weights.count)
    let largest = Double(maximum(logits))
    let sums = sums(logits, largest, next: id ?? 0)
    let distribution = Distribution(logits, largest: largest, sumOfExponentials: sums.exponentials)
    // With e = exp(x - largest) and S = Σ e, the entropy is -Σ (e/S)·ln(e/S) = ln S - Σ e·(x - largest) / S.
    let entropy = (naturalLogarithm(sums.exponentials) - sums.products / sums.exponentials) / naturalLogarithm(2)
    let subset = sums.subset / sums.exponentials
    return PositionScore(
      logprob: id.map { distribution.candidate($0).logprob }, rank: id.map { _ in 1 + sums.moreLikely },
      entropy: Float(max(entropy, 0)),
      subsetLogprob: finiteLogProbability(subset.isNormal ? naturalLogarithm(subset) : -.infinity),
      candidates: candidateCount == 1 ? [distribution.mostLikely] : distribution.mostLikely(candidateCount))
  }

  /// Sums over the vocabulary, with x for a logit minus the largest logit.
  private struct Sums {
    /// Σ e^x, with the same bits as in `Distribution`.
    var exponentials: Double
    /// Σ x·e^x.
    var products: Double
    /// Σ e^x of the subset.
    var subset: Double
    /// The number of tokens that rank before a token.
    var moreLikely: Int
  }

  private func sums(_ logits: UnsafeBufferPointer<Float>, _ largest: Double, next id: Int) -> Sums {
    typealias Half = SIMD8<Double>
    var (low, high, lowProducts, highProducts, lowSubset, highSubset) = (
      Half(), Half(), Half(), Half(), Half(), Half()
    )
    var counts = SIMD16<Int32>()
    // A token ranks before this one if its logit is greater, or if it is equal and the id is lower.
    let (equalOrGreater, greater) = (Lanes(repeating: logits[id].nextDown), Lanes(repeating: logits[id]))
    let lanesBefore = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) .< Int32(id % 16)
    // The exponential of numbers below -708 is 0. Their product with it must be 0 too, and not NaN, for the -infinity
    // after the last logit.
    let least = Half(repeating: -1000)
    weights.withUnsafeBufferPointer { weights in
      for index in stride(from: 0, to: logits.count, by: Lanes.scalarCount) {
        let lanes = load(logits, at: index)
        let (lowX, highX) = quotients(lanes, minus: largest, dividedBy: 1)
        let (lowE, highE) = (exponential(lowX), exponential(highX))
        low += lowE
        high += highE
        lowProducts.addProduct(lowX.replacing(with: least, where: lowX .< least), lowE)
        highProducts.addProduct(highX.replacing(with: least, where: highX .< least), highE)
        let weight = load(weights, at: index)
        lowSubset.addProduct(SIMD8<Double>(weight.lowHalf), lowE)
        highSubset.addProduct(SIMD8<Double>(weight.highHalf), highE)
        let threshold =
          index + Lanes.scalarCount <= id
          ? equalOrGreater : index > id ? greater : greater.replacing(with: equalOrGreater, where: lanesBefore)
        counts.replace(with: counts &+ 1, where: lanes .> threshold)
      }
    }
    return Sums(
      exponentials: (low + high).horizontalSum, products: (lowProducts + highProducts).horizontalSum,
      subset: (lowSubset + highSubset).horizontalSum, moreLikely: Int(counts.wrappedSum()))
  }
}
