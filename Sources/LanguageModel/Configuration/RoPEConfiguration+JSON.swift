import Checkpoint
import JSON
import Numerics

extension RoPEConfiguration {
  /// The names of a family's RoPE parameters at the top level of `config.json`, and their defaults.
  struct Spelling {
    /// The member with the base: `rotary_emb_base` for GPT-NeoX, `rope_local_base_freq` for the sliding layers of
    /// Gemma 3.
    var base = "rope_theta"
    var defaultBase = 1e4
    var rotated = Rotated.whole
    /// The value of `original_max_position_embeddings` if it is missing; if this is nil, the context length.
    var originalContextLength: Int?
    var pairing = Pairing.neox
    /// True if the family rotates one element more than an odd part of a head.
    var roundsUpOddParts = false

    /// The member with the part of a head that is rotated.
    enum Rotated {
      /// The family rotates whole heads. As in transformers, `partial_rotary_factor` has no effect without scaling.
      case whole
      /// A member with the rotated fraction of the head dimension: `rotary_pct` for GPT-NeoX.
      case part(String, default: Double)
      /// A member with the number of rotated elements: `rotary_dim` for GPT-J.
      case elements(String, default: Int)
    }

    static let gptNeoX = Spelling(
      base: "rotary_emb_base", rotated: .part("rotary_pct", default: 0.25), roundsUpOddParts: true)
    /// GPT-J's base is a constant of its code.
    static let gptJ = Spelling(rotated: .elements("rotary_dim", default: 64), pairing: .interleaved)
  }

  /// Reads `config.json` as transformers does: from `rope_scaling` (old) or `rope_parameters` (since version 5).
  /// Members that are missing there are read from the top level.
  ///
  /// - Parameters:
  ///   - headDim: the head dimension.
  ///   - contextLength: `max_position_embeddings`; it is the original context length if the file does not give one.
  ///   - layerType: for a family that has parameters for each type of layer (Gemma 3, OLMo 3), the name of this type
  ///     in the file, such as `sliding_attention`. If the file has one set of parameters, their scaling belongs to the
  ///     type `full_attention`.
  ///   - spelling: the names at the top level, and the defaults.
  init(
    _ file: ConfigurationFile, headDim: Int, contextLength: Int, layerType: String? = nil,
    spelling: Spelling = Spelling()
  ) throws(CheckpointError) {
    let reader = try ParameterReader(file, contextLength: contextLength, layerType: layerType, spelling: spelling)
    base = try reader.holder(of: "rope_theta", atTopLevel: spelling.base) { (holder, name) throws(CheckpointError) in
      try holder.frequencyDivisor(name, default: spelling.defaultBase)
    }
    exponentDim = try reader.exponentDim(headDim: headDim)
    rotaryDim = exponentDim + exponentDim % 2
    pairing = spelling.pairing
    (scaling, attentionFactor) = try reader.scaling(base: base, exponentDim: exponentDim)
  }
}

/// The member with the rotated part of a head.
private let partName = "partial_rotary_factor"

/// Reads the RoPE parameters of `config.json`.
private struct ParameterReader {
  private let file: ConfigurationFile
  /// `rope_scaling` or `rope_parameters`, or the object in it for the type of layer.
  private let parameters: ConfigurationFile?
  /// True if the object is for a type of layer.
  private let isNested: Bool
  private let contextLength: Int
  private let spelling: RoPEConfiguration.Spelling

  init(
    _ file: ConfigurationFile, contextLength: Int, layerType: String?, spelling: RoPEConfiguration.Spelling
  ) throws(CheckpointError) {
    (self.file, self.contextLength, self.spelling) = (file, contextLength, spelling)
    var common = try file.object("rope_scaling")
    let isOld = common?.isEmpty == false
    if !isOld { common = try file.object("rope_parameters") }
    let full = "full_attention"
    isNested = common?.has(full) == true || common?.has("sliding_attention") == true
    guard let layerType else {
      guard !isNested else { throw file.refuse("rope_parameters for each type of layer are not implemented") }
      parameters = common
      return
    }
    guard isNested || isOld || common?.isEmpty ?? true else {
      throw file.refuse("rope_parameters has no parameters for each type of layer, such as \(full)")
    }
    parameters = isNested ? try common?.object(layerType) : layerType == full ? common : nil
  }

