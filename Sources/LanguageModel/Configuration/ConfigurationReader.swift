import Checkpoint
import JSON

/// Reads the hyperparameters of a model by their names in `config.json` and in the metadata of a GGUF file.
///
/// Names in GGUF are given without the architecture: `embedding_length` is `llama.embedding_length`. Defaults are those
/// of transformers for members that are missing in `config.json`; a key that is missing in a GGUF file is an error
/// unless the caller gives a value for it.
struct ConfigurationReader {
  /// The `model_type` in `config.json`, or the architecture of the GGUF file.
  let modelType: String
  let source: Source
  /// `config.json`, with the members that do not belong to the language model; nil for a GGUF file.
  private let whole: ConfigurationFile?

  enum Source {
    /// `eosTokenIDs`: those in `generation_config.json`, which take precedence over those in `config.json`.
    case json(ConfigurationFile, eosTokenIDs: [Int]?)
    case gguf(GGUF)
  }

  init(_ configuration: ModelFiles.Configuration) throws(CheckpointError) {
    switch configuration {
    case .json(let file, let generation):
      modelType = try file.string("model_type") ?? ""
      // Models of text and images have the configuration of their language model in a member.
      source = .json(try file.object("text_config") ?? file, eosTokenIDs: try generation?.integers("eos_token_id"))
      whole = file
    case .gguf(let gguf):
      modelType = try gguf.string("general.architecture") ?? ""
      source = .gguf(gguf)
      whole = nil
    }
  }

  /// `config.json`; nil for a GGUF file.
  var json: ConfigurationFile? {
    guard case .json(let file, _) = source else { return nil }
    return file
  }

  /// The GGUF file; nil for a folder.
  var gguf: GGUF? {
    guard case .gguf(let gguf) = source else { return nil }
    return gguf
  }

  func refuse(_ reason: String) -> CheckpointError {
    switch source {
    case .json(let file, _): file.refuse(reason)
    case .gguf(let gguf): gguf.refuse(reason)
    }
  }

  /// Returns the full name of a key in a GGUF file.
  func key(_ name: String) -> String { "\(modelType).\(name)" }

  // MARK: values

  /// Returns the name under which the file has a value: the first of `names` that is present, or the last of all.
  private func name(_ names: [String], _ file: ConfigurationFile) -> String {
    names.first(where: file.has) ?? names.last ?? ""
  }

  /// Returns the name under which the files have a value, for messages.
  func name(_ names: [String], gguf name: String) -> String {
    json.map { self.name(names, $0) } ?? key(name)
  }

  /// Returns a size.
  ///
  /// - Parameters:
  ///   - names: the names in `config.json`; the first that is present is read.
  ///   - name: the name in GGUF, whose value is a number, or an array with one equal number for each layer.
  ///   - value: the value if `config.json` has none.
  ///   - other: the value if the GGUF file has none.
  /// - Throws: `CheckpointError` if the size is missing, or is not in the range from 1 to `limit`.
  func size(
    _ names: [String], gguf name: String, default value: Int? = nil, ggufDefault other: Int? = nil,
    limit: Int = sizeLimit
  ) throws(CheckpointError) -> Int {
    switch source {
    case .json(let file, _):
      return try file.size(self.name(names, file), default: value, limit: limit)
    case .gguf(let gguf):
      return try gguf.size(key(name), try gguf.uniformInteger(key(name)) ?? other, limit: limit)
    }
  }

  func size(
    _ name: String, gguf: String = "", default value: Int? = nil, ggufDefault: Int? = nil
  ) throws(CheckpointError) -> Int {
    try size([name], gguf: gguf, default: value, ggufDefault: ggufDefault)
  }

  /// Returns a number that must be positive and finite as a float32.
  func positive(
    _ names: String..., gguf name: String = "", default value: Double? = nil, ggufDefault other: Double? = nil
  ) throws(CheckpointError) -> Double {
    switch source {
    case .json(let file, _): try file.positive(self.name(names, file), default: value)
    case .gguf(let gguf): try gguf.positive(key(name), default: other)
    }
  }

  /// Returns a number of `config.json` or of the GGUF file; nil if it is missing.
  ///
  /// - Parameter names: the names in `config.json`; none for a number that only GGUF files have.
  /// - Throws: `CheckpointError` if it is not finite as a float32.
  func number(_ names: String..., gguf suffix: String) throws(CheckpointError) -> Double? {
    let (name, number): (String, Double?)
    switch source {
    case .json(let file, _):
      name = self.name(names, file)
      number = names.isEmpty ? nil : try file.number(name)
    case .gguf(let gguf):
      name = key(suffix)
      number = try gguf.number(name)
    }
    guard Float(number ?? 0).isFinite else { throw refuse("\(name) is \(number ?? 0); must be finite as a float32") }
    return number
  }

  /// Returns a factor of `config.json` or of the GGUF file; 1 if it is missing.
  ///
  /// - Throws: `CheckpointError` if it is not positive and finite as a float32.
  func factor(_ name: String, gguf: String, default value: Double = 1) throws(CheckpointError) -> Float {
    Float(try positive(name, gguf: gguf, default: value, ggufDefault: 1))
  }

  /// Returns a truth value of `config.json`; `other` for a GGUF file, whose architecture determines it.
  func boolean(_ names: String..., default value: Bool, gguf other: Bool) throws(CheckpointError) -> Bool {
    guard let file = json else { return other }
    return try file.boolean(name(names, file), default: value)
  }

  /// Returns a truth value that both formats have under the same name.
  func flag(_ name: String, default value: Bool) throws(CheckpointError) -> Bool {
    switch source {
    case .json(let file, _): try file.boolean(name, default: value)
    case .gguf(let gguf): try gguf.boolean(key(name), default: value)
    }
  }

