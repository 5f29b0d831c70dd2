import Checkpoint

/// Falcon (Almazrouei et al., "The Falcon Series of Open Language Models", 2023): Falcon-7b, whose attention and MLP
/// have the same input, and the newer 40b layout with two norms. Properties are named after the tensors in the
/// checkpoint. Falcon-RW has ALiBi instead of RoPE.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Falcon: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [.init("Falcon", type: "falcon", gguf: "falcon")],
    prefixes: ["transformer."], layers: "h")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    let isNew = try c.boolean("new_decoder_architecture", default: false, gguf: false)
    var names = ModelShape.SizeNames(
      layers: ["num_hidden_layers", "n_layer"], width: ["n_embed", "hidden_size"],
      heads: ["num_attention_heads", "n_head"], kvHeads: ["num_kv_heads", "n_head_kv"], headDim: [],
      ffn: ["ffn_hidden_size"])
    let isMultiQuery = try c.boolean("multi_query", default: true, gguf: false)
    if !isNew, c.json != nil { names.kvHeads = [] }  // the number in the file is not used
    var s = try ModelShape(
      c, .init(vocabulary: 65024, context: 2048, layers: 32, width: 4544, heads: 71, eosTokenIDs: [11]), names: names)
    if !isNew, isMultiQuery { s.kvHeads = 1 }
    try s.readLayerNorm(c, "layer_norm_epsilon")
    s.activation = try c.activation("activation", default: "gelu", gguf: .gelu)
    if try c.boolean("alibi", default: false, gguf: false) {
      let slopes = AttentionSettings.alibiSlopes(heads: s.heads).map(AttentionSettings.bfloat16)
      for layer in 0..<s.layers { (s.attention[layer].slopes, s.attention[layer].roundsBiases) = (slopes, true) }
    } else {
      try s.readRoPE(c)
    }
    s.hasParallelResidual = try c.boolean("parallel_attn", default: true, gguf: true)
    let norms = "num_ln_in_parallel_attn"
    let hasSecondNorm = isNew ? true : try c.hasTensor("attn_norm_2.weight")
    // Sequential blocks have one norm before each part, whatever the number.
    let count = try s.hasParallelResidual ? c.json?.integer(norms) ?? (hasSecondNorm ? 2 : 1) : 1
    guard count == 1 || count == 2 && hasSecondNorm else {
      throw c.refuse("\(norms) is \(count); must be 1, or 2 if new_decoder_architecture is true")
    }
    s.hasParallelNorms = count == 2
    if try c.boolean("bias", default: false, gguf: false) {
      s.biases = [.queryKeyValue, .attentionOutput, .feedForward]
    }
    guard !isNew || s.hasParallelResidual else {
      throw c.refuse("new_decoder_architecture without parallel_attn is not implemented")
    }
    return s
  }

  // MARK: Tensors

  let word_embeddings: WeightMatrix  // (vocabulary, width)
  let h: [Block]
  let ln_f: LayerNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation
  private let isParallel: Bool

  struct Block {
    let input_layernorm: LayerNorm
    let query_key_value: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let dense: Linear  // width to width
    let mlp_layernorm: LayerNorm?  // nil if the MLP has the input of attention
    let dense_h_to_4h: Linear  // width to ffn
    let dense_4h_to_h: Linear  // ffn to width
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, isParallel) = (s.activation, s.hasParallelResidual)
    word_embeddings = try w.tokenEmbedding("word_embeddings")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      // In GGUF files with two norms, attn_norm is that of the MLP.
      blocks.append(
        Block(
          input_layernorm: try s.hasParallelNorms
            ? w.layerNorm("ln_attn", gguf: "attn_norm_2") : w.layerNorm("input_layernorm", gguf: "attn_norm"),
          query_key_value: try w.groupedQueryKeyValue("self_attention.query_key_value"),
          dense: try w.attentionOutput("self_attention.dense"),
          mlp_layernorm: try s.hasParallelNorms
            ? w.layerNorm("ln_mlp", gguf: "attn_norm")
            : isParallel ? nil : w.layerNorm("post_attention_layernorm", gguf: "ffn_norm"),
          dense_h_to_4h: try w.up("mlp.dense_h_to_4h"),
          dense_4h_to_h: try w.down("mlp.dense_4h_to_h")))
    }
    h = blocks
    ln_f = try w.layerNorm("ln_f", gguf: "output_norm")
    lm_head = try w.outputHead(word_embeddings)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = word_embeddings[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { word_embeddings.copyRows(ids, to: x) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = h[layer]
    let normed = pass.norm(x, block.input_layernorm)  // (n, width)
    let qkv = pass.linear(normed, block.query_key_value)  // (n, qkvWidth)
    pass.position(qkv)
    let heads = pass.attention(qkv)  // (m, width)
    let x = pass.kept(x)  // (m, width)
    if !isParallel { pass.add(heads, block.dense, to: x) }
    let input = block.mlp_layernorm.map { pass.norm(x, $0) } ?? pass.kept(normed)  // (m, width)
    let hidden = pass.linear(input, block.dense_h_to_4h, activation)  // (m, ffn)
    if isParallel { pass.add(heads, block.dense, to: x) }
    pass.add(hidden, block.dense_4h_to_h, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, ln_f) }
}