  /// Calls a function with the object that has a member, and the member's name in it: the parameters, or else the top
  /// level.
  func holder<Value>(
    of name: String, atTopLevel topLevelName: String,
    _ read: (ConfigurationFile, String) throws(CheckpointError) -> Value
  ) throws(CheckpointError) -> Value {
    if let parameters, parameters.has(name) { return try read(parameters, name) }
    return try read(file, topLevelName)
  }

  /// Returns the rotated part of a head, and its name in the file.
  private func part() throws(CheckpointError) -> (value: Double, name: String) {
    var (topLevelName, value) = (partName, 1.0)
    if case .part(let own, default: let part) = spelling.rotated { (topLevelName, value) = (own, part) }
    return try holder(of: partName, atTopLevel: topLevelName) { (holder, name) throws(CheckpointError) in
      let part = try holder.positive(name, default: value)
      guard part <= 1 else { throw file.refuse("\(name) is \(part); must be at most 1") }
      return (part, name)
    }
  }

  /// Returns the divisor of the exponents, which is the number of rotated elements of a head, or one less. A fraction
  /// is rounded down, as in transformers.
  func exponentDim(headDim: Int) throws(CheckpointError) -> Int {
    let type = try type() ?? "default"
    switch spelling.rotated {
    case .elements(let name, let value):
      let count = try file.size(name, default: value)
      try file.checkRotaryDim(count, headDim: headDim, "\(name) is \(count)")
      return count
    case .part where type != "proportional":
      let (part, name) = try part()
      let count = Int(Double(headDim) * part)
      // transformers has no YaRN for odd numbers.
      let isRoundedUp = spelling.roundsUpOddParts && type != "yarn" && count < headDim
      try file.checkRotaryDim(
        isRoundedUp ? count + count % 2 : count, headDim: headDim,
        "\(name) \(part) rotates \(count) elements of a head")
      return count
    case .part, .whole:
      if type != "default", type != "proportional" {
        let (part, name) = try part()
        guard part == 1 else {
          throw file.refuse("\(name) \(part) is not implemented with rope_type \"\(excerpt(type))\"")
        }
      }
      try file.checkRotaryDim(headDim, headDim: headDim, "the head dimension is \(headDim)")
      return headDim
    }
  }

  /// Returns the type of the scaling; nil without parameters.
  private func type() throws(CheckpointError) -> String? {
    guard let parameters else { return nil }
    let type = try parameters.string(parameters.has("rope_type") ? "rope_type" : "type") ?? "default"
    // Early files of Phi-3 have these names for LongRoPE (Phi3Config in transformers).
    return type == "su" || type == "yarn" && parameters.has("short_factor") ? "longrope" : type
  }

  /// Returns the scaling and the attention factor.
  func scaling(base: Double, exponentDim: Int) throws(CheckpointError) -> (RoPEConfiguration.Scaling, Double) {
    guard let parameters, let type = try type() else { return (.none, 1) }
    switch type {
    case "default": return (.none, 1)
    case "linear": return (.linear(factor: try parameters.frequencyDivisor("factor")), 1)
    case "llama3": return (.llama3(try llama3(parameters)), 1)
    case "yarn":
      let yarn = try yarn(parameters)
      try file.checkYaRN(yarn, base: base, names: (spelling.base, "beta_fast", "beta_slow"))
      return (.yarn(yarn), try yarnAttentionFactor(parameters, yarn.factor))
    case "longrope":
      let longRoPE = try longRoPE(parameters, pairs: (exponentDim + 1) / 2)
      return (.longRoPE(longRoPE), try longRoPEAttentionFactor(parameters, longRoPE.originalContextLength))
    case "dynamic":
      guard exponentDim > 2 else {
        throw file.refuse("rope_type \"dynamic\" requires more than 2 rotated elements of a head")
      }
      let factor = try parameters.frequencyDivisor("factor")
      return (.dynamic(.init(factor: factor, originalContextLength: contextLength)), 1)
    case "proportional":
      let pairs = Int(try part().value * Double(exponentDim) / 2)
      return (.proportional(factor: try parameters.frequencyDivisor("factor", default: 1), pairs: pairs), 1)
    default:
      throw file.refuse(
        "rope_type \"\(excerpt(type))\" is not implemented; "
          + "default, linear, llama3, yarn, longrope, dynamic and proportional are")
    }
  }

