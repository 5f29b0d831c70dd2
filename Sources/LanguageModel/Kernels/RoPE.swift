import Checkpoint
import Numerics

/// Rotary position embedding: rotates pairs of a head's numbers by angles proportional to the position
/// (`RoPEConfiguration` has the definition).
///
/// Frequencies and angles are rounded to float32, as in transformers. An exact angle at position 1,000 would differ by
/// up to 6e-5, and the logits would differ visibly.
///
/// The frequencies of some models depend on the length of the sequence: they have several *variants*. Variant 0 has the
/// frequencies of a short sequence. Transformers computes all positions of a sequence with the variant of its length.
/// So the logits of position p, which are those of a sequence of p + 1 tokens, need keys of this variant at all
/// positions: if a longer sequence has another variant, its keys must be computed again.
package struct RoPE {
  /// The frequencies of variant 0 (rotaryDim / 2).
  private let frequencies: [Float]
  /// The frequencies of LongRoPE's variant 1 (rotaryDim / 2); empty for other scalings.
  private let longFrequencies: [Float]
  /// The divisor of the exponents (`RoPEConfiguration.exponentDim`).
  private let exponentDim: Double
  private let pairing: RoPEConfiguration.Pairing
  private let attentionFactor: Float
  private let lengths: Lengths

  /// The dependence of the frequencies on the length of the sequence.
  private enum Lengths {
    case any
    case longRoPE(originalContextLength: Int)
    case dynamic(RoPEConfiguration.Dynamic, naturalLogarithmOfBase: Double)
  }

  /// - Parameter frequencyFactors: the elements of the configuration's `frequencyFactorTensors`, in the same order.
  ///   Each array has rotaryDim / 2 elements of at least `RoPEConfiguration.leastFrequencyFactor`.
  package init(_ configuration: RoPEConfiguration, frequencyFactors: [[Float]] = []) {
    let logarithm = naturalLogarithm(configuration.base)
    let exponentDim = Double(configuration.exponentDim)
    self.exponentDim = exponentDim
    pairing = configuration.pairing
    attentionFactor = Float(configuration.attentionFactor)
    let unscaled = (0..<configuration.rotaryDim / 2).map { pair in
      exponential(-2 * Double(pair) / exponentDim * logarithm)
    }
    var (longFrequencies, lengths) = ([Float](), Lengths.any)
    switch configuration.scaling {
    case .none: frequencies = unscaled.map { Float($0) }
    case .linear(let factor): frequencies = unscaled.map { Float($0 / factor) }
    case .llama3(let parameters): frequencies = unscaled.map { Float(parameters.scaled($0)) }
    case .frequencyFactors: frequencies = zip(unscaled, frequencyFactors[0]).map { Float($0) / $1 }
    case .yarn(let parameters): frequencies = parameters.scaled(unscaled, naturalLogarithmOfBase: logarithm)
    case .longRoPE(let parameters):
      let isInTensors = parameters.shortFactors.isEmpty
      let short = isInTensors ? frequencyFactors[0] : parameters.shortFactors
      let long = isInTensors ? frequencyFactors[1] : parameters.longFactors
      frequencies = zip(unscaled, short).map { Float($0) / $1 }
      longFrequencies = zip(unscaled, long).map { Float($0) / $1 }
      lengths = .longRoPE(originalContextLength: parameters.originalContextLength)
    case .proportional(let factor, let pairs):
      frequencies = unscaled.enumerated().map { $0 < pairs ? Float($1 / factor) : 0 }
    case .dynamic(let parameters):
      frequencies = unscaled.map { Float($0) }
      lengths = .dynamic(parameters, naturalLogarithmOfBase: logarithm)
    }
    (self.longFrequencies, self.lengths) = (longFrequencies, lengths)
  }

  /// The number of elements of a head that are rotated, which is the width of the cosine-sine table.
  package var rotaryDim: Int { 2 * frequencies.count }

  /// True if there are variants other than 0.
  package var isLengthDependent: Bool {
    if case .any = lengths { false } else { true }
  }

  /// Returns the variant of the frequencies for a sequence of `length` tokens: 0 for the default frequencies. LongRoPE
  /// has a second variant, 1, for sequences longer than the original context; dynamic scaling has one for each length
  /// above the original context, the number of tokens above it.
  package func variant(ofLength length: Int) -> Int {
    switch lengths {
    case .any: 0
    case .longRoPE(let original): length > original ? 1 : 0
    case .dynamic(let parameters, _): max(0, length - parameters.originalContextLength)
    }
  }

  /// Returns the frequencies of a variant (rotaryDim / 2), in radians per position.
  func frequencies(ofVariant variant: Int) -> [Float] {
    guard variant > 0 else { return frequencies }
    switch lengths {
    case .any: return frequencies
    case .longRoPE: return longFrequencies
    case .dynamic(let parameters, let logarithm):
      let scaled = logarithm + parameters.naturalLogarithmOfScale(variant: variant, exponentDim: exponentDim)
      return frequencies.indices.map { Float(exponential(-2 * Double($0) / exponentDim * scaled)) }
    }
  }

  /// Writes rows of the cosine-sine table (n, rotaryDim) for the positions `first`, `first + 1`, …: the cosines of a
  /// position's angles, then their sines, both multiplied by the attention factor.
  func writeCosSin(from first: Int, variant: Int, into table: Matrix) {
    let frequencies = frequencies(ofVariant: variant)
    for row in 0..<table.rows {
      let numbers = table.row(row)
      for (pair, frequency) in frequencies.enumerated() {
        let (sine, cosine) = sineAndCosine(Double(Float(first + row) * frequency))
        numbers[pair] = Float(cosine) * attentionFactor
        numbers[pair + frequencies.count] = Float(sine) * attentionFactor
      }
    }
  }

  /// Writes the row of the cosine-sine table for a position (rotaryDim).
  package func writeCosSin(ofPosition position: Int, variant: Int = 0, into row: UnsafeMutablePointer<Float>) {
    writeCosSin(from: position, variant: variant, into: Matrix(start: row, rows: 1, columns: rotaryDim))
  }

  /// Rotates the first rotaryDim numbers of one head by the angles of one row of the cosine-sine table, in place. The
  /// numbers after them are unchanged.
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

// MARK: scalings

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

extension RoPEConfiguration.YaRN {
  /// Returns the frequencies after scaling: unchanged up to the pair `low`, divided by the factor from the pair `high`,
  /// and interpolated between the two (section 3.2 of the paper; transformers, `_compute_yarn_parameters`).
  fileprivate func scaled(_ frequencies: [Double], naturalLogarithmOfBase logarithm: Double) -> [Float] {
    let rotaryDim = Double(2 * frequencies.count)
    /// Returns the index, which can be a fraction, of the pair that makes this number of turns in the original context.
    func pair(ofTurns turns: Double) -> Double {
      rotaryDim * naturalLogarithm(Double(originalContextLength) / (turns * 2 * Double.pi)) / (2 * logarithm)
    }
    let (first, last) = (pair(ofTurns: betaFast), pair(ofTurns: betaSlow))
    let low = max(roundsPairs ? first.rounded(.down) : first, 0)
    var high = min(roundsPairs ? last.rounded(.up) : last, rotaryDim - 1)
    if low == high { high += 0.001 }
    return frequencies.enumerated().map { pair, frequency in
      let interpolated = min(max((Double(pair) - low) / (high - low), 0), 1)
      return Float(frequency / factor * interpolated + frequency * (1 - interpolated))
    }
  }
}

extension RoPEConfiguration.Dynamic {
  /// Returns the natural logarithm of the factor of the base for sequences that are `variant` tokens longer than the
  /// original context. The factor is at least 1.
  fileprivate func naturalLogarithmOfScale(variant: Int, exponentDim: Double) -> Double {
    let length = Double(originalContextLength) + Double(variant)
    let scale = factor * length / Double(originalContextLength) - (factor - 1)
    return exponentDim / (exponentDim - 2) * naturalLogarithm(max(scale, 1))
  }
}
