import Checkpoint

/// OLMo 2 (OLMo Team, "2 OLMo 2 Furious", 2024), whose norms follow attention and the MLP, and OLMo 3 (sliding
/// windows). Queries and keys are normalized over all heads. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct OLMo2: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [
      .init("OLMo 2", type: "olmo2", gguf: "olmo2"),
      .init("OLMo 3", type: "olmo3", gguf: "olmo2"),
    ],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 50304, context: 2048, layers: 32, width: 4096, heads: 32, ffn: 11008, tiesEmbeddings: false,
        eosTokenIDs: [50279]))
    try s.readRMSNorm(c, default: 1e-5)
    try s.readGatedActivation(c)
    s.queryKeyNorm = .allHeads
    s.normsFollow = true
    try s.readAttentionBias(c)
    // In GGUF files, OLMo 3 is OLMo 2 with windows.
    let window = try c.modelType == "olmo3" ? c.window(default: 4096) : c.json == nil ? c.window() : nil
    guard c.modelType == "olmo3" || window != nil else {
      try s.readRoPE(c)
      return s
    }
    try s.setWindows(c, window, fullEach: 4)
    // The frequencies of layers with windows are not scaled.
    let spelling = RoPEConfiguration.Spelling(defaultBase: 500_000)
    s.setRoPEs(
      full: try s.rope(c, spelling, layerType: "full_attention"),
      windows: try s.rope(c, spelling, layerType: "sliding_attention", isScaled: false))
    return s
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: RMSNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation

  struct Block {
    let q_k_v_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let norms: QueryKeyNorms<RMSNorm>
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm
    let gate_up_proj: [Linear]  // width to ffn and ffn
    let down_proj: Linear  // ffn to width
    let post_feedforward_layernorm: RMSNorm
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          norms: .allHeads(
            query: try w.rmsNorm("self_attn.q_norm", gguf: "attn_q_norm", width: s.heads * s.headDim),
            key: try w.rmsNorm("self_attn.k_norm", gguf: "attn_k_norm", width: s.kvHeads * s.headDim)),
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: try w.rmsNorm("post_attention_layernorm", gguf: "post_attention_norm"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj"),
          post_feedforward_layernorm: try w.rmsNorm("post_feedforward_layernorm", gguf: "post_ffw_norm")))
    }
    layers = blocks
    norm = try w.rmsNorm("norm", gguf: "output_norm")
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(x, block.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv, block.norms)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, block.post_attention_layernorm, to: x)
    let hidden = pass.gate(activation, pass.linear(x, block.gate_up_proj))  // (m, ffn)
    pass.add(hidden, block.down_proj, block.post_feedforward_layernorm, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
