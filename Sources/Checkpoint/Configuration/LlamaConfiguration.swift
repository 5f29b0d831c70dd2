import JSON

/// What a model of the Llama family is: Llama itself, Mistral, Qwen2 or Qwen3.
public struct LlamaConfiguration: Sendable {
  /// Its members, under the names that `config.json` has for them.
  public enum Variant: String, Sendable {
    case llama, mistral, qwen2, qwen3
  }

  public let variant: Variant
  public let vocabularySize: Int
  /// The greatest number of positions that can be computed: where attention reaches back a limited number of positions
  /// in some layers, so many, because up to there the limit makes no difference.
  public let contextLength: Int
  public let layers: Int
  public let width: Int
  /// The heads of the queries.
  public let heads: Int
  /// The heads of keys and values, each shared by `heads / kvHeads` heads of queries.
  public let kvHeads: Int
  /// Width of one attention head; `heads` of them need not be `width`.
  public let headDim: Int
  /// Width of the feed-forward layer.
  public let ffnWidth: Int
  public let normEpsilon: Float
  public let rope: RoPEConfiguration
  /// Whether the maps to queries, keys and values have biases.
  public let hasQueryKeyValueBiases: Bool
  /// Whether the map behind attention has one.
  public let hasAttentionOutputBias: Bool
  public let hasFeedForwardBiases: Bool
  /// Whether each head's queries and keys go through RMSNorm before they are turned.
  public let normalizesQueriesAndKeys: Bool
  public let tiesEmbeddings: Bool
  /// The tokens that end a text: none, one or several.
  public let eosTokenIDs: [Int]

  /// The tensor of a GGUF file that the rotary frequencies are divided by.
  static let frequencyFactors = "rope_freqs.weight"

