import JSON

/// What a GPT-2 model is, under the names that `config.json` has for it (transformers, `GPT2Config`).
public struct GPT2Configuration: Sendable {
  public let vocabularySize: Int
  public let contextLength: Int
  public let width: Int
  public let layers: Int
  public let heads: Int
  /// Width of the feed-forward layer.
  public let ffnWidth: Int
  /// Width of one attention head.
  public let headDim: Int
  public let layerNormEpsilon: Float
  public let scalesAttention: Bool
  public let scalesAttentionByLayer: Bool
  public let tiesEmbeddings: Bool
  /// The tokens that end a text: none, one or several.
  public let eosTokenIDs: [Int]
  /// How the matrices of the blocks lie in the files.
  public let layout: MatrixLayout

  /// The two ways in which the matrix of a map from `in` to `out` numbers can lie.
  public enum MatrixLayout: Sendable {
    /// `[in, out]`: transformers' `Conv1D`.
    case inputsByOutputs
    /// `[out, in]`: GGUF, as all of its matrices.
    case outputsByInputs
  }

  /// The tensors of the model and their shapes, under the names they have in safetensors (without `transformer.`).
  /// `lm_head.weight` need not be there where embeddings are tied.
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
      let maps = [
        ("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width), ("mlp.c_fc", width, ffnWidth),
        ("mlp.c_proj", ffnWidth, width),
      ]
      for (name, inputs, outputs) in maps {
        shapes["h.\(layer).\(name).weight"] = layout == .inputsByOutputs ? [inputs, outputs] : [outputs, inputs]
        shapes["h.\(layer).\(name).bias"] = [outputs]
      }
    }
    return shapes
  }
}

extension GPT2Configuration {
  /// - Parameter eosTokenIDs: those that `generation_config.json` names: they come before those of `config.json`.
  init(_ file: ConfigurationFile, eosTokenIDs: [Int]?) throws(CheckpointError) {
    vocabularySize = try file.size("vocab_size", default: 50257)
    contextLength = try file.size("n_positions", default: 1024)
    width = try file.size("n_embd", default: 768)
    layers = try file.size("n_layer", default: 12, limit: layerLimit)
    heads = try file.size("n_head", default: 12)
    ffnWidth = try file.size("n_inner", default: 4 * width)
    headDim = try file.share(of: ("n_embd", width), among: ("n_head", heads))
    layerNormEpsilon = Float(try file.positive("layer_norm_epsilon", default: 1e-5))
    scalesAttention = try file.boolean("scale_attn_weights", default: true)
    scalesAttentionByLayer = try file.boolean("scale_attn_by_inverse_layer_idx", default: false)
    tiesEmbeddings = try file.boolean("tie_word_embeddings", default: true)
    self.eosTokenIDs = try file.eosTokenIDs(before: eosTokenIDs, default: [50256])
    layout = .inputsByOutputs
    let activation = try file.string("activation_function", default: "gelu_new")
    guard activation == "gelu_new" || activation == "gelu_pytorch_tanh" else {  // two names of one function
      throw file.refuse("activation_function \"\(excerpt(activation))\" is not implemented; gelu_new is")
    }
    guard try file.boolean("add_cross_attention") != true else {
      throw file.refuse("add_cross_attention is not implemented")
    }
    try file.refuseQuantization()
  }

  /// As llama.cpp reads and computes it: with scaled attention, gelu_new, and tied embeddings if there is no other head.
  init(_ gguf: GGUF) throws(CheckpointError) {
    vocabularySize = try gguf.vocabularySize()
    contextLength = try gguf.size("gpt2.context_length")
    width = try gguf.size("gpt2.embedding_length")
    layers = try gguf.size("gpt2.block_count", limit: layerLimit)
    let headsKey = "gpt2.attention.head_count"
    heads = try gguf.size(headsKey, try gguf.uniformInteger(headsKey))
    let ffnWidthKey = "gpt2.feed_forward_length"
    ffnWidth = try gguf.size(ffnWidthKey, try gguf.uniformInteger(ffnWidthKey))
    headDim = try gguf.share(of: ("gpt2.embedding_length", width), among: (headsKey, heads))
    layerNormEpsilon = Float(try gguf.positive("gpt2.attention.layer_norm_epsilon"))
    (scalesAttention, scalesAttentionByLayer) = (true, false)
    tiesEmbeddings = true
    eosTokenIDs = try gguf.eosTokenIDs()
    layout = .outputsByInputs
  }
}

extension ConfigurationFile {
  /// The tokens that end a text: those that `generation_config.json` names, for transformers generates by it; else those
  /// that are named here.
  func eosTokenIDs(before: [Int]?, default absent: [Int]) throws(CheckpointError) -> [Int] {
    if let before { return before }
    return isNull("eos_token_id") ? [] : try integers("eos_token_id") ?? absent
  }

  /// Weights that some library packed in a way of its own.
  func refuseQuantization() throws(CheckpointError) {
    guard let quantization = try object("quantization_config") else { return }
    let method = try quantization.string("quant_method", default: "of some kind")
    throw refuse("quantization_config (\(excerpt(method))) is not implemented; GGUF files can be quantized")
  }
}

extension GGUF {
  /// The tokens that its tokenizer has; llama.cpp makes token embeddings for as many.
  func vocabularySize() throws(CheckpointError) -> Int {
    let name = "tokenizer.ggml.tokens"
    if let tokens = try strings(name) { return try size("the length of \(name)", tokens.count) }
    let architecture = try string("general.architecture") ?? ""
    return try size("\(architecture).vocab_size")
  }

  /// The ends of a text, of a turn and of a message: llama.cpp's generation stops at each of them.
  func eosTokenIDs() throws(CheckpointError) -> [Int] {
    var tokens: [Int] = []
    for name in ["eos", "eot", "eom"] {
      if let token = try integer("tokenizer.ggml.\(name)_token_id"), !tokens.contains(token) { tokens.append(token) }
    }
    return tokens
  }
}
