import Foundation
import Sampling
import TestSupport
import Testing

@Suite struct PositionScorerTests {
  /// The scores by their definitions, in float64.
  private func plainScores(_ logits: [Float], next: Int, subset: (Int) -> Bool)
    -> (logprob: Double, rank: Int, entropy: Double, subset: Double)
  {
    let largest = Double(logits.max() ?? 0)
    let exponentials = logits.map { exp(Double($0) - largest) }
    let sum = exponentials.reduce(0, +)
    let p = exponentials.map { $0 / sum }
    let entropy = -p.reduce(0) { $0 + ($1 > 0 ? $1 * log2($1) : 0) }
    let better = logits.indices.count { logits[$0] > logits[next] || logits[$0] == logits[next] && $0 < next }
    let inSubset = p.indices.reduce(0) { $0 + (subset($1) ? p[$1] : 0) }
    return (Double(logits[next]) - largest - log(sum), better + 1, entropy, log(inSubset))
  }

  @Test(arguments: [1, 2, 15, 16, 17, 31, 33, 100, 4096])
  func scoresEqualTheirDefinitions(_ count: Int) throws {
    var generator = SeededGenerator(UInt64(count))
    let scorer = PositionScorer(vocabularySize: count + 3) { $0 % 3 == 0 }
    for _ in 0..<20 {
      // Few different numbers, so that there are ties.
      let logits = (0..<count).map { _ in Float(Int.random(in: -40...40, using: &generator)) / 4 }
      let next = Int.random(in: 0..<count, using: &generator)
      try logits.withUnsafeBufferPointer { buffer in
        let score = scorer.score(buffer, next: next)
        let expected = plainScores(logits, next: next) { $0 % 3 == 0 }
        #expect(score.logprob == Distribution(buffer).candidate(next).logprob, "bit-identical to --logprobs")
        let logprob = try #require(score.logprob)
        #expect(abs(Double(logprob) - expected.logprob) < 1e-5)
        #expect(score.rank == expected.rank)
        #expect(abs(Double(score.entropy) - expected.entropy) < 1e-5)
        #expect(abs(Double(score.subsetLogprob) - expected.subset) < 1e-5)
        #expect(score.candidates == [Distribution(buffer).mostLikely])
        let end = scorer.score(buffer, next: nil)
        #expect(end.logprob == nil && end.rank == nil && end.entropy == score.entropy)
      }
    }
  }

  @Test func extremeLogitsGiveFiniteScores() throws {
    let greatest = Float.greatestFiniteMagnitude
    for logits in [[greatest, -greatest, 0], [-greatest, -greatest], [0, -0, 0], [1e-45, 0, -1e-45]] as [[Float]] {
      let scorer = PositionScorer(vocabularySize: logits.count, candidates: 2) { $0 == 1 }
      logits.withUnsafeBufferPointer { buffer in
        for next in logits.indices {
          let score = scorer.score(buffer, next: next)
          #expect(score.logprob?.isFinite == true && score.entropy.isFinite && score.subsetLogprob.isFinite)
          #expect(
            score.rank == 1
              + logits.indices.count { logits[$0] > logits[next] || logits[$0] == logits[next] && $0 < next })
          #expect(score.candidates == Distribution(buffer).mostLikely(2))
        }
      }
    }
  }
}
