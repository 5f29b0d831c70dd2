import Checkpoint
import Numerics

/// Rotary position embedding: rotates pairs of a head's numbers by angles proportional to the position
/// (`RoPEConfiguration` has the definition).
///
/// Frequencies and angles are rounded to float32, as in transformers. An exact angle at position 1,000 would differ by
/// up to 6e-5, and the logits would differ visibly.
package struct RoPE {
  private let frequencies: [Float]  // (headDim / 2)
  private let pairing: RoPEConfiguration.Pairing

  /// - Parameter frequencyFactors: divisors of the frequencies (headDim / 2), each at least
  ///   `RoPEConfiguration.leastFrequencyFactor`. Used only if the scaling is `frequencyFactors`.
  package init(_ embedding: RoPEConfiguration, headDim: Int, frequencyFactors: [Float] = []) {
    let logarithm = naturalLogarithm(embedding.base)
    pairing = embedding.pairing
    frequencies = (0..<headDim / 2).map { pair in
      let frequency = exponential(-2 * Double(pair) / Double(headDim) * logarithm)
      return switch embedding.scaling {
      case .none: Float(frequency)
      case .linear(let factor): Float(frequency / factor)
      case .llama3(let parameters): Float(parameters.scaled(frequency))
      case .frequencyFactors: Float(frequency) / frequencyFactors[pair]
      }
    }
  }

  /// Writes the row of the cosine-sine table for a position (headDim): the cosines of its angles, then their sines.
  package func writeCosSin(ofPosition position: Int, into row: UnsafeMutablePointer<Float>) {
    for (pair, frequency) in frequencies.enumerated() {
      let (sine, cosine) = sineAndCosine(Double(Float(position) * frequency))
      row[pair] = Float(cosine)
      row[pair + frequencies.count] = Float(sine)
    }
  }

  /// Rotates the numbers of one head (headDim) by the angles of one row of the cosine-sine table, in place.
  @inline(__always)
  func apply(_ cosSin: UnsafeMutablePointer<Float>, to numbers: UnsafeMutablePointer<Float>) {
    let half = frequencies.count
    let (cosines, sines) = (cosSin, cosSin + half)
    switch pairing {
    case .neox:
      for pair in 0..<half { rotate(numbers + pair, numbers + half + pair, cosines[pair], sines[pair]) }
    case .interleaved:
      for pair in 0..<half { rotate(numbers + 2 * pair, numbers + 2 * pair + 1, cosines[pair], sines[pair]) }
    }
  }

  @inline(__always)
  private func rotate(
    _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ cosine: Float, _ sine: Float
  ) {
    let (a, b) = (x.pointee, y.pointee)
    x.pointee = (a * cosine).addingProduct(-b, sine)
    y.pointee = (b * cosine).addingProduct(a, sine)
  }
}

extension RoPEConfiguration.Llama3 {
  /// Returns a frequency after scaling: unchanged, divided by the factor, or interpolated between the two.
  fileprivate func scaled(_ frequency: Double) -> Double {
    // The number of wavelengths in the original context.
    let wavelengths = Double(originalContextLength) * frequency / (2 * Double.pi)
    if wavelengths > highFrequencyFactor { return frequency }
    if wavelengths < lowFrequencyFactor { return frequency / factor }
    let smooth = (wavelengths - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
    return (1 - smooth) * frequency / factor + smooth * frequency
  }
}
