import Checkpoint

/// Granite 3 (IBM, "Granite 3.0 Language Models", 2024): Llama with factors of the embeddings, the attention scores,
/// the residual connections and the logits.
enum Granite: ModelFamily {
  typealias Model = Llama

  static let names = FamilyNames(
    models: [.init("Granite 3", type: "granite", gguf: "granite")],
    prefixes: ["model."], layers: "layers")

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 32000, context: 2048, layers: 32, width: 4096, heads: 32, ffn: 11008, tiesEmbeddings: false,
        eosTokenIDs: [2]))
    try s.readRMSNorm(c)
    try s.readGatedActivation(c)
    try s.readRoPE(c, ggufPairing: .interleaved)
    try s.readAttentionBias(c)
    try s.readFeedForwardBias(c)
    s.embeddingScale = try c.factor("embedding_multiplier", gguf: "embedding_scale")
    s.residualScale = try c.factor("residual_multiplier", gguf: "residual_scale")
    let divisor = try c.factor("logits_scaling", gguf: "logit_scale")
    s.logitScale = 1 / divisor
    guard s.logitScale.isFinite else {
      let name = c.name(["logits_scaling"], gguf: "logit_scale")
      throw c.refuse("\(name) is \(divisor); its reciprocal must be finite as a float32")
    }
    if c.json != nil {
      let scale = try c.factor("attention_multiplier", gguf: "attention.scale")
      for layer in 0..<s.layers { s.attention[layer].scale = scale }
    }
    return s
  }
}
