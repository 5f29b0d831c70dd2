import Checkpoint

/// GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019). Properties are named after the
/// tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct GPT2: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("GPT-2", type: "gpt2", gguf: "gpt2")],
    prefixes: ["transformer."], layers: "h")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c, .init(vocabulary: 50257, context: 1024, layers: 12, width: 768, heads: 12, eosTokenIDs: [50256]), names: .gpt2)
    try s.readLayerNorm(c, "layer_norm_epsilon")
    s.activation = try c.activation("activation_function", default: "gelu_new", gguf: .geluTanh)
    s.biases = [.queryKeyValue, .attentionOutput, .feedForward]
    let scalesByLayer = try c.boolean("scale_attn_by_inverse_layer_idx", default: false, gguf: false)
    let isScaled = try c.boolean("scale_attn_weights", default: true, gguf: true)
    for layer in 0..<s.layers {
      if !isScaled { s.attention[layer].scale = 1 }
      if scalesByLayer { s.attention[layer].scale /= Float(layer + 1) }
    }
    return s
  }

  // MARK: Tensors

  let wte: WeightMatrix  // (vocabulary, width)
  let wpe: WeightMatrix  // (contextLength, width)
  let h: [Block]
  let ln_f: LayerNorm
  let lm_head: Linear
  private let activation: Activation

  struct Block {
    let ln_1: LayerNorm
    let c_attn: Linear  // width to 3 · width: queries, keys, values
    let attn_c_proj: Linear  // width to width
    let ln_2: LayerNorm
    let c_fc: Linear  // width to ffn
    let mlp_c_proj: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    activation = s.activation
    wte = try w.tokenEmbedding("wte")
    wpe = try w.matrix("wpe", gguf: "position_embd", rows: s.contextLength, columns: s.width)
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      func conv1D(_ name: String, _ gguf: String, _ inputs: Int, _ outputs: Int) throws(CheckpointError) -> Linear {
        try w.linear(name, gguf: gguf, inputs, outputs, hasBias: true, layout: .inputsByOutputs)
      }
      blocks.append(
        Block(
          ln_1: try w.layerNorm("ln_1", gguf: "attn_norm"),
          c_attn: try conv1D("attn.c_attn", "attn_qkv", s.width, 3 * s.width),
          attn_c_proj: try conv1D("attn.c_proj", "attn_output", s.width, s.width),
          ln_2: try w.layerNorm("ln_2", gguf: "ffn_norm"),
          c_fc: try conv1D("mlp.c_fc", "ffn_up", s.width, s.ffnWidth),
          mlp_c_proj: try conv1D("mlp.c_proj", "ffn_down", s.ffnWidth, s.width)))
    }
    h = blocks
    ln_f = try w.layerNorm("ln_f", gguf: "output_norm")
    lm_head = try w.outputHead(wte)
  }

  // MARK: Forward pass

  /// x = wte[id] + wpe[position]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) {
    wte.copyRows(ids, to: x)
    wpe.addRows(first..<first + ids.count, to: x)
  }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = h[layer]
    let qkv = pass.linear(pass.norm(x, block.ln_1), block.c_attn)  // (n, 3 · width)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.attn_c_proj, to: x)
    let hidden = pass.linear(pass.norm(x, block.ln_2), block.c_fc, activation)  // (m, ffn)
    pass.add(hidden, block.mlp_c_proj, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, ln_f) }
}
