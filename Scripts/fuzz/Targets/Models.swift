import Checkpoint
import LanguageModel
import Platform

extension FuzzTarget {
  /// A model of any family with changed hyperparameters, and with weights that may not be finite: the logits of all
  /// positions are the same when they are computed in one batch, in two, and one position at a time.
  ///
  /// The input: the number of the configuration, flags (see `Variant`), the number of tokens, the position at which the
  /// sequence is divided (half of it is the position of token 0), the number of special weights and then three bytes
  /// for each of them (tensor, element, value). Then changes of the configuration, in pairs of bytes: the name, the
  /// value.
  static let models = FuzzTarget("models", longestInput: 60) { [models = SmallModels()] input in
    guard input.count >= 5 else { return }
    let special = min(Int(input[4] % 4), (input.count - 5) / 3)
    let changes = UnsafeBufferPointer(rebasing: input[(5 + 3 * special)...])
    let number = Int(input[0]) % modelConfigurations.count
    models.write(
      number, changes: stride(from: 0, to: changes.count - 1, by: 2).map { (changes[$0], changes[$0 + 1]) })
    let weights: [SpecialWeight] = stride(from: 5, to: 5 + 3 * special, by: 3).map { index in
      SpecialWeight(tensor: Int(input[index]), element: Int(input[index + 1]), value: Int(input[index + 2]))
    }
    guard let model = try models.model(number, Variant(rawValue: input[1]), weights) else { return }

    let shape = model.shape
    // Lengths up to a tile of attention and its window are the most interesting. Some sequences have two pages.
    let length = input[2] < 200 ? 1 + Int(input[2]) % 20 : 60 + Int(input[2]) % 20
    // If the frequencies depend on the length, all positions are computed again for each position.
    let longest = shape.ropes.contains(where: \.isLengthDependent) ? 12 : length
    let count = min(length, longest, shape.contextLength)
    // Token 0 occurs once, so that special weights in its embedding change one position.
    let others = max(1, shape.vocabularySize - 1)
    let ids = (0..<count).map { position in
      position == Int(input[3]) / 2 % count ? 0 : (1 + position * position % others) % shape.vocabularySize
    }
    let together = try logits(model, ids, model.makeSinglePassCache(), lengths: [count])
    try compare(logits(model, ids, model.makeCache(), lengths: Array(repeating: 1, count: count)), together, "alone")
    let first = Int(input[3]) % count
    guard first > 0 else { return }
    try compare(logits(model, ids, model.makeCache(), lengths: [first, count - first]), together, "in two parts")
  }
}

/// Settings of the weights of a model.
private struct Variant: OptionSet {
  let rawValue: UInt8
  /// The files have an output head, even if it is tied to the token embedding.
  static let hasHead = Variant(rawValue: 1)
  /// Matrices are float16 or bfloat16 instead of float32.
  static let isFloat16 = Variant(rawValue: 4)
  static let isBFloat16 = Variant(rawValue: 8)

  var matrixType: String { contains(.isFloat16) ? "F16" : contains(.isBFloat16) ? "BF16" : "F32" }
}

/// A weight that is changed to an extreme number: the numbers of the tensor, the element and the value. From 128 on,
/// the tensor is the token embedding.
private struct SpecialWeight {
  let tensor: Int
  let element: Int
  let value: Int
}

/// Returns the logits of all positions as bits. The sequence is computed in parts of the given lengths.
func logits(
  _ model: Transformer, _ ids: [Int], _ cache: KeyValueCache, lengths: [Int]
) throws -> [[UInt32]] {
  var result: [[UInt32]] = []
  for length in lengths {
    let positions = result.count..<result.count + length
    try model.forward(Array(ids[positions]), cache, logitsAt: positions) { position, logits in
      try expect(position == result.count, "the logits of position \(position) instead of \(result.count)")
      result.append(logits.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern })
    }
  }
  return result
}

/// Throws a `Finding` if the logits of another route differ.
func compare(_ logits: [[UInt32]], _ other: [[UInt32]], _ route: String) throws {
  try expect(logits.count == other.count, "\(logits.count) positions instead of \(other.count)")
  for (position, (a, b)) in zip(logits, other).enumerated() {
    guard let index = a.indices.first(where: { a[$0] != b[$0] }) else { continue }
    throw Finding(
      description: "position \(position) computed \(route) has the logit \(Float(bitPattern: a[index])) of token "
        + "\(index) instead of \(Float(bitPattern: b[index]))")
  }
}

/// The files of models with the configurations of `modelConfigurations`.
private final class SmallModels: @unchecked Sendable {  // used by one thread at a time
  private let folder = ScratchFolder()
  /// The tensors that a configuration needed in the last run, by name. The error messages of the loader give the names
  /// and shapes of others.
  private var shapes: [[String: [Int]]] = Array(repeating: [:], count: modelConfigurations.count)

