import Checkpoint

/// GPT-J (Wang and Komatsuzaki, "GPT-J-6B: A 6 Billion Parameter Autoregressive Language Model", 2021): attention and
/// the MLP have the same input, and a part of each head is rotated. Properties are named after the tensors in the
/// checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct GPTJ: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("GPT-J", type: "gptj")],
    prefixes: ["transformer."], layers: "h")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 50400, context: 2048, layers: 28, width: 4096, heads: 16, tiesEmbeddings: false,
        eosTokenIDs: [50256]), names: .gpt2)
    try s.readLayerNorm(c, "layer_norm_epsilon")
    s.activation = try c.activation("activation_function", default: "gelu_new", gguf: .geluTanh)
    guard c.json?.isNull("rotary_dim") != true else {
      throw c.refuse("rotary_dim null is not implemented; a number of rotated elements is")
    }
    try s.readRoPE(c, .gptJ)
    s.hasParallelResidual = true
    s.biases = [.feedForward, .head]
    return s
  }

  // MARK: Tensors

  let wte: WeightMatrix  // (vocabulary, width)
  let h: [Block]
  let ln_f: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation

  struct Block {
    let ln_1: LayerNorm
    let q_k_v_proj: [Linear]  // width to width, three times
    let out_proj: Linear  // width to width
    let fc_in: Linear  // width to ffn
    let fc_out: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    wte = try w.tokenEmbedding("wte")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          ln_1: try w.layerNorm("ln_1"),
          q_k_v_proj: try w.queryKeyValue("attn"),
          out_proj: try w.attentionOutput("attn.out_proj"),
          fc_in: try w.up("mlp.fc_in"),
          fc_out: try w.down("mlp.fc_out")))
    }
    h = blocks
    ln_f = try w.layerNorm("ln_f")
    lm_head = try w.outputHead(wte)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = wte[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { wte.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = h[layer]
    let normed = pass.norm(x, block.ln_1)  // (n, width)
    let qkv = pass.linear(normed, block.q_k_v_proj)  // (n, 3 · width)
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    let hidden = pass.linear(pass.kept(normed), block.fc_in, activation)  // (m, ffn)
    pass.add(heads, block.out_proj, to: x)
    pass.add(hidden, block.fc_out, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, ln_f) }
}
