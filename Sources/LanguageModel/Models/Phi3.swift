import Checkpoint

/// Phi-3 and Phi-4 (Abdin et al., "Phi-3 Technical Report", 2024): Llama with fused projections and LongRoPE.
/// Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Phi3: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("Phi-3, Phi-4", type: "phi3", gguf: "phi3")],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 32064, context: 4096, layers: 32, width: 3072, heads: 32, ffn: 8192, tiesEmbeddings: false,
        eosTokenIDs: [32000]))
    try s.readRMSNorm(c, default: 1e-5)
    try s.readGatedActivation(c)
    try s.readRoPE(
      c,
      .init(
        rotated: .part("partial_rotary_factor", default: 1), originalContextLength: 4096, roundsUpOddParts: true))
    try s.setWindows(c, c.window())
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
    let input_layernorm: RMSNorm
    let qkv_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm
    let gate_up_proj: Linear  // width to 2 · ffn
    let down_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      // Some GGUF files have separate matrices for queries, keys and values.
      let isSplit = w.isGGUF && w.has("", gguf: "attn_q.weight")
      blocks.append(
        Block(
          input_layernorm: try w.rmsNorm("input_layernorm", gguf: "attn_norm"),
          qkv_proj: try isSplit ? w.queryKeyValue("") : [w.fusedQueryKeyValue("self_attn.qkv_proj")],
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: try w.rmsNorm("post_attention_layernorm", gguf: "ffn_norm"),
          gate_up_proj: try w.linear("mlp.gate_up_proj", gguf: "ffn_up", s.width, 2 * s.ffnWidth),
          down_proj: try w.down("mlp.down_proj")))
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
    let qkv = pass.linear(pass.norm(x, block.input_layernorm), block.qkv_proj)  // (n, qkvWidth)
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, to: x)
    let gatesAndUps = pass.linear(pass.norm(x, block.post_attention_layernorm), block.gate_up_proj)  // (m, 2 · ffn)
    pass.add(pass.gate(activation, gatesAndUps), block.down_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
