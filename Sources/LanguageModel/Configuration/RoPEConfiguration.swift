import Checkpoint

/// Rotary position embeddings (Su et al., "RoFormer", 2021). The first `rotaryDim` elements of a head form
/// `rotaryDim / 2` pairs. Pair i is rotated by the angle `position * frequency(i)`, with
/// `frequency(i) = base^(-2i/rotaryDim)` before scaling, and multiplied by the attention factor.
public struct RoPEConfiguration: Equatable, Sendable {
  public let base: Double
  /// The number of elements of a head that are rotated: even, from 2 to the head dimension. The elements after them
  /// are unchanged (partial rotation).
  public let rotaryDim: Int
  /// The divisor of the exponents, in place of rotaryDim in the formula: rotaryDim, or one less if the part of a head
  /// is an odd number.
  public let exponentDim: Int
  public let scaling: Scaling
  public let pairing: Pairing
  /// The factor of the cosines and sines, and so of the rotated queries and keys: 1 except for YaRN and LongRoPE, which
  /// compensate the flatter softmax of long contexts with it.
  public let attentionFactor: Double

  /// The minimum of `base`, of scaling factors, and of the elements of `rope_freqs.weight`; in real models they are 1
  /// or more. It bounds a frequency by 1/0.1^2 = 100 and an angle by 2^20 (`sizeLimit`) * 100, which is less than the
  /// 2^26 quarter turns that the sine function supports.
  public static let leastFrequencyFactor = 0.1

  /// The accepted attention factors; in real models they are from 1 to 1.5. Far outside, attention overflows.
  public static let attentionFactors = 0.01...100

  package init(
    base: Double, rotaryDim: Int, exponentDim: Int? = nil, scaling: Scaling = .none, pairing: Pairing = .neox,
    attentionFactor: Double = 1
  ) {
    (self.base, self.rotaryDim, self.scaling, self.pairing) = (base, rotaryDim, scaling, pairing)
    self.exponentDim = exponentDim ?? rotaryDim
    self.attentionFactor = attentionFactor
  }

  /// The scaling of the frequencies, which extends the context beyond the length used in pretraining.
  public enum Scaling: Equatable, Sendable {
    case none
    /// All frequencies are divided by the factor.
    case linear(factor: Double)
    /// The scaling of Llama 3.1 (transformers, `_compute_llama3_parameters`).
    case llama3(Llama3)
    /// Each frequency is divided by its element of the tensor `rope_freqs.weight` (rotaryDim / 2). llama.cpp's
    /// converter writes the scaling of Llama 3.1 in this form.
    case frequencyFactors
    /// YaRN (Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models", 2023).
    case yarn(YaRN)
    /// LongRoPE (Ding et al., "LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens", 2024), used by Phi-3.
    case longRoPE(LongRoPE)
    /// NTK-aware scaling by the length of the sequence (transformers, `_compute_dynamic_ntk_parameters`).
    case dynamic(Dynamic)
    /// The frequencies of the first pairs are divided by the factor; those of the other pairs are 0 (transformers,
    /// `_compute_proportional_rope_parameters`).
    case proportional(factor: Double, pairs: Int)
  }

  /// The parameters of Llama 3.1's scaling. A frequency is unchanged if its wavelength, 2 pi / frequency, is shorter
  /// than `originalContextLength / highFrequencyFactor`; it is divided by the factor if the wavelength is longer than
  /// `originalContextLength / lowFrequencyFactor`; between the two it is interpolated.
  public struct Llama3: Equatable, Sendable {
    public let factor: Double
    public let lowFrequencyFactor: Double
    public let highFrequencyFactor: Double
    public let originalContextLength: Int
  }

  /// The parameters of YaRN's frequencies. A pair that makes more than `betaFast` turns in the original context keeps
  /// its frequency; the frequency of a pair that makes fewer than `betaSlow` turns is divided by the factor; between
  /// the two it is interpolated linearly in the index of the pair.
  public struct YaRN: Equatable, Sendable {
    public let factor: Double
    /// At least `betaSlow`, which is positive.
    public let betaFast: Double
    public let betaSlow: Double
    public let originalContextLength: Int
    /// True if the indexes of the first and the last interpolated pair are rounded outward to integers.
    public let roundsPairs: Bool

    package init(
      factor: Double, betaFast: Double = 32, betaSlow: Double = 1, originalContextLength: Int, roundsPairs: Bool = true
    ) {
      (self.factor, self.betaFast, self.betaSlow) = (factor, betaFast, betaSlow)
      (self.originalContextLength, self.roundsPairs) = (originalContextLength, roundsPairs)
    }
  }

