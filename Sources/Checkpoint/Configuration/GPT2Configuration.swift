import JSON

/// What a GPT-2 model is, under the names that `config.json` has for it (transformers, `GPT2Config`).
public struct GPT2Configuration: Sendable {
  public let vocabularySize: Int
  public let n_positions: Int
  public let n_embd: Int
  public let n_layer: Int
  public let n_head: Int
  /// Width of the feed-forward layer.
  public let n_inner: Int
  /// Width of one attention head.
  public let headWidth: Int
  public let layerNormEpsilon: Float
  public let scalesAttention: Bool
  public let scalesAttentionByLayer: Bool
  public let tiesEmbeddings: Bool
  /// The tokens that end a text: none, one or several.
  public let endOfTextTokens: [Int]
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
      "wte.weight": [vocabularySize, n_embd], "wpe.weight": [n_positions, n_embd],
      "ln_f.weight": [n_embd], "ln_f.bias": [n_embd], "lm_head.weight": [vocabularySize, n_embd],
    ]
    for layer in 0..<n_layer {
      for norm in ["ln_1", "ln_2"] {
        shapes["h.\(layer).\(norm).weight"] = [n_embd]
        shapes["h.\(layer).\(norm).bias"] = [n_embd]
      }
      let maps = [
        ("attn.c_attn", n_embd, 3 * n_embd), ("attn.c_proj", n_embd, n_embd), ("mlp.c_fc", n_embd, n_inner),
        ("mlp.c_proj", n_inner, n_embd),
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
  /// - Parameter endOfTextTokens: those that `generation_config.json` names: they come before those of `config.json`.
  init(_ file: ConfigurationFile, endOfTextTokens: [Int]?) throws(CheckpointError) {
    vocabularySize = try file.size("vocab_size", default: 50257)
    n_positions = try file.size("n_positions", default: 1024)
    n_embd = try file.size("n_embd", default: 768)
    n_layer = try file.size("n_layer", default: 12, limit: layerLimit)
    n_head = try file.size("n_head", default: 12)
    n_inner = try file.size("n_inner", default: 4 * n_embd)
    headWidth = try file.share(of: ("n_embd", n_embd), among: ("n_head", n_head))
    layerNormEpsilon = Float(try file.positive("layer_norm_epsilon", default: 1e-5))
    scalesAttention = try file.boolean("scale_attn_weights", default: true)
    scalesAttentionByLayer = try file.boolean("scale_attn_by_inverse_layer_idx", default: false)
    tiesEmbeddings = try file.boolean("tie_word_embeddings", default: true)
    self.endOfTextTokens = try file.endOfTextTokens(before: endOfTextTokens, default: [50256])
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
    n_positions = try gguf.size("gpt2.context_length")
    n_embd = try gguf.size("gpt2.embedding_length")
    n_layer = try gguf.size("gpt2.block_count", limit: layerLimit)
    let heads = "gpt2.attention.head_count"
    n_head = try gguf.size(heads, try gguf.uniformInteger(heads))
    let inner = "gpt2.feed_forward_length"
    n_inner = try gguf.size(inner, try gguf.uniformInteger(inner))
    headWidth = try gguf.share(of: ("gpt2.embedding_length", n_embd), among: (heads, n_head))
    layerNormEpsilon = Float(try gguf.positive("gpt2.attention.layer_norm_epsilon"))
    (scalesAttention, scalesAttentionByLayer) = (true, false)
    tiesEmbeddings = true
    endOfTextTokens = try gguf.endOfTextTokens()
    layout = .outputsByInputs
  }
}

extension ConfigurationFile {
  /// The tokens that end a text: those that `generation_config.json` names, for transformers generates by it; else those
  /// that are named here.
  func endOfTextTokens(before: [Int]?, default absent: [Int]) throws(CheckpointError) -> [Int] {
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
  func endOfTextTokens() throws(CheckpointError) -> [Int] {
    var tokens: [Int] = []
    for name in ["eos", "eot", "eom"] {
      if let token = try integer("tokenizer.ggml.\(name)_token_id"), !tokens.contains(token) { tokens.append(token) }
    }
    return tokens
  }
}
