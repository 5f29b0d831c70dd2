import Checkpoint

/// Gemma (Gemma Team, "Gemma: Open Models Based on Gemini Research and Technology", 2024), Gemma 2 (norms before and
/// after each part of a block, windows, soft caps) and the text model of Gemma 3 (norms of queries and keys, two bases
/// of RoPE). Norms multiply by 1 + weight. Properties are named after the tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Gemma: ModelFamily, Network {
  typealias Model = Self

  static let names = FamilyNames(
    models: [
      .init("Gemma", type: "gemma", gguf: "gemma"),
      .init("Gemma 2", type: "gemma2", gguf: "gemma2"),
      .init("Gemma 3", type: "gemma3_text", gguf: "gemma3"),
      .init("Gemma 3, text model", type: "gemma3", gguf: "gemma3"),
    ],
    prefixes: ["model.language_model.", "language_model.model.", "language_model.", "model."], layers: "layers")

  // MARK: Hyperparameters

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    let (isFirst, isThird) = (c.modelType == "gemma", c.modelType.hasPrefix("gemma3"))
    // The defaults of GemmaConfig, Gemma2Config and Gemma3TextConfig in transformers 5.
    let sizes =
      isFirst
      ? ModelShape.Defaults(
        vocabulary: 256_000, context: 8192, layers: 28, width: 3072, heads: 16, kvHeads: 16, headDim: 256, ffn: 24576,
        eosTokenIDs: [1])
      : ModelShape.Defaults(
        vocabulary: isThird ? 262_208 : 256_000, context: isThird ? 131_072 : 8192, layers: 26, width: 2304, heads: 8,
        kvHeads: 4, headDim: 256, ffn: 9216, eosTokenIDs: [1])
    var s = try ModelShape(c, sizes)
    try s.readRMSNorm(c)
    s.isGated = true
    s.activation = try c.activation(
      isFirst ? "hidden_act" : "hidden_activation", default: "gelu_pytorch_tanh", gguf: .geluTanh)
    // "gelu" in the configuration of the first Gemma is the function with tanh.
    if isFirst, s.activation == .gelu { s.activation = .geluTanh }
    s.embeddingScale = Float(s.width).squareRoot()
    try s.readAttentionBias(c)
    guard try !c.boolean("use_bidirectional_attention", default: false, gguf: false) else {
      throw c.refuse("use_bidirectional_attention is not implemented")
    }
    guard !isFirst else {
      try s.readRoPE(c)
      return s
    }
    s.hasSandwichNorms = true
    try s.setWindows(c, c.window(default: 4096), fullEach: isThird ? c.slidingWindowPeriod(default: 6) : 2)
    try readScores(c, &s)
    guard isThird else {
      try s.readRoPE(c)
      return s
    }
    s.queryKeyNorm = .perHead
    // Layers with windows have another RoPE.
    s.setRoPEs(
      full: try s.rope(c, .init(defaultBase: 1e6), layerType: "full_attention"),
      windows: try s.rope(
        c, .init(base: "rope_local_base_freq"), layerType: "sliding_attention", ggufBase: "freq_base_swa",
        isScaled: false))
    return s
  }

  /// Reads the scale and the soft caps of Gemma 2 and Gemma 3.
  private static func readScores(_ c: ConfigurationReader, _ s: inout ModelShape) throws(CheckpointError) {
    // llama.cpp knows the models whose scale is not that of the head dimension, the 27b ones, by their layers.
    let isLarge = s.layers == (c.modelType == "gemma2" ? 46 : 62)
    let scalar =
      if c.json == nil { Double(isLarge ? s.width / s.heads : s.headDim) } else {
        try c.positive("query_pre_attn_scalar", default: 256)
      }
    guard scalar > 0 else {
      let (width, heads) = (c.key("embedding_length"), c.key("attention.head_count"))
      throw c.refuse("\(width) (\(s.width)) is less than \(heads) (\(s.heads))")
    }
    let isSecond = c.modelType == "gemma2"
    // transformers does not apply this soft cap in Gemma 3.
    let attentionCap = isSecond ? try c.softcap("attn_logit_softcapping", default: 50) : nil
    for layer in 0..<s.layers {
      s.attention[layer].scale = 1 / Float(scalar).squareRoot()
      s.attention[layer].softcap = attentionCap
    }
    // transformers does not apply this soft cap in the model of text and images, "gemma3".
    guard c.json == nil || c.modelType != "gemma3" else { return }
    s.logitSoftcap = try c.softcap("final_logit_softcapping", default: isSecond ? 30 : nil)
  }

  // MARK: Tensors

  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: RMSNorm
  let lm_head: Linear
  let ropes: [RoPE]
  private let activation: Activation
  private let embeddingScale: Float

  struct Block {
    let input_layernorm: RMSNorm
    let q_k_v_proj: [Linear]  // width to (heads + 2 · kvHeads) · headDim
    let norms: QueryKeyNorms<RMSNorm>?
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm?
    let pre_feedforward_layernorm: RMSNorm
    let gate_up_proj: [Linear]  // width to ffn and ffn
    let down_proj: Linear  // ffn to width
    let post_feedforward_layernorm: RMSNorm?
  }

  init(_ s: ModelShape, _ w: WeightLoader) throws(CheckpointError) {
    (activation, embeddingScale) = (s.activation, s.embeddingScale)
    embed_tokens = try w.tokenEmbedding("embed_tokens")
    var blocks: [Block] = []
    for layer in 0..<s.layers {
      let w = w.layer(layer)
      func norm(_ name: String, _ gguf: String) throws(CheckpointError) -> RMSNorm {
        try w.rmsNorm(name, gguf: gguf, adding: 1)
      }
      let isSandwich = s.hasSandwichNorms
      blocks.append(
        Block(
          input_layernorm: try norm("input_layernorm", "attn_norm"),
          q_k_v_proj: try w.queryKeyValue("self_attn"),
          norms: s.queryKeyNorm == .perHead ? try w.queryKeyNorms(adding: 1) : nil,
          o_proj: try w.attentionOutput("self_attn.o_proj"),
          post_attention_layernorm: isSandwich
            ? try norm("post_attention_layernorm", "post_attention_norm") : nil,
          // The first Gemma has the name of Llama.
          pre_feedforward_layernorm: try norm(
            isSandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm", "ffn_norm"),
          gate_up_proj: try w.gateUp(),
          down_proj: try w.down("mlp.down_proj"),
          post_feedforward_layernorm: isSandwich ? try norm("post_feedforward_layernorm", "post_ffw_norm") : nil))
    }
    layers = blocks
    norm = try w.rmsNorm("norm", gguf: "output_norm", adding: 1)
    lm_head = try w.outputHead(embed_tokens)
    ropes = try w.ropes()
  }

  // MARK: Forward pass

  /// x = embed_tokens[id] · √width
  func embed(_ ids: [Int], at first: Int, into x: Matrix) { embed_tokens.copyRows(ids, to: x, scale: embeddingScale) }

  func block(_ x: Matrix, _ layer: Int, _ pass: Pass) -> Matrix {
    let block = layers[layer]
    let qkv = pass.linear(pass.norm(x, block.input_layernorm), block.q_k_v_proj)  // (n, qkvWidth)
    pass.position(qkv, block.norms)
    let heads = pass.attention(qkv)  // (m, heads · headDim)
    let x = pass.kept(x)  // (m, width)
    pass.add(heads, block.o_proj, block.post_attention_layernorm, to: x)
    let normed = pass.norm(x, block.pre_feedforward_layernorm)  // (m, width)
    let hidden = pass.gate(activation, pass.linear(normed, block.gate_up_proj))  // (m, ffn)
    pass.add(hidden, block.down_proj, block.post_feedforward_layernorm, to: x)
    return x
  }

  func finalNorm(_ x: Matrix, _ pass: Pass) -> Matrix { pass.norm(x, norm) }
}
