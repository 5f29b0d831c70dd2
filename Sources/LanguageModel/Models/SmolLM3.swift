import Checkpoint

/// SmolLM3 (Hugging Face, "SmolLM3: smol, multilingual, long-context reasoner", 2025): Llama without RoPE in every
/// fourth layer (Yang et al., "RoPE to NoPE and Back Again", 2025).
enum SmolLM3: ModelFamily {
  typealias Model = Llama

  static let names = FamilyNames(
    models: [.init("SmolLM3", type: "smollm3", gguf: "smollm3")],
    prefixes: ["model."], layers: "layers")

  static func shape(_ c: ConfigurationReader) throws(CheckpointError) -> ModelShape {
    var s = try ModelShape(
      c,
      .init(
        vocabulary: 128256, context: 32768, layers: 36, width: 2048, heads: 16, kvHeads: 4, ffn: 11008,
        eosTokenIDs: [128001]))
    try s.readRMSNorm(c)
    try s.readGatedActivation(c)
    try s.readRoPE(c, .init(defaultBase: 2e6), ggufPairing: .interleaved)
    try s.readAttentionBias(c)
    try s.readFeedForwardBias(c)
    let period = try c.json?.size("no_rope_layer_interval", default: 4) ?? 4
    let hasRoPE = try c.json?.integers("no_rope_layers")  // 1 for a layer with RoPE
    if let hasRoPE, hasRoPE.count < s.layers {
      throw c.refuse("no_rope_layers has \(hasRoPE.count) elements, but the model has \(s.layers) layers")
    }
    for layer in 0..<s.layers where hasRoPE.map({ $0[layer] == 0 }) ?? ((layer + 1) % period == 0) {
      s.attention[layer].rope = nil
    }
    // transformers gives windows to the layers that layer_types names, and without it, if use_sliding_window is true,
    // to those without RoPE.
    let windows = s.attention.map { $0.rope == nil }
    let isSliding = try c.boolean("use_sliding_window", default: false, gguf: false)
    if isSliding || c.json?.has("layer_types") ?? false {
      try s.setWindows(c, c.window(), isSliding: windows)
    }
    return s
  }
}
