import Checkpoint
import Numerics

/// Rotary position embedding: turns the pairs of a head's numbers by angles that grow with the position
/// (`RotaryEmbedding` has the definition).
///
/// As in transformers, frequencies and angles are rounded to float32: at position 1,000 an angle that is not would differ
/// by up to 6e-5, which the logits would show.
package struct Rotation {
  private let frequencies: [Float]  // (headWidth / 2)
  private let pairing: RotaryEmbedding.Pairing

  /// - Parameter divisors: (headWidth / 2), each at least `RotaryEmbedding.leastDivisor`, if the scaling is by these.
  package init(_ embedding: RotaryEmbedding, headWidth: Int, divisors: [Float] = []) {
    let logarithm = naturalLogarithm(embedding.base)
    pairing = embedding.pairing
    frequencies = (0..<headWidth / 2).map { pair in
      let frequency = exponential(-2 * Double(pair) / Double(headWidth) * logarithm)
      return switch embedding.scaling {
      case .none: Float(frequency)
      case .linear(let factor): Float(frequency / factor)
      case .llama3(let parameters): Float(parameters.scaled(frequency))
      case .divisors: Float(frequency) / divisors[pair]
      }
    }
  }

  /// Cosines and sines of a position's angles: row (headWidth), the cosines first.
  package func angles(of position: Int, into row: UnsafeMutablePointer<Float>) {
    for (pair, frequency) in frequencies.enumerated() {
      let (sine, cosine) = sineAndCosine(Double(Float(position) * frequency))
      row[pair] = Float(cosine)
      row[pair + frequencies.count] = Float(sine)
    }
  }

  /// Turns the numbers of one head (headWidth) by the angles of a row.
  @inline(__always)
  func turn(_ numbers: UnsafeMutablePointer<Float>, by row: UnsafeMutablePointer<Float>) {
    let half = frequencies.count
    let (cosines, sines) = (row, row + half)
    switch pairing {
    case .halves:
      for pair in 0..<half { turn(numbers + pair, numbers + half + pair, cosines[pair], sines[pair]) }
    case .neighbours:
      for pair in 0..<half { turn(numbers + 2 * pair, numbers + 2 * pair + 1, cosines[pair], sines[pair]) }
    }
  }

  @inline(__always)
  private func turn(
    _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ cosine: Float, _ sine: Float
  ) {
    let (a, b) = (x.pointee, y.pointee)
    x.pointee = (a * cosine).addingProduct(-b, sine)
    y.pointee = (b * cosine).addingProduct(a, sine)
  }
}

extension RotaryEmbedding.Llama3 {
  /// The frequency after scaling: as it is, or divided by the factor, or in between.
  fileprivate func scaled(_ frequency: Double) -> Double {
    let wavelengths = Double(originalContextLength) * frequency / (2 * Double.pi)  // in the original context
    if wavelengths > highFrequencyFactor { return frequency }
    if wavelengths < lowFrequencyFactor { return frequency / factor }
    let smooth = (wavelengths - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
    return (1 - smooth) * frequency / factor + smooth * frequency
  }
}
