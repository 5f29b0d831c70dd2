import Checkpoint

/// Llama (Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023), and architectures that differ
/// in details: Mistral (sliding windows), Qwen2 (biases) and Qwen3 (norms of queries and keys). Properties are named
/// after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Llama: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [
      .init("Llama", type: "llama", gguf: "llama"),
      .init("Mistral", type: "mistral", gguf: "llama"),
      .init("Qwen2, Qwen2.5", type: "qwen2", gguf: "qwen2"),
      .init("Qwen3", type: "qwen3", gguf: "qwen3"),
    ],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    let (isLlama, isMistral) = (c.modelType == "llama", c.modelType == "mistral")
    let (isQwen2, isQwen3) = (c.modelType == "qwen2", c.modelType == "qwen3")
    let isQwen = isQwen2 || isQwen3
    // The defaults of LlamaConfig, MistralConfig, Qwen2Config and Qwen3Config in transformers 5.
    var s = try ModelShape(
      c,
      .init(
        vocabulary: isQwen ? 151936 : 32000, context: isQwen ? 32768 : isMistral ? 131072 : 2048, layers: 32,
        width: 4096, heads: 32, kvHeads: isQwen ? 32 : isMistral ? 8 : nil, headDim: isQwen3 ? 128 : nil,
        ffn: isQwen ? 22016 : isMistral ? 14336 : 11008, tiesEmbeddings: false, eosTokenIDs: isQwen ? [] : [2]))
    try s.readRMSNorm(c)
    try s.readGatedActivation(c)
    // llama.cpp's converter reorders the rows of Llama's query and key weights.
    try s.readRoPE(c, ggufPairing: isLlama ? .interleaved : .neox)
    s.queryKeyNorm = isQwen3 ? .perHead : .none
    if try hasQueryKeyValueBiases(c) { s.biases.insert(.queryKeyValue) }
    if !isMistral, !isQwen2, try c.has("attention_bias", default: false, tensor: "attn_output.bias") {
      s.biases.insert(.attentionOutput)
    }
    if isLlama { try s.readFeedForwardBias(c) }
    try setWindows(c, &s)
    return s
  }

  /// Qwen2 has these biases without a setting, and Mistral never has them.
  private static func hasQueryKeyValueBiases(_ c: ConfigurationReader) throws(CheckpointError) -> Bool {
    if c.json != nil, c.modelType == "qwen2" { return true }
    guard c.modelType != "mistral" else { return false }
    return try c.has("attention_bias", default: false, tensor: "attn_q.bias")
  }

  /// All layers of Mistral have a window unless it is null, even if `layer_types` says otherwise; Qwen has windows from
  /// the layer `max_window_layers` on if `use_sliding_window` is true.
  private static func setWindows(_ c: ConfigurationReader, _ s: inout ModelShape) throws(CheckpointError) {
    guard let file = c.json else { return try s.setWindows(c, c.window()) }
    guard c.modelType != "mistral" else {
      let window = try c.window(default: 4096)
      for layer in 0..<s.layers { s.attention[layer].window = window }
      return
    }
    let hasWindows = try file.boolean("use_sliding_window", default: false)
    try s.setWindows(
      c, c.modelType != "llama" && hasWindows ? c.window(default: 4096) : nil,
      from: file.integer("max_window_layers") ?? 28)
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: RMSNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation
  private let embeddingScale: Float

  struct Block {
    let input_layernorm: RMSNorm
    let q_k_v_proj: [Linear]  // width to heads · headDim, kvHeads · headDim and kvHeads · headDim
    let norms: QueryKeyNorms<RMSNorm>?
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm
    let gate_up_proj: [Linear]  // width to ffn and ffn
    let down_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, embeddingScale) = (s.activation, s.embeddingScale)
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          input_layernorm: try w.rmsNorm("input_layernorm", gguf: "attn_norm"),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          norms: s.queryKeyNorm == .perHead ? try w.queryKeyNorms() : nil,
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: try w.rmsNorm("post_attention_layernorm", gguf: "ffn_norm"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj")))
    }
    layers = blocks
    norm = try w.rmsNorm("norm", gguf: "output_norm")
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id], times the embedding multiplier if the model has one
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x, scale: embeddingScale) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let h = layers[layer]
    let qkv = pass.linear(pass.norm(x, h.input_layernorm), h.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv, h.norms)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, h.o_proj, to: x)
    let gatesAndUps = pass.linear(pass.norm(x, h.post_attention_layernorm), h.gate_up_proj)  // (m, 2 · ffn)
    pass.add(pass.gate(activation, gatesAndUps), h.down_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
