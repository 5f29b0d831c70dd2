import JSON

/// How positions are told to attention: pair i of a head's numbers (w of them) is turned by the angle
/// `position · frequency(i)`, where `frequency(i) = base^(−2i/w)` before scaling (Su et al., "RoFormer", 2021).
public struct RoPEConfiguration: Equatable, Sendable {
  public let base: Double
  public let scaling: Scaling
  public let pairing: Pairing

  /// The least `base`, factor, and element of `rope_freqs.weight`: far below those of any model, which are 1 or more. With
  /// it a frequency is at most 1/0.1², and an angle less than 2^20 (`sizeLimit`) · 100, which is less than the 2^26
  /// quarter turns up to which sines are computed.
  public static let leastFrequencyFactor = 0.1

  package init(base: Double, scaling: Scaling, pairing: Pairing) {
    (self.base, self.scaling, self.pairing) = (base, scaling, pairing)
  }

  /// What the frequencies are changed by, so that more positions fit than the model was first trained with.
  public enum Scaling: Equatable, Sendable {
    case none
    /// All are divided by the factor.
    case linear(factor: Double)
    /// Llama 3.1 (transformers, `_compute_llama3_parameters`).
    case llama3(Llama3)
    /// Each is divided by its element of the tensor `rope_freqs.weight` (w/2), as llama.cpp's converter writes Llama 3.
    case frequencyFactors
  }

  /// With `wavelength = 2π / frequency`: shorter than `originalContextLength / highFrequencyFactor` stays, longer than
  /// `originalContextLength / lowFrequencyFactor` is divided by the factor, and between the two it changes gradually.
  public struct Llama3: Equatable, Sendable {
    public let factor: Double
    public let lowFrequencyFactor: Double
    public let highFrequencyFactor: Double
    public let originalContextLength: Int
  }

  /// Which two numbers of a head are pair i.
  public enum Pairing: Sendable {
    /// i and i + w/2.
    case neox
    /// 2i and 2i + 1: llama.cpp's converter reorders the rows of Llama's queries and keys so.
    case interleaved
  }
}

extension RoPEConfiguration {
  /// As transformers reads it: from `rope_scaling` (old) or `rope_parameters` (since version 5), and what is not there
  /// from `config.json` itself.
  ///
  /// - Parameter contextLength: what counts as the original one where the file names none.
  init(_ file: ConfigurationFile, contextLength: Int) throws(CheckpointError) {
    var parameters = try file.object("rope_scaling")
    if parameters?.isEmpty ?? true { parameters = try file.object("rope_parameters") }
    guard parameters?.has("full_attention") != true, parameters?.has("sliding_attention") != true else {
      throw file.refuse("rope_parameters for each type of layer are not implemented")
    }
    let type = try parameters?.string(parameters?.has("rope_type") == true ? "rope_type" : "type") ?? "default"
    let theta = "rope_theta"
    /// What stands in the one or else in the other.
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

  /// As llama.cpp reads it (`llama_model::load_hparams`): a factor counts unless the type is `none`.
  ///
  /// - Parameter prefix: of the keys, the architecture's name.
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
    let factor = type == "none" || scale == 0 ? 1 : try gguf.frequencyDivisor(name)  // 0 is as absent
    guard !hasFrequencyFactors || factor == 1 else {
      throw gguf.refuse("\(name) together with \(LlamaConfiguration.frequencyFactors) is not implemented")
    }
    scaling = hasFrequencyFactors ? .frequencyFactors : factor == 1 ? .none : .linear(factor: factor)
  }
}
