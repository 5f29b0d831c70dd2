import Checkpoint
import JSON

extension RoPEConfiguration {
  /// The GGUF tensors with frequency factors that a file has.
  struct FactorTensors: OptionSet {
    let rawValue: Int
    /// `rope_freqs.weight`
    static let common = FactorTensors(rawValue: 1)
    /// `rope_factors_short.weight` and `rope_factors_long.weight`
    static let longRoPE = FactorTensors(rawValue: 2)
  }

  /// Reads the metadata of a GGUF file as llama.cpp does (`llama_model::load_hparams`, `llama_context`): the factor is
  /// used unless the type is `none`, and frequency factors are used if the file has their tensors.
  ///
  /// llama.cpp's YaRN has transformers' frequencies with `truncate`. Its attention factor is `get_mscale(factor)`,
  /// divided by `get_mscale(factor, yarn_log_multiplier)` if that key is present, times `attn_factor`; it ignores
  /// `yarn_attn_factor`.
  ///
  /// - Parameters:
  ///   - prefix: the prefix of the keys, which is the architecture's name.
  ///   - headDim: the head dimension.
  ///   - contextLength: the original context length if the file does not give one.
  ///   - factorTensors: the tensors with frequency factors that the file has.
  ///   - baseKey: the key of the base after `PREFIX.rope.`; `freq_base_swa` for the sliding-window layers of Gemma 3.
  ///   - isScaled: false for layers without scaling and attention factor, such as the sliding-window layers of Gemma 3
  ///     and OLMo 3.
  ///   - roundsUpOddParts: true if the family rotates one element more than an odd number, as in `Spelling`.
  init(
    _ gguf: GGUF, prefix: String, headDim: Int, contextLength: Int, pairing: Pairing,
    factorTensors: FactorTensors = [], baseKey: String = "freq_base", defaultBase: Double = 1e4, isScaled: Bool = true,
    roundsUpOddParts: Bool = false
  ) throws(CheckpointError) {
    let key = "\(prefix).rope"
    base = try gguf.frequencyDivisor("\(key).\(baseKey)", default: defaultBase)
    exponentDim = try gguf.size("\(key).dimension_count", default: headDim)
    rotaryDim = roundsUpOddParts && exponentDim < headDim ? exponentDim + exponentDim % 2 : exponentDim
    try gguf.checkRotaryDim(rotaryDim, headDim: headDim, "\(key).dimension_count is \(exponentDim)")
    self.pairing = pairing
    guard isScaled else {
      (scaling, attentionFactor) = (.none, 1)
      return
    }
    let type = try gguf.string("\(key).scaling.type", default: "linear")
    guard ["linear", "none", "yarn", "longrope"].contains(type) else {
      throw gguf.refuse(
        "\(key).scaling.type \"\(excerpt(type))\" is not implemented; none, linear, yarn and longrope are")
    }
    let name = gguf.has("\(key).scaling.factor") ? "\(key).scaling.factor" : "\(key).scale_linear"
    let scale = try gguf.number(name) ?? 0
    let factor = type == "none" || scale == 0 ? 1 : try gguf.frequencyDivisor(name)  // 0 means absent
    let attentionName = "\(key).scaling.attn_factor"
    let attention = try gguf.attentionFactor(try gguf.number(attentionName) ?? 1, attentionName)
    // llama.cpp prefers `rope_freqs.weight` if a file has all of the tensors.
    if let tensor = factorTensors.contains(.common)
      ? Self.frequencyFactors
      : factorTensors.contains(.longRoPE) ? Self.longFactors : nil
    {
      guard factor == 1 else { throw gguf.refuse("\(name) together with \(tensor) is not implemented") }
      guard type != "yarn" else { throw gguf.refuse("YaRN together with \(tensor) is not implemented") }
    }
    let originalKey = "\(key).scaling.original_context_length"
    if factorTensors.contains(.common) {
      (scaling, attentionFactor) = (.frequencyFactors, attention)
    } else if factorTensors.contains(.longRoPE) {
      let original = try gguf.size(originalKey, default: contextLength)
      scaling = .longRoPE(LongRoPE(originalContextLength: original))
      attentionFactor = attention
    } else if type == "yarn" {
      guard rotaryDim == exponentDim else {
        throw gguf.refuse("\(key).dimension_count is \(exponentDim); must be even with YaRN")
      }
      let yarn = YaRN(
        factor: factor, betaFast: try gguf.positive("\(key).scaling.yarn_beta_fast", default: 32),
        betaSlow: try gguf.positive("\(key).scaling.yarn_beta_slow", default: 1),
        originalContextLength: try gguf.size(originalKey, default: contextLength), roundsPairs: true)
      try gguf.checkYaRN(
        yarn, base: base,
        names: ("\(key).\(baseKey)", "\(key).scaling.yarn_beta_fast", "\(key).scaling.yarn_beta_slow"))
      let extrapolationName = "\(key).scaling.yarn_ext_factor"
      let extrapolation = try gguf.number(extrapolationName) ?? 1
      guard extrapolation == 1 || extrapolation < 0 else {  // negative means absent
        throw gguf.refuse("\(extrapolationName) \(extrapolation) is not implemented; 1 is")
      }
      let weight = try gguf.number("\(key).scaling.yarn_log_multiplier") ?? 0
      let magnitude = yarnMagnitude(factor) / (weight == 0 ? 1 : yarnMagnitude(factor, weight))
      attentionFactor = try gguf.attentionFactor(magnitude * attention, "the attention factor of YaRN")
      scaling = .yarn(yarn)
    } else {
      guard type != "longrope" || factor == 1 else {
        throw gguf.refuse("\(name) together with \(key).scaling.type \"longrope\" is not implemented")
      }
      (scaling, attentionFactor) = (factor == 1 ? .none : .linear(factor: factor), attention)
    }
  }
}
