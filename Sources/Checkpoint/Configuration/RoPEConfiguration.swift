import JSON

/// Rotary position embeddings (Su et al., "RoFormer", 2021). Pair i of a head's d elements is rotated by the angle
/// `position * frequency(i)`, with `frequency(i) = base^(-2i/d)` before scaling.
public struct RoPEConfiguration: Equatable, Sendable {
  public let base: Double
  public let scaling: Scaling
  public let pairing: Pairing

  /// The minimum of `base`, of scaling factors, and of the elements of `rope_freqs.weight`; in real models they are 1
  /// or more. It bounds a frequency by 1/0.1^2 = 100 and an angle by 2^20 (`sizeLimit`) * 100, which is less than the
  /// 2^26 quarter turns that the sine function supports.
  public static let leastFrequencyFactor = 0.1

  package init(base: Double, scaling: Scaling, pairing: Pairing) {
    (self.base, self.scaling, self.pairing) = (base, scaling, pairing)
  }

  /// The scaling of the frequencies, which extends the context beyond the length used in pretraining.
  public enum Scaling: Equatable, Sendable {
    case none
    /// All frequencies are divided by the factor.
    case linear(factor: Double)
    /// The scaling of Llama 3.1 (transformers, `_compute_llama3_parameters`).
    case llama3(Llama3)
    /// Each frequency is divided by its element of the tensor `rope_freqs.weight` (d/2). llama.cpp's converter writes
    /// the scaling of Llama 3.1 in this form.
    case frequencyFactors
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

  /// The two elements of a head that form pair i.
  public enum Pairing: Sendable {
    /// Elements i and i + d/2, as in GPT-NeoX and transformers.
    case neox
    /// Elements 2i and 2i + 1. llama.cpp's converter reorders the rows of Llama's query and key weights for this
    /// pairing.
    case interleaved
  }
}

extension RoPEConfiguration {
  /// Reads `config.json` as transformers does: from `rope_scaling` (old) or `rope_parameters` (since version 5).
  /// Members that are missing there are read from the top level.
  ///
  /// - Parameter contextLength: the original context length if the file does not give one.
  init(_ file: ConfigurationFile, contextLength: Int) throws(CheckpointError) {
    var parameters = try file.object("rope_scaling")
    if parameters?.isEmpty ?? true { parameters = try file.object("rope_parameters") }
    guard parameters?.has("full_attention") != true, parameters?.has("sliding_attention") != true else {
      throw file.refuse("rope_parameters for each type of layer are not implemented")
    }
    let type = try parameters?.string(parameters?.has("rope_type") == true ? "rope_type" : "type") ?? "default"
    let theta = "rope_theta"
    /// Returns the object that has the member: the parameters, or else the top level.
    func holder(of name: String) -> ConfigurationFile { parameters.flatMap { $0.has(name) ? $0 : nil } ?? file }
    base = try holder(of: theta).frequencyDivisor(theta, default: 1e4)
    pairing = .neox
    let rotated = "partial_rotary_factor"
    let part = try holder(of: rotated).number(rotated) ?? 1
    guard part == 1 else { throw file.refuse("\(rotated) \(part) is not implemented; 1 is") }
    switch (type, parameters) {
    case ("default", _): scaling = .none
    case ("linear", let parameters?): scaling = .linear(factor: try parameters.frequencyDivisor("factor"))
    case ("llama3", let parameters?):
      let original = "original_max_position_embeddings"
      let length = try (file.has(original) ? file : parameters).size(original, default: contextLength)
      let llama3 = Llama3(
        factor: try parameters.frequencyDivisor("factor"),
        lowFrequencyFactor: try parameters.positive("low_freq_factor"),
        highFrequencyFactor: try parameters.positive("high_freq_factor"),
        originalContextLength: length)
      guard llama3.lowFrequencyFactor < llama3.highFrequencyFactor else {
        throw file.refuse("low_freq_factor is not less than high_freq_factor")
      }
      scaling = .llama3(llama3)
    default: throw file.refuse("rope_type \"\(excerpt(type))\" is not implemented; default, linear and llama3 are")
    }
  }

  /// Reads the metadata of a GGUF file as llama.cpp does (`llama_model::load_hparams`): the factor is used unless the
  /// type is `none`.
  ///
  /// - Parameters:
  ///   - prefix: the prefix of the keys, which is the architecture's name.
  ///   - hasFrequencyFactors: true if the file has the tensor `rope_freqs.weight`.
  init(_ gguf: GGUF, prefix: String, pairing: Pairing, hasFrequencyFactors: Bool) throws(CheckpointError) {
    let key = "\(prefix).rope"
    base = try gguf.frequencyDivisor("\(key).freq_base", default: 1e4)
    self.pairing = pairing
    let type = try gguf.string("\(key).scaling.type", default: "linear")
    guard type == "linear" || type == "none" else {
      throw gguf.refuse("\(key).scaling.type \"\(excerpt(type))\" is not implemented; none and linear are")
    }
    let name = gguf.has("\(key).scaling.factor") ? "\(key).scaling.factor" : "\(key).scale_linear"
    let scale = try gguf.number(name) ?? 0
    let factor = type == "none" || scale == 0 ? 1 : try gguf.frequencyDivisor(name)  // 0 means absent
    guard !hasFrequencyFactors || factor == 1 else {
      throw gguf.refuse("\(name) together with \(LlamaConfiguration.frequencyFactors) is not implemented")
    }
    scaling = hasFrequencyFactors ? .frequencyFactors : factor == 1 ? .none : .linear(factor: factor)
  }
}
