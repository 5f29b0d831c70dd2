import Checkpoint

/// GPT-NeoX (Black et al., "GPT-NeoX-20B: An Open-Source Autoregressive Language Model", 2022) and Pythia (Biderman et
/// al., "Pythia: A Suite for Analyzing Large Language Models Across Training and Scaling", 2023). Properties are named
/// after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct GPTNeoX: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("GPT-NeoX, Pythia", type: "gpt_neox", gguf: "gptneox")],
    prefixes: ["gpt_neox."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var names = ModelShape.SizeNames.standard
    (names.kvHeads, names.headDim) = ([], [])
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 50432, context: 2048, layers: 44, width: 6144, heads: 64, ffn: 24576, tiesEmbeddings: false,
        eosTokenIDs: [2]), names: names)
    try s.readLayerNorm(c)
    s.activation = try c.activation("hidden_act", default: "gelu", gguf: .gelu)
    try s.readRoPE(c, .gptNeoX)
    s.hasParallelResidual = try c.flag("use_parallel_residual", default: true)
    s.biases = [.feedForward]
    if try c.has("attention_bias", default: true, tensor: "attn_qkv.bias") {
      s.biases.formUnion([.queryKeyValue, .attentionOutput])
    }
    return s
  }

  // MARK: Tensors

  let embed_in: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let final_layer_norm: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation
  private let isParallel: Bool

  struct Block {
    let input_layernorm: LayerNorm
    let query_key_value: [Linear]  // width to 3 · width
    let dense: Linear  // width to width
    let post_attention_layernorm: LayerNorm
    let dense_h_to_4h: Linear  // width to ffn
    let dense_4h_to_h: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, isParallel) = (s.activation, s.hasParallelResidual)
    embed_in = try w.tokenEmbedding("embed_in")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm"),
          query_key_value: try w.groupedQueryKeyValue("attention.query_key_value"),
          dense: try w.attentionOutput("attention.dense"),
          post_attention_layernorm: try w.layerNorm("post_attention_layernorm", gguf: "ffn_norm"),
          dense_h_to_4h: try w.up("mlp.dense_h_to_4h"),
          dense_4h_to_h: try w.down("mlp.dense_4h_to_h")))
    }
    layers = blocks
    final_layer_norm = try w.layerNorm("final_layer_norm", gguf: "output_norm")
    lm_head = try w.outputHead(embed_in, "embed_out")
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_in[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_in.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(pass.norm(x, block.input_layernorm), block.query_key_value)  // (n, 3 · width)
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    // With a parallel residual, the MLP has the input of attention.
    if !isParallel { pass.add(heads, block.dense, to: x) }
    let normed = pass.norm(x, block.post_attention_layernorm)  // (m, width)
    if isParallel { pass.add(heads, block.dense, to: x) }
    let hidden = pass.linear(normed, block.dense_h_to_4h, activation)  // (m, ffn)
    pass.add(hidden, block.dense_4h_to_h, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, final_layer_norm) }
}