  /// Writes config.json with changed members.
  func write(_ number: Int, changes: [(name: UInt8, value: UInt8)]) {
    var members: [String] = []
    var scaling: [String] = []
    for change in changes {
      let name = memberNames[Int(change.name) % memberNames.count]
      let member = "\"\(name.drop { $0 == "/" })\":\(memberValue(change.value))"
      if name.hasPrefix("/") { scaling.append(member) } else { members.append(member) }
    }
    if !scaling.isEmpty { members.append("\"rope_scaling\":{\(scaling.joined(separator: ","))}") }
    // The last of several members of the same name is used.
    folder.write("config.json", ([modelConfigurations[number].dropLastBrace] + members).joined(separator: ",") + "}")
  }

  /// Returns the model, or nil if its configuration is rejected or describes a large model.
  func model(
    _ number: Int, _ variant: Variant, _ special: [SpecialWeight]
  ) throws -> Transformer? {
    let files: ModelFiles
    let shape: ModelShape
    do {
      files = try ModelFiles(ModelLocation(folder: Path(folder.path)))
      shape = try ModelDefinition(files).shape
    } catch { return nil }
    guard shape.layers <= 12, shape.width <= 128, shape.heads * shape.headDim <= 256, shape.ffnWidth <= 512,
      shape.vocabularySize <= 64, shape.contextLength <= 1 << 10 || shape.tensorsAreSmall
    else { return nil }
    var tensors = shapes[number].filter { !$0.key.isOptional }
    if variant.contains(.hasHead) { tensors["lm_head.weight"] = [shape.vocabularySize, shape.width] }
    for _ in 0..<2000 {
      folder.write("model.safetensors", file(tensors, variant, special))
      do {
        let model = try Transformer(files, threads: 1)
        shapes[number] = tensors
        return model
      } catch {
        guard let change = LoaderMessage("\(error)") else {
          throw Finding(description: "the weights are rejected: \(error)")
        }
        // The other layers have the same tensors.
        let names = (0..<shape.layers).map { change.name.replacingFirstNumber(by: $0) }
        for name in change.shape == nil ? [change.name] : [change.name] + names { tensors[name] = change.shape }
      }
    }
    throw Finding(description: "too many tensors: \(tensors.count)")
  }

  /// Returns a safetensors file. Weights are from -1/2 to 1/2, but for the special ones.
  private func file(
    _ tensors: [String: [Int]], _ variant: Variant, _ special: [SpecialWeight]
  ) -> [UInt8] {
    var (entries, data): ([String], [UInt8]) = ([], [])
    for (number, (name, shape)) in tensors.sorted(by: { $0.key < $1.key }).enumerated() {
      let count = shape.reduce(1, *)
      var numbers = (0..<count).map { (index: Int) in Float((index + 13 * number) * 37 % 101) / 101 - 0.5 }
      for weight in special where weight.tensor >= 128 ? name.isEmbedding : weight.tensor % tensors.count == number {
        // For the embedding, an element of the row of token 0.
        let index = weight.tensor >= 128 ? weight.element % (shape.last ?? 1) : weight.element * 7 % count
        numbers[index] = specialNumbers[weight.value % specialNumbers.count]
      }
      let type = shape.count == 1 ? "F32" : variant.matrixType
      let start = data.count
      switch type {
      case "F16": data += bytes(numbers.map { Float16($0) })
      case "BF16": data += bytes(numbers.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) })
      default: data += bytes(numbers)
      }
      entries.append(
        #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(start),\#(data.count)]}"#)
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    return bytes([UInt64(header.count)]) + header + data
  }

  private func bytes(_ numbers: [some BitwiseCopyable]) -> [UInt8] { numbers.withUnsafeBytes { Array($0) } }

  private let specialNumbers: [Float] = [
    .nan, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, -0.0,
    .leastNonzeroMagnitude, 1e20, -1e20, 1e-20, 100,
  ]
}

extension ModelShape {
  /// True if no tensor has a row for each position: the context can then be long.
  fileprivate var tensorsAreSmall: Bool { !["gpt2", "gpt_neo", "opt"].contains(modelType) }
}

extension String {
  /// True for tensors that a model can have or not.
  fileprivate var isOptional: Bool {
    self == "lm_head.weight" || self == "embed_out.weight" || contains(".ln_attn.") || contains(".ln_mlp.")
  }

  /// True for the token embedding.
  fileprivate var isEmbedding: Bool {
    ["embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight"].contains(self)
  }

  /// The name of the same tensor in another layer.
  fileprivate func replacingFirstNumber(by layer: Int) -> String {
    var parts = split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    if let index = parts.firstIndex(where: { Int($0) != nil }) { parts[index] = "\(layer)" }
    return parts.joined(separator: ".")
  }