  /// Returns an activation function of `config.json`; `other` for a GGUF file, whose architecture determines it.
  func activation(_ names: String..., default value: String, gguf other: Activation) throws(CheckpointError)
    -> Activation
  {
    guard let file = json else { return other }
    let name = name(names, file)
    let text = try file.string(name, default: value)
    guard let activation = Activation(transformers: text) else {
      throw file.refuse(
        "\(name) \"\(excerpt(text))\" is not implemented; \(Activation.names.joined(separator: ", ")) are")
    }
    return activation
  }

  /// Returns whether a GGUF file has a tensor in its first layer.
  ///
  /// - Parameter name: the name without `blk.0.`.
  func hasTensor(_ name: String) throws(CheckpointError) -> Bool { try hasTensor(named: "blk.0.\(name)") }

  /// Returns whether a GGUF file has a tensor.
  func hasTensor(named name: String) throws(CheckpointError) -> Bool {
    guard let gguf else { return false }
    return try gguf.tensors.get()[name] != nil
  }

  /// Returns whether the model has optional tensors, such as biases: a setting in `config.json`. GGUF files have the
  /// tensors, and no setting.
  ///
  /// - Parameters:
  ///   - name: the name of the setting in `config.json`.
  ///   - tensor: the name of one of the tensors in GGUF, without `blk.0.`.
  func has(_ name: String, default value: Bool, tensor: String) throws(CheckpointError) -> Bool {
    guard let file = json else { return try hasTensor(tensor) }
    return try file.boolean(name, default: value)
  }

  /// Returns the size of the attention windows; nil if it is null or missing, and in GGUF files if it is 0.
  ///
  /// - Parameter value: the size if `config.json` has none; nil for no windows.
  func window(default value: Int? = nil) throws(CheckpointError) -> Int? {
    let name = "sliding_window"
    switch source {
    case .json(let file, _):
      guard !file.isNull(name), value != nil || file.has(name) else { return nil }
      return try file.size(name, default: value)
    case .gguf(let gguf):
      let key = key("attention.\(name)")
      guard try gguf.integer(key) ?? 0 != 0 else { return nil }
      return try gguf.size(key)
    }
  }

  /// Returns the period of the layers with full attention: `sliding_window_pattern`. A GGUF file can list the layers
  /// with windows under this name instead; then the period is not used.
  func slidingWindowPeriod(default value: Int) throws(CheckpointError) -> Int {
    let (name, key) = ("sliding_window_pattern", "attention.sliding_window_pattern")
    if let gguf, gguf.isArray(self.key(key)) { return value }
    return try size(name, gguf: key, default: value, ggufDefault: value)
  }

  /// Returns a soft cap; nil if it is null, and in GGUF files if it is 0.
  ///
  /// - Parameter value: the cap if the files have none.
  func softcap(_ name: String, default value: Double?) throws(CheckpointError) -> Float? {
    let isNull = json?.isNull(name) ?? false
    guard let cap = try number(name, gguf: name) ?? (isNull ? nil : value) else { return nil }
    guard json != nil || cap != 0 else { return nil }
    guard Float(cap) > 0 else { throw refuse("\(self.name([name], gguf: name)) is \(cap); must be positive") }
    return Float(cap)
  }

  // MARK: settings of all families

  /// Returns whether the output head is the token embedding. In GGUF files it is if the file has no output head. A
  /// model of text and images has this setting at the top level of `config.json`, as transformers reads it.
  func tiesEmbeddings(default value: Bool) throws(CheckpointError) -> Bool {
    try whole?.boolean("tie_word_embeddings", default: value) ?? true
  }

  /// Returns the end-of-sequence tokens: those in `generation_config.json`, which transformers uses for generation, or
  /// else the tokens in `config.json`. For a GGUF file: the end-of-sequence, end-of-turn and end-of-message tokens, at
  /// each of which generation stops in llama.cpp.
  func eosTokenIDs(default value: [Int]) throws(CheckpointError) -> [Int] {
    switch source {
    case .json(let file, let generation):
      if let generation { return generation }
      return file.isNull("eos_token_id") ? [] : try file.integers("eos_token_id") ?? value
    case .gguf(let gguf):
      var tokens: [Int] = []
      for name in ["eos", "eot", "eom"] {
        if let token = try gguf.integer("tokenizer.ggml.\(name)_token_id"), !tokens.contains(token) {
          tokens.append(token)
        }
      }
      return tokens
    }
  }

  /// Throws if the files have a feature that no family implements: weights that are quantized in the format of another
  /// library, such as GPTQ or AWQ, mixtures of experts, cross-attention and attention to later positions.
  func refuseUnsupportedFeatures() throws(CheckpointError) {
    switch source {
    case .json(let file, _):
      let name = "quantization_config"
      if let quantization = try (whole?.has(name) == true ? whole : file)?.object(name) {
        let method = try quantization.string("quant_method", default: "unknown method")
        throw refuse("\(name) (\(excerpt(method))) is not implemented; use a quantized GGUF file instead")
      }
      guard try file.boolean("add_cross_attention") != true else {
        throw refuse("add_cross_attention is not implemented")
      }
    case .gguf(let gguf):
      guard try gguf.integer(key("expert_count")) ?? 0 == 0 else {
        throw refuse("a mixture of experts (\(key("expert_count"))) is not implemented")
      }
      guard try gguf.boolean(key("attention.causal"), default: true) else {
        throw refuse("non-causal attention (\(key("attention.causal"))) is not implemented")
      }
    }
  }
}
