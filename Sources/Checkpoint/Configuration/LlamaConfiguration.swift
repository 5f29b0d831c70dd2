import JSON

/// The hyperparameters of a model of the Llama family: Llama, Mistral, Qwen2 or Qwen3.
public struct LlamaConfiguration: Sendable {
  /// The members of the family. Raw values are the `model_type` in `config.json`.
  public enum Variant: String, Sendable {
    case llama, mistral, qwen2, qwen3
  }

  public let variant: Variant
  public let vocabularySize: Int
  /// The maximum number of positions. If some layers use sliding-window attention, this is the size of the window: up
  /// to this length, full attention gives the same result. Sliding windows are not implemented.
  public let contextLength: Int
  public let layers: Int
  public let width: Int
  /// The number of query heads.
  public let heads: Int
  /// The number of key-value heads, each shared by `heads / kvHeads` query heads (grouped-query attention).
  public let kvHeads: Int
  /// The dimension of an attention head. `heads * headDim` can differ from `width`.
  public let headDim: Int
  /// The width of the feed-forward layer.
  public let ffnWidth: Int
  public let normEpsilon: Float
  public let rope: RoPEConfiguration
  /// True if the query, key and value projections have biases.
  public let hasQueryKeyValueBiases: Bool
  /// True if the attention output projection has a bias.
  public let hasAttentionOutputBias: Bool
  /// True if the linear layers of the MLP have biases.
  public let hasFeedForwardBiases: Bool
  /// True if RMSNorm is applied to each head's queries and keys before RoPE.
  public let normalizesQueriesAndKeys: Bool
  /// True if the output head is the token embedding, unless the checkpoint has an output head.
  public let tiesEmbeddings: Bool
  /// The end-of-sequence tokens; may be empty.
  public let eosTokenIDs: [Int]

  /// The tensor in GGUF files with the factors by which RoPE's frequencies are divided.
  static let frequencyFactors = "rope_freqs.weight"

  /// The model's tensors and their shapes, by their names in safetensors without `model.`. All matrices are `[out,
  /// in]`. `lm_head.weight` is optional if the embeddings are tied.
  var tensorShapes: [String: [Int]] {
    var shapes = [
      "embed_tokens.weight": [vocabularySize, width], "norm.weight": [width],
      "lm_head.weight": [vocabularySize, width],
    ]
    if rope.scaling == .frequencyFactors { shapes[Self.frequencyFactors] = [headDim / 2] }
    let (queries, keys) = (heads * headDim, kvHeads * headDim)
    for layer in 0..<layers {
      let linears = [
        ("self_attn.q_proj", width, queries, hasQueryKeyValueBiases),
        ("self_attn.k_proj", width, keys, hasQueryKeyValueBiases),
        ("self_attn.v_proj", width, keys, hasQueryKeyValueBiases),
        ("self_attn.o_proj", queries, width, hasAttentionOutputBias),
        ("mlp.gate_proj", width, ffnWidth, hasFeedForwardBiases),
        ("mlp.up_proj", width, ffnWidth, hasFeedForwardBiases),
        ("mlp.down_proj", ffnWidth, width, hasFeedForwardBiases),
      ]
      for (name, inputs, outputs, hasBias) in linears {
        shapes["layers.\(layer).\(name).weight"] = [outputs, inputs]
        if hasBias { shapes["layers.\(layer).\(name).bias"] = [outputs] }
      }
      shapes["layers.\(layer).input_layernorm.weight"] = [width]
      shapes["layers.\(layer).post_attention_layernorm.weight"] = [width]
      if normalizesQueriesAndKeys {
        shapes["layers.\(layer).self_attn.q_norm.weight"] = [headDim]
        shapes["layers.\(layer).self_attn.k_norm.weight"] = [headDim]
      }
    }
    return shapes
  }