  /// The parameters of LongRoPE. Each frequency is divided by its short factor if the sequence is at most as long as
  /// the original context, otherwise by its long factor. In GGUF files the factors are tensors; the arrays are empty.
  public struct LongRoPE: Equatable, Sendable {
    public let shortFactors: [Float]  // (rotaryDim / 2), or empty
    public let longFactors: [Float]  // (rotaryDim / 2), or empty
    public let originalContextLength: Int

    package init(shortFactors: [Float] = [], longFactors: [Float] = [], originalContextLength: Int) {
      (self.shortFactors, self.longFactors) = (shortFactors, longFactors)
      self.originalContextLength = originalContextLength
    }
  }

  /// The parameters of dynamic NTK-aware scaling. For a sequence of more than `originalContextLength` tokens the base
  /// is multiplied by `(factor * length / originalContextLength - (factor - 1))^(exponentDim / (exponentDim - 2))`.
  /// `exponentDim` is at least 3.
  public struct Dynamic: Equatable, Sendable {
    public let factor: Double
    public let originalContextLength: Int

    package init(factor: Double, originalContextLength: Int) {
      (self.factor, self.originalContextLength) = (factor, originalContextLength)
    }
  }

  /// The two elements of a head that form pair i.
  public enum Pairing: Sendable {
    /// Elements i and i + rotaryDim/2, as in GPT-NeoX and most models of transformers.
    case neox
    /// Elements 2i and 2i + 1, as in GPT-J and Cohere. llama.cpp's converter reorders the rows of Llama's query and
    /// key weights for this pairing.
    case interleaved
  }
}

extension RoPEConfiguration {
  /// The GGUF tensors (rotaryDim / 2 each) whose elements divide the frequencies: none, one, or LongRoPE's two.
  public var frequencyFactorTensors: [String] {
    switch scaling {
    case .frequencyFactors: [Self.frequencyFactors]
    case .longRoPE(let scaling) where scaling.shortFactors.isEmpty: [Self.shortFactors, Self.longFactors]
    case .none, .linear, .llama3, .yarn, .longRoPE, .dynamic, .proportional: []
    }
  }

  /// The names of `frequencyFactorTensors` in GGUF files.
  package static let frequencyFactors = "rope_freqs.weight"
  package static let shortFactors = "rope_factors_short.weight"
  package static let longFactors = "rope_factors_long.weight"

  /// True if the frequencies depend on the length of the sequence.
  public var isLengthDependent: Bool {
    switch scaling {
    case .longRoPE, .dynamic: true
    case .none, .linear, .llama3, .frequencyFactors, .yarn, .proportional: false
    }
  }

  // MARK: descriptions

  /// The name of the scaling, which is `rope_type` in transformers.
  public var scalingName: String {
    switch scaling {
    case .none: "default"
    case .linear: "linear"
    case .llama3, .frequencyFactors: "llama3"  // llama.cpp's converter writes frequency factors for this type only
    case .yarn: "yarn"
    case .longRoPE: "longrope"
    case .dynamic: "dynamic"
    case .proportional: "proportional"
    }
  }

  /// A phrase for people, such as `scaled linearly by 4`; nil without scaling.
  public var scalingDescription: String? {
    func positions(_ count: Int) -> String { "\(withThousandsSeparators(count)) positions" }
    return switch scaling {
    case .none: nil
    case .linear(let factor): "scaled linearly by \(withThousandsSeparators(factor))"
    case .llama3(let scaling):
      "scaled as Llama 3 by \(withThousandsSeparators(scaling.factor)) from \(positions(scaling.originalContextLength))"
    case .frequencyFactors: "scaled by the file's \(Self.frequencyFactors)"
    case .yarn(let scaling):
      "scaled with YaRN by \(withThousandsSeparators(scaling.factor)) from \(positions(scaling.originalContextLength))"
    case .longRoPE(let scaling): "scaled with LongRoPE from \(positions(scaling.originalContextLength))"
    case .dynamic(let scaling):
      "scaled dynamically by \(withThousandsSeparators(scaling.factor)) after \(positions(scaling.originalContextLength))"
    case .proportional(let factor, let pairs):
      "of \(pairs) of \(rotaryDim / 2) pairs" + (factor == 1 ? "" : " scaled by \(withThousandsSeparators(factor))")
    }
  }
}
