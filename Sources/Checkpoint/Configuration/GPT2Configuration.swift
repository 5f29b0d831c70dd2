import JSON

/// The hyperparameters of a GPT-2 model (transformers, `GPT2Config`).
public struct GPT2Configuration: Sendable {
  public let vocabularySize: Int
  /// The maximum number of positions: the number of learned position embeddings.
  public let contextLength: Int
  public let width: Int
  public let layers: Int
  public let heads: Int
  /// The width of the feed-forward layer.
  public let ffnWidth: Int
  /// The dimension of an attention head.
  public let headDim: Int
  public let layerNormEpsilon: Float
  /// True if query-key dot products are divided by the square root of `headDim`.
  public let scalesAttention: Bool
  /// True if query-key dot products are also divided by the layer's number, counted from 1.
  public let scalesAttentionByLayer: Bool
  /// True if the output head is the token embedding, unless the checkpoint has an output head.
  public let tiesEmbeddings: Bool
  /// The end-of-sequence tokens; may be empty.
  public let eosTokenIDs: [Int]
  /// The layout of the blocks' matrices in the files.
  public let layout: MatrixLayout

  /// The layout of the weight matrix of a linear layer.
  public enum MatrixLayout: Sendable {
    /// `[in, out]`: `Conv1D` in transformers.
    case inputsByOutputs
    /// `[out, in]`: `Linear` in torch, and all matrices in GGUF.
    case outputsByInputs
  }

  /// The model's tensors and their shapes, by their names in safetensors without `transformer.`. `lm_head.weight` is
  /// optional if the embeddings are tied.
  var tensorShapes: [String: [Int]] {
    var shapes = [
      "wte.weight": [vocabularySize, width], "wpe.weight": [contextLength, width],
      "ln_f.weight": [width], "ln_f.bias": [width], "lm_head.weight": [vocabularySize, width],
    ]
    for layer in 0..<layers {
      for norm in ["ln_1", "ln_2"] {
        shapes["h.\(layer).\(norm).weight"] = [width]
        shapes["h.\(layer).\(norm).bias"] = [width]
      }
      let linears = [
        ("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width), ("mlp.c_fc", width, ffnWidth),
        ("mlp.c_proj", ffnWidth, width),
      ]
      for (name, inputs, outputs) in linears {
        shapes["h.\(layer).\(name).weight"] = layout == .inputsByOutputs ? [inputs, outputs] : [outputs, inputs]
        shapes["h.\(layer).\(name).bias"] = [outputs]
      }
    }
    return shapes
  }
}

extension GPT2Configuration {
  /// Reads `config.json`. Missing members have the defaults of `GPT2Config`.
  ///
  /// - Parameter eosTokenIDs: the tokens in `generation_config.json`, which take precedence over the tokens in
  ///   `config.json`.
  init(_ file: ConfigurationFile, eosTokenIDs: [Int]?) throws(CheckpointError) {
    vocabularySize = try file.size("vocab_size", default: 50257)
    contextLength = try file.size("n_positions", default: 1024)
    width = try file.size("n_embd", default: 768)
    layers = try file.size("n_layer", default: 12, limit: layerLimit)
    heads = try file.size("n_head", default: 12)
    ffnWidth = try file.size("n_inner", default: 4 * width)
    headDim = try file.headDim(ofWidth: ("n_embd", width), heads: ("n_head", heads))
    layerNormEpsilon = Float(try file.positive("layer_norm_epsilon", default: 1e-5))
    scalesAttention = try file.boolean("scale_attn_weights", default: true)
    scalesAttentionByLayer = try file.boolean("scale_attn_by_inverse_layer_idx", default: false)
    tiesEmbeddings = try file.boolean("tie_word_embeddings", default: true)
    self.eosTokenIDs = try file.eosTokenIDs(generation: eosTokenIDs, default: [50256])
    layout = .inputsByOutputs
    let activation = try file.string("activation_function", default: "gelu_new")
    guard activation == "gelu_new" || activation == "gelu_pytorch_tanh" else {  // the same function
      throw file.refuse("activation_function \"\(excerpt(activation))\" is not implemented; gelu_new is")
    }
    guard try file.boolean("add_cross_attention") != true else {
      throw file.refuse("add_cross_attention is not implemented")
    }
    try file.refuseQuantization()
  }

  /// Reads the metadata of a GGUF file as llama.cpp does: attention is scaled, the activation is gelu_new, and the
  /// embeddings are tied if there is no output head.
  init(_ gguf: GGUF) throws(CheckpointError) {
    vocabularySize = try gguf.vocabularySize()
    contextLength = try gguf.size("gpt2.context_length")
    width = try gguf.size("gpt2.embedding_length")
    layers = try gguf.size("gpt2.block_count", limit: layerLimit)
    let headsKey = "gpt2.attention.head_count"
    heads = try gguf.size(headsKey, try gguf.uniformInteger(headsKey))
    let ffnWidthKey = "gpt2.feed_forward_length"
    ffnWidth = try gguf.size(ffnWidthKey, try gguf.uniformInteger(ffnWidthKey))
    headDim = try gguf.headDim(ofWidth: ("gpt2.embedding_length", width), heads: (headsKey, heads))
    layerNormEpsilon = Float(try gguf.positive("gpt2.attention.layer_norm_epsilon"))
    (scalesAttention, scalesAttentionByLayer) = (true, false)
    tiesEmbeddings = true
    eosTokenIDs = try gguf.eosTokenIDs()
    layout = .outputsByInputs
  }
}

extension ConfigurationFile {
  /// Returns the end-of-sequence tokens: those in `generation_config.json`, which transformers uses for generation, or
  /// else the tokens in this file.
  func eosTokenIDs(generation: [Int]?, default value: [Int]) throws(CheckpointError) -> [Int] {
    if let generation { return generation }
    return isNull("eos_token_id") ? [] : try integers("eos_token_id") ?? value
  }

  /// Throws if the weights are quantized in the format of another library, such as GPTQ or AWQ.
  func refuseQuantization() throws(CheckpointError) {
    guard let quantization = try object("quantization_config") else { return }
    let method = try quantization.string("quant_method", default: "unknown method")
    throw refuse("quantization_config (\(excerpt(method))) is not implemented; use a quantized GGUF file instead")
  }
}

extension GGUF {
  /// Returns the vocabulary size: the number of the tokenizer's tokens, as in llama.cpp, or the size in the metadata if
  /// the file has no tokenizer.
  func vocabularySize() throws(CheckpointError) -> Int {
    let name = "tokenizer.ggml.tokens"
    if let tokens = try strings(name) { return try size("the length of \(name)", tokens.count) }
    let architecture = try string("general.architecture") ?? ""
    return try size("\(architecture).vocab_size")
  }

  /// Returns the end-of-sequence, end-of-turn and end-of-message tokens. Generation in llama.cpp stops at each of
  /// them.
  func eosTokenIDs() throws(CheckpointError) -> [Int] {
    var tokens: [Int] = []
    for name in ["eos", "eot", "eom"] {
      if let token = try integer("tokenizer.ggml.\(name)_token_id"), !tokens.contains(token) { tokens.append(token) }
    }
    return tokens
  }
}