  /// Throws if the numbers of heads are not consistent.
  ///
  /// - Parameters:
  ///   - headsKey: the file's name for the number of query heads, for messages.
  ///   - kvHeadsKey: likewise for key-value heads.
  private func checkHeads(
    _ source: some ConfigurationSource, _ headsKey: String, _ kvHeadsKey: String
  ) throws(CheckpointError) {
    guard heads % kvHeads == 0 else {
      throw source.refuse("\(headsKey) (\(heads)) is not a multiple of \(kvHeadsKey) (\(kvHeads))")
    }
    guard headDim % 2 == 0 else {
      throw source.refuse("the head dimension is \(headDim); RoPE requires an even number")
    }
    _ = try source.size("the total width of the heads", heads * headDim)
  }
}

// MARK: config.json

extension LlamaConfiguration.Variant {
  /// The defaults of transformers 5 for members that are missing in `config.json` (`LlamaConfig`, `MistralConfig`,
  /// `Qwen2Config`, `Qwen3Config`). If `kvHeads` is nil, the default is the number of query heads.
  fileprivate var defaults: (vocabulary: Int, ffnWidth: Int, kvHeads: Int?, context: Int, eosTokenIDs: [Int]) {
    switch self {
    case .llama: (32000, 11008, nil, 2048, [2])
    case .mistral: (32000, 14336, 8, 131072, [2])
    case .qwen2, .qwen3: (151936, 22016, 32, 32768, [])
    }
  }
}

extension LlamaConfiguration {
  /// Reads `config.json`.
  ///
  /// - Parameter eosTokenIDs: the tokens in `generation_config.json`, which take precedence over the tokens in
  ///   `config.json`.
  init(_ file: ConfigurationFile, _ variant: Variant, eosTokenIDs: [Int]?) throws(CheckpointError) {
    let defaults = variant.defaults
    self.variant = variant
    vocabularySize = try file.size("vocab_size", default: defaults.vocabulary)
    layers = try file.size("num_hidden_layers", default: 32, limit: layerLimit)
    width = try file.size("hidden_size", default: 4096)
    ffnWidth = try file.size("intermediate_size", default: defaults.ffnWidth)
    let (headsKey, kvHeadsKey) = ("num_attention_heads", "num_key_value_heads")
    heads = try file.size(headsKey, default: 32)
    let defaultKVHeads = file.isNull(kvHeadsKey) ? nil : defaults.kvHeads
    kvHeads = try file.size(kvHeadsKey, default: defaultKVHeads ?? heads)
    if file.has("head_dim") || variant == .qwen3 {
      headDim = try file.size("head_dim", default: 128)
    } else {
      headDim = try file.headDim(ofWidth: ("hidden_size", width), heads: (headsKey, heads))
    }
    normEpsilon = Float(try file.positive("rms_norm_eps", default: 1e-6))
    let maxPositions = try file.size("max_position_embeddings", default: defaults.context)
    rope = try RoPEConfiguration(file, contextLength: maxPositions)
    let window = try Self.window(file, variant, layers: layers)
    contextLength = min(maxPositions, window ?? maxPositions)
    let hasBiases = try file.boolean("attention_bias", default: false) && variant != .mistral
    hasQueryKeyValueBiases = variant == .qwen2 || hasBiases
    hasAttentionOutputBias = variant != .qwen2 && hasBiases
    hasFeedForwardBiases = try file.boolean("mlp_bias", default: false) && variant == .llama
    normalizesQueriesAndKeys = variant == .qwen3
    tiesEmbeddings = try file.boolean("tie_word_embeddings", default: false)
    self.eosTokenIDs = try file.eosTokenIDs(generation: eosTokenIDs, default: defaults.eosTokenIDs)
    let activation = try file.string("hidden_act", default: "silu")
    guard activation == "silu" || activation == "swish" else {  // the same function
      throw file.refuse("hidden_act \"\(excerpt(activation))\" is not implemented; silu is")
    }
    try file.refuseQuantization()
    try checkHeads(file, headsKey, kvHeadsKey)
  }

