import Checkpoint

/// StableLM 2 (Bellagente et al., "Stable LM 2 1.6B Technical Report", 2024): Llama with LayerNorm, and a part of each
/// head is rotated. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct StableLM: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("StableLM 2", type: "stablelm", gguf: "stablelm")],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var names = ModelShape.SizeNames.standard
    names.headDim = []
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 50304, context: 4096, layers: 32, width: 2560, heads: 32, kvHeads: 32, ffn: 6912,
        tiesEmbeddings: false, eosTokenIDs: [0]),
      names: names)
    try s.readLayerNorm(c)
    try s.readGatedActivation(c)
    try s.readRoPE(c, .init(rotated: .part("partial_rotary_factor", default: 0.25)))
    s.hasParallelResidual = try c.flag("use_parallel_residual", default: false)
    if try c.has("use_qkv_bias", default: false, tensor: "attn_q.bias") { s.biases = [.queryKeyValue] }
    if try c.has("qk_layernorm", default: false, tensor: "attn_q_norm.weight") { s.queryKeyNorm = .perHead }
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
    let post_attention_layernorm: LayerNorm?  // nil if the MLP has the input of attention
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
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm"),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          norms: s.queryKeyNorm == .perHead ? try w.queryKeyLayerNorms("layernorm", isSplit: true) : nil,
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: s.hasParallelResidual
            ? nil : try w.layerNorm("post_attention_layernorm", gguf: "ffn_norm"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj")))
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
    let normed = pass.norm(x, block.input_layernorm)  // (n, width)
    let qkv = pass.linear(normed, block.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv, block.norms)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, to: x)
    let input = block.post_attention_layernorm.map { pass.norm(x, $0) } ?? pass.kept(normed)  // (m, width)
    let hidden = pass.gate(activation, pass.linear(input, block.gate_up_proj))  // (m, ffn)
    pass.add(hidden, block.down_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