  /// The text of an object without the brace at its end.
  fileprivate var dropLastBrace: String { String(self[..<(lastIndex(of: "}") ?? endIndex)]) }
}

/// The tensor that an error message of the weight loader names.
private struct LoaderMessage {
  let name: String
  /// The shape that the loader requires; [1] if the message does not give it; nil if the model has no such tensor.
  let shape: [Int]?

  /// Nil if the message has no name of a tensor that is missing, has the wrong shape or is unexpected.
  init?(_ message: String) {
    let parts = message.split(separator: "\"", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    name = String(parts[1])
    if parts[0].hasSuffix("missing tensor ") {
      shape = [1]
      return
    }
    if parts[0].hasSuffix("unexpected tensor ") {
      shape = nil
      return
    }
    guard parts[2].hasPrefix(" has shape "), let list = parts[2].split(separator: "[").last else { return nil }
    shape = list.dropLast().split(separator: ",").compactMap { Int($0.drop { $0 == " " }) }
  }
}

/// The names of members; those that start with a slash are in `rope_scaling`.
private let memberNames: [String] = [
  "attention_bias", "mlp_bias", "use_bias", "bias", "use_qkv_bias", "enable_bias", "qk_layernorm", "use_qk_norm",
  "hidden_size", "n_embd", "num_attention_heads", "n_head", "num_heads", "num_key_value_heads", "num_kv_heads",
  "head_dim", "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "num_hidden_layers", "n_layer",
  "num_layers", "vocab_size", "max_position_embeddings", "n_positions", "seq_length",
  "original_max_position_embeddings", "sliding_window", "window_size", "use_sliding_window", "max_window_layers",
  "sliding_window_pattern", "layer_types", "attention_types", "no_rope_layers", "no_rope_layer_interval",
  "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "attn_logit_softcapping",
  "final_logit_softcapping", "query_pre_attn_scalar", "embedding_multiplier", "residual_multiplier",
  "attention_multiplier", "logits_scaling", "logit_scale", "clip_qkv", "rope_theta", "rope_local_base_freq",
  "rotary_emb_base", "rotary_pct", "partial_rotary_factor", "rotary_dim", "hidden_act", "hidden_activation",
  "activation_function", "activation", "tie_word_embeddings", "parallel_attn", "multi_query",
  "new_decoder_architecture", "use_parallel_residual", "apply_residual_connection_post_layernorm",
  "do_layer_norm_before", "layer_norm_elementwise_affine", "_remove_final_layer_norm", "scale_attn_weights",
  "scale_attn_by_inverse_layer_idx", "model_type", "/rope_type", "/factor", "/low_freq_factor", "/high_freq_factor",
  "/beta_fast", "/beta_slow", "/truncate", "/attention_factor", "/mscale", "/mscale_all_dim", "/short_factor",
  "/long_factor", "/original_max_position_embeddings", "/rope_theta", "/partial_rotary_factor",
  "num_ln_in_parallel_attn",
]

/// Returns the text of a value: a small integer, or one of a list.
private func memberValue(_ number: UInt8) -> String {
  number < 100 ? "\(number)" : otherValues[Int(number - 100) % otherValues.count]
}

private let otherValues: [String] =
  [
    "true", "false", "null", "-1", "0.5", "0.1", "0.25", "1.5", "-0.5", "1e-3", "1e-6", "1e-20", "1e-38", "1e-45",
    "1e20",
    "1e30", "3e38", "1e39", "50", "1048576", "1048577", "4611686018427387904", #""silu""#, #""gelu""#, #""gelu_new""#,
    #""gelu_10""#, #""relu""#, #""relu2""#, #""relu6""#, #""leaky_relu""#, #""hardswish""#, #""sigmoid""#, #""tanh""#,
    #""mish""#, #""laplace""#, #""linear""#, #""quick_gelu""#, #""default""#, #""dynamic""#, #""llama3""#, #""yarn""#,
    #""longrope""#, "[]", "[1]", "[1,2]", "[1,2,4,8]", "[0.1,1e30,1,1]", "[0,1,0,1,1,0,1,1]", "[1,1,0]",
    #"["full_attention","sliding_attention","full_attention","sliding_attention"]"#,
    #"["sliding_attention","sliding_attention","sliding_attention","full_attention"]"#, #"[[["global"],2]]"#,
    #"[[["global","local"],2]]"#, #"[[["local"],1],[["local","global"],1],[[],9]]"#,
  ] + modelTypes.map { "\"\($0)\"" }

private let modelTypes = [
  "gpt2", "opt", "gpt_neo", "gpt_neox", "gptj", "bloom", "falcon", "phi", "starcoder2", "llama", "mistral", "qwen2",
  "qwen3", "granite", "smollm3", "phi3", "gemma", "gemma2", "gemma3_text", "olmo", "olmo2", "olmo3", "stablelm",
  "cohere", "cohere2",
]
