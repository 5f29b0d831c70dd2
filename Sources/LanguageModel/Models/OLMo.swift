import Checkpoint

/// OLMo (Groeneveld et al., "OLMo: Accelerating the Science of Language Models", 2024): Llama with norms that have no
/// weights. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct OLMo: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("OLMo", type: "olmo", gguf: "olmo")],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 50304, context: 2048, layers: 32, width: 4096, heads: 32, ffn: 11008, tiesEmbeddings: false,
        eosTokenIDs: [50279]))
    s.norm = .layerNorm
    if c.json == nil { try s.readLayerNorm(c) }  // a constant in transformers
    try s.readGatedActivation(c)
    try s.readRoPE(c, ggufPairing: .interleaved)
    s.normsHaveWeights = false
    try s.readAttentionBias(c)
    if let limit = try c.number("clip_qkv", gguf: "attention.clamp_kqv"), c.json != nil || limit != 0 {
      guard Float(limit) > 0 else {
        throw c.refuse("\(c.name(["clip_qkv"], gguf: "attention.clamp_kqv")) is \(limit); must be positive")
      }
      s.queryKeyValueLimit = Float(limit)
    }
    return s
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation
  private let limit: Float?

  struct Block {
    let q_k_v_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let o_proj: Linear  // heads · headDim to width
    let gate_up_proj: [Linear]  // width to ffn and ffn
    let down_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, limit) = (s.activation, s.queryKeyValueLimit)
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj")))
    }
    layers = blocks
    norm = w.plainLayerNorm()
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(pass.norm(x, norm), block.q_k_v_proj)  // (n, qkvWidth)
    if let limit { pass.clamp(qkv, to: limit) }
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, to: x)
    let gatesAndUps = pass.linear(pass.norm(x, norm), block.gate_up_proj)  // (m, 2 · ffn)
    pass.add(pass.gate(activation, gatesAndUps), block.down_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
