import Checkpoint

/// StarCoder2 (Lozhkov et al., "StarCoder 2 and The Stack v2: The Next Generation", 2024). Properties are named after
/// the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct StarCoder2: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("StarCoder2", type: "starcoder2", gguf: "starcoder2")],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 49152, context: 4096, layers: 30, width: 3072, heads: 24, kvHeads: 2, ffn: 12288,
        eosTokenIDs: [50256]))
    try s.readLayerNorm(c, "norm_epsilon")
    s.activation = try c.activation("hidden_act", default: "gelu_pytorch_tanh", gguf: .geluTanh)
    try s.readRoPE(c)
    if try c.has("use_bias", default: true, tensor: "attn_q.bias") {
      s.biases = [.queryKeyValue, .attentionOutput, .feedForward]
    }
    try s.setWindows(c, c.window())
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
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: LayerNorm
    let c_fc: Linear  // width to ffn
    let c_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm"),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: try w.layerNorm("post_attention_layernorm", gguf: "ffn_norm"),
          c_fc: try w.up("mlp.c_fc"),
          c_proj: try w.down("mlp.c_proj")))
    }
    layers = blocks
    norm = try w.layerNorm("norm", gguf: "output_norm")
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(pass.norm(x, block.input_layernorm), block.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, to: x)
    let hidden = pass.linear(pass.norm(x, block.post_attention_layernorm), block.c_fc, activation)  // (m, ffn)
    pass.add(hidden, block.c_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