  /// Returns the context length used in pretraining.
  private func originalContextLength(_ parameters: ConfigurationFile) throws(CheckpointError) -> Int {
    let name = "original_max_position_embeddings"
    return try (file.has(name) && !isNested ? file : parameters)
      .size(name, default: spelling.originalContextLength ?? contextLength)
  }

  /// Returns the scaling factor, which the context lengths give if it is missing.
  private func factor(_ parameters: ConfigurationFile, _ original: Int) throws(CheckpointError) -> Double {
    try parameters.frequencyDivisor("factor", default: Double(contextLength) / Double(original))
  }

  private func llama3(_ parameters: ConfigurationFile) throws(CheckpointError) -> RoPEConfiguration.Llama3 {
    let llama3 = RoPEConfiguration.Llama3(
      factor: try parameters.frequencyDivisor("factor"),
      lowFrequencyFactor: try parameters.positive("low_freq_factor"),
      highFrequencyFactor: try parameters.positive("high_freq_factor"),
      originalContextLength: try originalContextLength(parameters))
    guard llama3.lowFrequencyFactor < llama3.highFrequencyFactor else {
      throw file.refuse("low_freq_factor is not less than high_freq_factor")
    }
    return llama3
  }

  private func yarn(_ parameters: ConfigurationFile) throws(CheckpointError) -> RoPEConfiguration.YaRN {
    let original = try originalContextLength(parameters)
    return RoPEConfiguration.YaRN(
      factor: try factor(parameters, original), betaFast: try parameters.positive("beta_fast", default: 32),
      betaSlow: try parameters.positive("beta_slow", default: 1), originalContextLength: original,
      // transformers ignores `truncate` in the parameters of one type of layers.
      roundsPairs: isNested ? true : try parameters.boolean("truncate", default: true))
  }

  /// Returns YaRN's attention factor (`_compute_yarn_parameters`).
  private func yarnAttentionFactor(
    _ parameters: ConfigurationFile, _ factor: Double
  ) throws(CheckpointError) -> Double {
    let name = "attention_factor"
    if let given = try parameters.number(name) { return try file.attentionFactor(given, name) }
    let (numerator, denominator) = (try parameters.number("mscale") ?? 0, try parameters.number("mscale_all_dim") ?? 0)
    // 0 means absent, as in transformers.
    guard numerator != 0, denominator != 0 else { return try file.attentionFactor(yarnMagnitude(factor), name) }
    return try file.attentionFactor(
      yarnMagnitude(factor, numerator) / yarnMagnitude(factor, denominator), "\(name) from mscale and mscale_all_dim")
  }

  private func longRoPE(
    _ parameters: ConfigurationFile, pairs: Int
  ) throws(CheckpointError) -> RoPEConfiguration.LongRoPE {
    func factors(_ name: String) throws(CheckpointError) -> [Float] {
      guard let numbers = try parameters.numbers(name) else { throw file.refuse("\(name) is missing") }
      guard numbers.count == pairs else {
        throw file.refuse("\(name) has \(numbers.count) elements; must have \(pairs), one for each rotated pair")
      }
      for (index, number) in numbers.enumerated() {
        guard number >= RoPEConfiguration.leastFrequencyFactor, Float(number).isFinite else {
          throw file.refuse(
            "\(name)[\(index)] is \(number); must be finite as a float32 and at least "
              + "\(RoPEConfiguration.leastFrequencyFactor)")
        }
      }
      return numbers.map { Float($0) }
    }
    return RoPEConfiguration.LongRoPE(
      shortFactors: try factors("short_factor"), longFactors: try factors("long_factor"),
      originalContextLength: try originalContextLength(parameters))
  }

  /// Returns LongRoPE's attention factor (`_compute_longrope_parameters`).
  private func longRoPEAttentionFactor(
    _ parameters: ConfigurationFile, _ original: Int
  ) throws(CheckpointError) -> Double {
    let name = "attention_factor"
    if let given = try parameters.number(name) { return try file.attentionFactor(given, name) }
    let factor = try factor(parameters, original)
    guard factor > 1 else { return 1 }
    guard original > 1 else { throw file.refuse("rope_type \"longrope\" requires an original context of 2 or more") }
    let square = 1 + naturalLogarithm(factor) / naturalLogarithm(Double(original))
    return try file.attentionFactor(square.squareRoot(), name)
  }
}
