import Checkpoint

/// Command R (Cohere, 2024), whose attention and MLP have the same input, and Command R7B (Cohere 2: sliding windows,
/// and no RoPE in the other layers). Norms have no bias. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Cohere: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [
      .init("Command R", type: "cohere", gguf: "command-r"),
      .init("Command R7B", type: "cohere2", gguf: "cohere2"),
    ],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(vocabulary: 256_000, context: 8192, layers: 40, width: 8192, heads: 64, ffn: 22528, eosTokenIDs: [255_001]))
    try s.readLayerNorm(c)
    try s.readGatedActivation(c)
    try s.readRoPE(
      c, .init(defaultBase: c.modelType == "cohere" ? 500_000 : 10_000, pairing: .interleaved),
      ggufPairing: .interleaved)
    s.hasParallelResidual = true
    s.logitScale = try c.factor("logit_scale", gguf: "logit_scale", default: 0.0625)
    try s.readAttentionBias(c)
    guard c.modelType == "cohere2" else {
      if try c.has("use_qk_norm", default: false, tensor: "attn_q_norm.weight") { s.queryKeyNorm = .perHead }
      return s
    }
    try s.setWindows(c, c.window(default: 4096), fullEach: c.slidingWindowPeriod(default: 4))
    for layer in 0..<s.layers where s.attention[layer].window == nil { s.attention[layer].rope = nil }
    return s
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation

  struct Block {
    let input_layernorm: LayerNorm
    let q_k_v_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let norms: QueryKeyNorms<LayerNorm>?
    let o_proj: Linear  // heads · headDim to width
    let gate_up_proj: [Linear]  // width to ffn and ffn
    let down_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm", hasBias: false),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          norms: s.queryKeyNorm == .perHead ? try w.queryKeyLayerNorms("norm", isSplit: false) : nil,
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj")))
    }
    layers = blocks
    norm = try w.layerNorm("norm", gguf: "output_norm", hasBias: false)
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let normed = pass.norm(x, block.input_layernorm)  // (n, width)
    let qkv = pass.linear(normed, block.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv, block.norms)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    let hidden = pass.gate(activation, pass.linear(pass.kept(normed), block.gate_up_proj))  // (m, ffn)
    pass.add(heads, block.o_proj, to: x)
    pass.add(hidden, block.down_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
