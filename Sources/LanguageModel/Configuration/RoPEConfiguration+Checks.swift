import Checkpoint
import Numerics

// Checks and formulas that both formats share.

/// Returns the factor by which YaRN multiplies queries and keys (`get_mscale`; equation 22 of the paper with weight 1).
func yarnMagnitude(_ factor: Double, _ weight: Double = 1) -> Double {
  factor <= 1 ? 1 : 0.1 * weight * naturalLogarithm(factor) + 1
}

extension ConfigurationSource {
  /// Returns the attention factor. Throws if it is not in the accepted range.
  func attentionFactor(_ value: Double, _ name: String) throws(CheckpointError) -> Double {
    let range = RoPEConfiguration.attentionFactors
    guard range.contains(value) else {
      throw refuse("\(name) is \(value); must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Throws if the number of rotated elements is not even or not in the range from 2 to the head dimension.
  func checkRotaryDim(_ count: Int, headDim: Int, _ found: String) throws(CheckpointError) {
    guard count % 2 == 0 || count != headDim else {
      throw refuse("the head dimension is \(headDim); RoPE requires an even number")
    }
    guard count >= 2, count <= headDim, count % 2 == 0 else {
      throw refuse("\(found); must be an even number from 2 to \(headDim), the head dimension")
    }
  }

  /// Throws if the parameters of YaRN are inconsistent.
  func checkYaRN(
    _ yarn: RoPEConfiguration.YaRN, base: Double, names: (base: String, fast: String, slow: String)
  ) throws(CheckpointError) {
    guard yarn.betaFast >= yarn.betaSlow else {
      throw refuse("\(names.fast) (\(yarn.betaFast)) is less than \(names.slow) (\(yarn.betaSlow))")
    }
    guard base > 1 else { throw refuse("\(names.base) is \(base); YaRN requires more than 1") }
  }

  /// Returns the base of RoPE, or a factor by which its frequencies are divided. See
  /// ``RoPEConfiguration/leastFrequencyFactor``.
  func frequencyDivisor(_ name: String, default value: Double? = nil) throws(CheckpointError) -> Double {
    let number = try positive(name, default: value)
    guard number >= RoPEConfiguration.leastFrequencyFactor else {
      throw refuse("\(name) is \(number); must be at least \(RoPEConfiguration.leastFrequencyFactor)")
    }
    return number
  }
}
