import Checkpoint

/// OPT (Zhang et al., "OPT: Open Pre-trained Transformer Language Models", 2022). Properties are named after the
/// tensors in the checkpoint. OPT-350m, whose norms follow the residual connections, is not implemented.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct OPT: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("OPT", type: "opt")],
    prefixes: ["model.decoder.", "decoder."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var names = ModelShape.SizeNames.standard
    names.ffn = ["ffn_dim"]
    (names.kvHeads, names.headDim) = ([], [])
    var s = try ModelShape(
      c, .init(vocabulary: 50272, context: 2048, layers: 12, width: 768, heads: 12, ffn: 3072, eosTokenIDs: [2]),
      names: names)
    s.norm = .layerNorm
    s.activation = try c.activation("activation_function", default: "relu", gguf: .relu)
    guard try c.boolean("do_layer_norm_before", default: true, gguf: true) else {
      throw c.refuse("do_layer_norm_before false (OPT-350m) is not implemented")
    }
    if let width = try c.json?.integer("word_embed_proj_dim"), width != s.width {
      throw c.refuse("word_embed_proj_dim \(width) is not implemented; only hidden_size, \(s.width), is")
    }
    if try c.boolean("enable_bias", default: true, gguf: true) {
      s.biases = [.queryKeyValue, .attentionOutput, .feedForward]
    }
    s.hasFinalNorm = try !c.boolean("_remove_final_layer_norm", default: false, gguf: false)
    s.normsHaveWeights = try c.boolean("layer_norm_elementwise_affine", default: true, gguf: true)
    return s
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let embed_positions: WeightMatrix  // (contextLength + 2, width)
  let layers: [Block]
  let final_layer_norm: LayerNorm?
  let lm_head: Linear
  private let activation: Activation

  /// The embedding of position 0 is in this row of `embed_positions`.
  private static let positionOffset = 2

  struct Block {
    let self_attn_layer_norm: LayerNorm
    let q_k_v_proj: [Linear]  // width to width, three times
    let out_proj: Linear  // width to width
    let final_layer_norm: LayerNorm
    let fc1: Linear  // width to ffn
    let fc2: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    func norm(_ name: String, _ w: WeightLoader) throws(CheckpointError) -> LayerNorm {
      s.normsHaveWeights ? try w.layerNorm(name) : w.plainLayerNorm()
    }
    activation = s.activation
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    embed_positions = try w.matrix(
      "embed_positions", rows: s.contextLength + Self.positionOffset, columns: s.width)
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      blocks.append(
        Block(
          self_attn_layer_norm: try norm("self_attn_layer_norm", w),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          out_proj: try w.attentionOutput("self_attn.out_proj"),
          final_layer_norm: try norm("final_layer_norm", w),
          fc1: try w.up("fc1"),
          fc2: try w.down("fc2")))
    }
    layers = blocks
    final_layer_norm = s.hasFinalNorm ? try norm("final_layer_norm", w) : nil
    lm_head = try w.outputHead(embed_tokens)
  }

  // MARK: Forward pass

  /// x = embed_tokens[id] + embed_positions[position + 2]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) {
    embed_tokens.copyRows(ids, to: x)
    let row = first + Self.positionOffset
    embed_positions.addRows(row..<row + ids.count, to: x)
  }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(pass.norm(x, block.self_attn_layer_norm), block.q_k_v_proj)  // (n, 3 · width)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.out_proj, to: x)
    let hidden = pass.linear(pass.norm(x, block.final_layer_norm), block.fc1, activation)  // (m, ffn)
    pass.add(hidden, block.fc2, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix {
    final_layer_norm.map { pass.norm(x, $0) } ?? x
  }
}
