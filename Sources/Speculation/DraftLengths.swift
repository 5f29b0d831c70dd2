/// Chooses how many tokens of each draft are verified in one pass, so that the expected number of new tokens per second
/// is greatest.
///
/// A pass computes the last position of each sequence and the drafted positions after it. It yields one token for each
/// sequence, and one more for each drafted token that is accepted with all before it (Leviathan et al., "Fast Inference
/// from Transformers via Speculative Decoding", ICML 2023, section 3).
///
/// - Parameters:
///   - rates: for each sequence, the probability that each token of its draft is accepted if all before it are.
///   - times: the time of a pass.
/// - Returns: the number of tokens for each sequence.
public func draftLengths(_ rates: [[Double]], _ times: PassTimes) -> [Int] {
  guard times.isMeasured, !rates.isEmpty else { return rates.map { _ in 0 } }
  var tokens: [(sequence: Int, index: Int, probability: Double)] = []
  for (sequence, rates) in rates.enumerated() {
    var probability = 1.0
    for (index, rate) in rates.enumerated() {
      probability *= rate
      guard probability >= leastProbability else { break }
      tokens.append((sequence, index, probability))
    }
  }
  // Probabilities decrease along a draft, so that a token follows those before it in its draft.
  tokens.sort { ($1.probability, $0.sequence, $0.index) < ($0.probability, $1.sequence, $1.index) }
  let rows = rates.count
  var expected = Double(rows)
  var (bestCount, bestRate) = (0, requiredGain * expected / times.seconds(rows: rows))
  for (index, token) in tokens.enumerated() {
    expected += token.probability
    let rate = expected / times.seconds(rows: rows + index + 1)
    if rate > bestRate { (bestCount, bestRate) = (index + 1, rate) }
  }
  var lengths = rates.map { _ in 0 }
  for token in tokens[..<bestCount] { lengths[token.sequence] += 1 }
  return lengths
}

/// A draft must be expected to pay by this factor: estimates have errors.
private let requiredGain = 1.05
/// A token that is less likely to be accepted does not pay: a row takes more than this share of a pass of one row.
private let leastProbability = 0.05