  /// Returns the size of the smallest attention window of any layer, or nil if all layers use full attention.
  private static func window(_ file: ConfigurationFile, _ variant: Variant, layers: Int) throws(CheckpointError) -> Int?
  {
    let types = try file.strings("layer_types")
    let sliding = "sliding_attention"
    if let other = types?.first(where: { $0 != sliding && $0 != "full_attention" }) {
      throw file.refuse("layer_types \"\(excerpt(other))\" is not implemented; full_attention and \(sliding) are")
    }
    switch variant {
    case .llama: return nil
    case .mistral:
      guard !file.isNull("sliding_window") else { return nil }
    case .qwen2, .qwen3:
      let isUsed = try file.boolean("use_sliding_window", default: false) && !file.isNull("sliding_window")
      let first = try file.integer("max_window_layers") ?? 28
      guard isUsed, types?.contains(sliding) ?? (first < layers) else { return nil }
    }
    return try file.size("sliding_window", default: 4096)
  }
}

// MARK: GGUF

extension LlamaConfiguration {
  /// Reads the metadata of a GGUF file as llama.cpp does (`llama_model::load_hparams` and `load_tensors`): a layer has
  /// a bias if its tensor is present, and the embeddings are tied if there is no output head.
  init(_ gguf: GGUF, _ variant: Variant) throws(CheckpointError) {
    let prefix = variant.rawValue
    let tensors = try gguf.tensors.get()
    func key(_ name: String) -> String { "\(prefix).\(name)" }
    /// Returns a size that the file gives either once or as an array with one element for each layer.
    func layerSize(_ name: String, default value: Int? = nil) throws(CheckpointError) -> Int {
      try gguf.size(key(name), try gguf.uniformInteger(key(name)) ?? value)
    }
    self.variant = variant
    vocabularySize = try gguf.vocabularySize()
    layers = try gguf.size(key("block_count"), limit: layerLimit)
    width = try gguf.size(key("embedding_length"))
    ffnWidth = try layerSize("feed_forward_length")
    let (headsKey, kvHeadsKey) = ("attention.head_count", "attention.head_count_kv")
    heads = try layerSize(headsKey)
    kvHeads = try layerSize(kvHeadsKey, default: heads)
    let widths = ["attention.key_length", "attention.value_length", "rope.dimension_count"]
    if gguf.has(key(widths[0])) {
      headDim = try gguf.size(key(widths[0]))
    } else {
      headDim = try gguf.headDim(ofWidth: (key("embedding_length"), width), heads: (key(headsKey), heads))
    }
    for name in widths {
      guard let width = try gguf.integer(key(name)), width != headDim else { continue }
      throw gguf.refuse("\(key(name)) \(width) is not implemented; only the head dimension, \(headDim), is")
    }
    normEpsilon = Float(try gguf.positive(key("attention.layer_norm_rms_epsilon")))
    let maxPositions = try gguf.size(key("context_length"))
    let window = try gguf.integer(key("attention.sliding_window")) ?? 0
    contextLength = window == 0 ? maxPositions : min(maxPositions, try gguf.size(key("attention.sliding_window")))
    rope = try RoPEConfiguration(
      gguf, prefix: prefix, pairing: variant == .llama ? .interleaved : .neox,
      hasFrequencyFactors: tensors[Self.frequencyFactors] != nil)
    hasQueryKeyValueBiases = tensors["blk.0.attn_q.bias"] != nil
    hasAttentionOutputBias = tensors["blk.0.attn_output.bias"] != nil
    hasFeedForwardBiases = tensors["blk.0.ffn_up.bias"] != nil
    normalizesQueriesAndKeys = variant == .qwen3
    tiesEmbeddings = true
    eosTokenIDs = try gguf.eosTokenIDs()
    guard try gguf.integer(key("expert_count")) ?? 0 == 0 else {
      throw gguf.refuse("a mixture of experts (\(key("expert_count"))) is not implemented")
    }
    for (name, neutral) in [("attention.scale", 0.0), ("rope.scaling.attn_factor", 1)] {
      guard try gguf.number(key(name)) ?? neutral == neutral else {
        throw gguf.refuse("\(key(name)) is not implemented")
      }
    }
    guard try gguf.boolean(key("attention.causal"), default: true) else {
      throw gguf.refuse("non-causal attention (\(key("attention.causal"))) is not implemented")
    }
    try checkHeads(gguf, key(headsKey), key(kvHeadsKey))
  }
}