  /// The tensors of the model and their shapes, under the names they have in safetensors (without `model.`). All
  /// matrices lie `[out, in]`. `lm_head.weight` need not be there where embeddings are tied.
  var tensorShapes: [String: [Int]] {
    var shapes = [
      "embed_tokens.weight": [vocabularySize, width], "norm.weight": [width],
      "lm_head.weight": [vocabularySize, width],
    ]
    if rope.scaling == .frequencyFactors { shapes[Self.frequencyFactors] = [headDim / 2] }
    let (queries, keys) = (heads * headDim, kvHeads * headDim)
    for layer in 0..<layers {
      let maps = [
        ("self_attn.q_proj", width, queries, hasQueryKeyValueBiases),
        ("self_attn.k_proj", width, keys, hasQueryKeyValueBiases),
        ("self_attn.v_proj", width, keys, hasQueryKeyValueBiases),
        ("self_attn.o_proj", queries, width, hasAttentionOutputBias),
        ("mlp.gate_proj", width, ffnWidth, hasFeedForwardBiases),
        ("mlp.up_proj", width, ffnWidth, hasFeedForwardBiases),
        ("mlp.down_proj", ffnWidth, width, hasFeedForwardBiases),
      ]
      for (name, inputs, outputs, hasBias) in maps {
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

  /// What holds of the heads, under the names that the file has for their numbers.
  private func checkHeads(
    _ source: some ConfigurationSource, _ headsKey: String, _ kvHeadsKey: String
  ) throws(CheckpointError) {
    guard heads % kvHeads == 0 else {
      throw source.refuse("\(headsKey) (\(heads)) is not a multiple of \(kvHeadsKey) (\(kvHeads))")
    }
    guard headDim % 2 == 0 else {
      throw source.refuse("the width of a head is \(headDim), and rotary embeddings want it even")
    }
    _ = try source.size("the width of all heads", heads * headDim)
  }
}

// MARK: config.json

extension LlamaConfiguration.Variant {
  /// The sizes that transformers takes where `config.json` names none (`LlamaConfig` and its kin, version 5).
  fileprivate var defaults: (vocabulary: Int, inner: Int, kvHeads: Int?, context: Int, endOfText: [Int]) {
    switch self {
    case .llama: (32000, 11008, nil, 2048, [2])
    case .mistral: (32000, 14336, 8, 131072, [2])
    case .qwen2, .qwen3: (151936, 22016, 32, 32768, [])
    }
  }
}

extension LlamaConfiguration {
  /// - Parameter eosTokenIDs: those that `generation_config.json` names: they come before those of `config.json`.
  init(_ file: ConfigurationFile, _ variant: Variant, eosTokenIDs: [Int]?) throws(CheckpointError) {
    let defaults = variant.defaults
    self.variant = variant
    vocabularySize = try file.size("vocab_size", default: defaults.vocabulary)
    layers = try file.size("num_hidden_layers", default: 32, limit: layerLimit)
    width = try file.size("hidden_size", default: 4096)
    ffnWidth = try file.size("intermediate_size", default: defaults.inner)
    let (headsKey, kvHeadsKey) = ("num_attention_heads", "num_key_value_heads")
    heads = try file.size(headsKey, default: 32)
    let shared = file.isNull(kvHeadsKey) ? nil : defaults.kvHeads
    kvHeads = try file.size(kvHeadsKey, default: shared ?? heads)
    if file.has("head_dim") || variant == .qwen3 {
      headDim = try file.size("head_dim", default: 128)
    } else {
      headDim = try file.share(of: ("hidden_size", width), among: (headsKey, heads))
    }
    normEpsilon = Float(try file.positive("rms_norm_eps", default: 1e-6))
    let trained = try file.size("max_position_embeddings", default: defaults.context)
    rope = try RoPEConfiguration(file, contextLength: trained)
    let window = try Self.window(file, variant, layers: layers)
    contextLength = min(trained, window ?? trained)
    let hasBiases = try file.boolean("attention_bias", default: false) && variant != .mistral
    hasQueryKeyValueBiases = variant == .qwen2 || hasBiases
    hasAttentionOutputBias = variant != .qwen2 && hasBiases
    hasFeedForwardBiases = try file.boolean("mlp_bias", default: false) && variant == .llama
    normalizesQueriesAndKeys = variant == .qwen3
    tiesEmbeddings = try file.boolean("tie_word_embeddings", default: false)
    self.eosTokenIDs = try file.eosTokenIDs(before: eosTokenIDs, default: defaults.endOfText)
    let activation = try file.string("hidden_act", default: "silu")
    guard activation == "silu" || activation == "swish" else {  // two names of one function
      throw file.refuse("hidden_act \"\(excerpt(activation))\" is not implemented; silu is")
    }
    try file.refuseQuantization()
    try checkHeads(file, headsKey, kvHeadsKey)
  }

  /// How many positions the layer that sees the fewest of them sees; nil where all see all.
  private static func window(_ file: ConfigurationFile, _ variant: Variant, layers: Int) throws(CheckpointError) -> Int?
  {
    let types = try file.strings("layer_types")
    let isWindowed = "sliding_attention"
    if let other = types?.first(where: { $0 != isWindowed && $0 != "full_attention" }) {
      throw file.refuse("layer_types \"\(excerpt(other))\" is not implemented; full_attention and \(isWindowed) are")
    }
    switch variant {
    case .llama: return nil
    case .mistral:
      guard !file.isNull("sliding_window") else { return nil }
    case .qwen2, .qwen3:
      let isUsed = try file.boolean("use_sliding_window", default: false) && !file.isNull("sliding_window")
      let first = try file.integer("max_window_layers") ?? 28
      guard isUsed, types?.contains(isWindowed) ?? (first < layers) else { return nil }
    }
    return try file.size("sliding_window", default: 4096)
  }
}

// MARK: GGUF

extension LlamaConfiguration {
  /// As llama.cpp reads it (`llama_model::load_hparams`, and where the tensors of the architectures are made): biases
  /// are where their tensors are, and embeddings are tied if there is no other head.
  init(_ gguf: GGUF, _ variant: Variant) throws(CheckpointError) {
    let prefix = variant.rawValue
    let tensors = try gguf.tensors.get()
    func key(_ name: String) -> String { "\(prefix).\(name)" }
    /// What may be given for each layer, or once for all.
    func layerSize(_ name: String, default absent: Int? = nil) throws(CheckpointError) -> Int {
      try gguf.size(key(name), try gguf.uniformInteger(key(name)) ?? absent)
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
      headDim = try gguf.share(of: (key("embedding_length"), width), among: (key(headsKey), heads))
    }
    for name in widths {
      guard let width = try gguf.integer(key(name)), width != headDim else { continue }
      throw gguf.refuse("\(key(name)) \(width) is not implemented where a head is \(headDim) wide")
    }
    normEpsilon = Float(try gguf.positive(key("attention.layer_norm_rms_epsilon")))
    let trained = try gguf.size(key("context_length"))
    let window = try gguf.integer(key("attention.sliding_window")) ?? 0
    contextLength = window == 0 ? trained : min(trained, try gguf.size(key("attention.sliding_window")))
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
    for (name, usual) in [("attention.scale", 0.0), ("rope.scaling.attn_factor", 1)] {
      guard try gguf.number(key(name)) ?? usual == usual else { throw gguf.refuse("\(key(name)) is not implemented") }
    }
    guard try gguf.boolean(key("attention.causal"), default: true) else {
      throw gguf.refuse("attention to later positions (\(key("attention.causal"))) is not implemented")
    }
    try checkHeads(gguf, key(headsKey), key(kvHeadsKey))
  }
}
