import Checkpoint

/// Phi-1, Phi-1.5 and Phi-2 (Gunasekar et al., "Textbooks Are All You Need", 2023): attention and the MLP have the same
/// input, and a part of each head is rotated. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Phi: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("Phi-1, Phi-1.5, Phi-2", type: "phi", gguf: "phi2")],
    prefixes: ["model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 51200, context: 2048, layers: 24, width: 2048, heads: 32, ffn: 8192, tiesEmbeddings: false,
        eosTokenIDs: [2]))
    try s.readLayerNorm(c)
    s.activation = try c.activation("hidden_act", default: "gelu_new", gguf: .geluTanh)
    try s.readRoPE(c, .init(rotated: .part("partial_rotary_factor", default: 0.5)))
    s.queryKeyNorm = try c.boolean("qk_layernorm", default: false, gguf: false) ? .perHead : .none
    s.hasParallelResidual = true
    s.biases = [.queryKeyValue, .attentionOutput, .feedForward, .head]
    return s
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let final_layernorm: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation

  struct Block {
    let input_layernorm: LayerNorm
    let q_k_v_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let norms: QueryKeyNorms<LayerNorm>?
    let dense: Linear  // width to width
    let fc1: Linear  // width to ffn
    let fc2: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      func headNorm(_ name: String) throws(CheckpointError) -> [LayerNorm] {
        [try w.layerNorm("self_attn.\(name)_layernorm", gguf: "attn_\(name)_norm", width: s.headDim)]
      }
      // Some GGUF files have one matrix for queries, keys and values.
      let isFused = w.isGGUF && w.has("", gguf: "attn_qkv.weight")
      blocks.append(
        Block(
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm"),
          q_k_v_proj: try isFused ? [w.fusedQueryKeyValue("")] : w.queryKeyValue("self_attn"),
          norms: s.queryKeyNorm == .perHead ? .perHead(query: try headNorm("q"), key: try headNorm("k")) : nil,
          dense: try w.attentionOutput("self_attn.dense"),
          fc1: try w.up("mlp.fc1"),
          fc2: try w.down("mlp.fc2")))
    }
    layers = blocks
    final_layernorm = try w.layerNorm("final_layernorm", gguf: "output_norm")
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
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    let hidden = pass.linear(pass.kept(normed), block.fc1, activation)  // (m, ffn)
    pass.add(heads, block.dense, to: x)
    pass.add(hidden, block.fc2, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, final_layernorm) }
}
