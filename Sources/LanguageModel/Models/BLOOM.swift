import Checkpoint

/// BLOOM (BigScience Workshop, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model", 2022): positions are
/// biases of the attention scores (ALiBi). Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct BLOOM: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("BLOOM", type: "bloom", gguf: "bloom")],
    prefixes: ["transformer."], layers: "h")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    // ALiBi has no greatest position. The published models were trained with 2,048. Without seq_length, llama.cpp's
    // converter writes the width of the model as the context length.
    let names = ModelShape.SizeNames(
      context: ["seq_length"], layers: ["num_hidden_layers", "n_layer"], width: ["n_embed", "hidden_size"],
      heads: ["num_attention_heads", "n_head"], kvHeads: [], headDim: [], ffn: [])
    var s = try ModelShape(
      c, .init(vocabulary: 250880, context: 2048, layers: 2, width: 64, heads: 8, eosTokenIDs: [2]), names: names)
    if c.json == nil { s.contextLength = max(s.contextLength, 2048) }
    try s.readLayerNorm(c, "layer_norm_epsilon")
    s.activation = .geluTanh
    s.biases = [.queryKeyValue, .attentionOutput, .feedForward]
    s.residualFollowsNorm = try c.boolean(
      "apply_residual_connection_post_layernorm", default: false, gguf: false)
    if let file = c.json, try file.boolean("slow_but_exact", default: false),
      try file.size("pretraining_tp", default: 1) > 1
    {
      throw c.refuse("slow_but_exact with pretraining_tp above 1 is not implemented")
    }
    let slopes = AttentionSettings.alibiSlopes(heads: s.heads)
    for layer in 0..<s.layers { s.attention[layer].slopes = slopes }
    return s
  }

  // MARK: Tensors

  let word_embeddings: WeightMatrix  // (vocabulary, width)
  let word_embeddings_layernorm: LayerNorm
  let h: [Block]
  let ln_f: LayerNorm
  let lm_head: Linear
  private let activation: Activation
  private let residualFollowsNorm: Bool

  struct Block {
    let input_layernorm: LayerNorm
    let query_key_value: [Linear]  // width to 3 · width
    let dense: Linear  // width to width
    let post_attention_layernorm: LayerNorm
    let dense_h_to_4h: Linear  // width to ffn
    let dense_4h_to_h: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, residualFollowsNorm) = (s.activation, s.residualFollowsNorm)
    word_embeddings = try w.tokenEmbedding("word_embeddings")
    word_embeddings_layernorm = try w.layerNorm("word_embeddings_layernorm", gguf: "token_embd_norm")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          input_layernorm: try w.layerNorm("input_layernorm", gguf: "attn_norm"),
          query_key_value: try w.groupedQueryKeyValue("self_attention.query_key_value"),
          dense: try w.attentionOutput("self_attention.dense"),
          post_attention_layernorm: try w.layerNorm("post_attention_layernorm", gguf: "ffn_norm"),
          dense_h_to_4h: try w.up("mlp.dense_h_to_4h"),
          dense_4h_to_h: try w.down("mlp.dense_4h_to_h")))
    }
    h = blocks
    ln_f = try w.layerNorm("ln_f", gguf: "output_norm")
    lm_head = try w.outputHead(word_embeddings)
  }

  // MARK: Forward pass

  /// x = word_embeddings_layernorm(word_embeddings[id])
  func embed(_ ids: [Int], at first: Int, into x: Matrix) {
    word_embeddings.copyRows(ids, to: x)
    for row in 0..<x.rows { word_embeddings_layernorm.normalize(x.row(row), into: x.row(row)) }
  }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = h[layer]
    let normed = pass.norm(x, block.input_layernorm)  // (n, width)
    let heads = pass.attention(pass.linear(normed, block.query_key_value))  // (m, width)
    let x = pass.kept(x)  // (m, width)
    if residualFollowsNorm { pass.copy(pass.kept(normed), to: x) }
    pass.add(heads, block.dense, to: x)
    let normedAgain = pass.norm(x, block.post_attention_layernorm)  // (m, width)
    if residualFollowsNorm { pass.copy(normedAgain, to: x) }
    let hidden = pass.linear(normedAgain, block.dense_h_to_4h, activation)  // (m, ffn)
    pass.add(hidden, block.dense_4h_to_h, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, ln_f) }
}
