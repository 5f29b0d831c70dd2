import Checkpoint

/// The weights of one layer normalization.
struct LayerNorm {
  let weight: WeightVector  // (n_embd)
  let bias: WeightVector  // (n_embd)
  let epsilon: Float
}

/// The weights of one transformer block, under the names they have in the checkpoint.
struct GPT2Block {
  let ln_1: LayerNorm
  let c_attn: LinearMap  // (n_embd, 3·n_embd): queries, keys and values side by side
  let attn_c_proj: LinearMap  // (n_embd, n_embd)
  let ln_2: LayerNorm
  let c_fc: LinearMap  // (n_embd, n_inner)
  let mlp_c_proj: LinearMap  // (n_inner, n_embd)
}

/// All weights of a GPT-2 model, where they lie in the mapped files.
struct GPT2Weights {
  let wte: WeightMatrix  // (vocabulary, n_embd)
  let wpe: WeightMatrix  // (n_positions, n_embd)
  let blocks: [GPT2Block]
  let ln_f: LayerNorm
  let lm_head: LinearMap  // (vocabulary, n_embd); `wte` itself where the two are tied and there is no other

  init(_ checkpoint: Checkpoint, _ c: GPT2Configuration) throws(CheckpointError) {
    func norm(_ name: String) throws(CheckpointError) -> LayerNorm {
      LayerNorm(
        weight: WeightVector(try checkpoint.tensor("\(name).weight")),
        bias: WeightVector(try checkpoint.tensor("\(name).bias")),
        epsilon: c.layerNormEpsilon)
    }
    func conv1D(_ name: String) throws(CheckpointError) -> LinearMap {
      LinearMap(
        weight: WeightMatrix(try checkpoint.tensor("\(name).weight")), layout: .inputsFirst,
        bias: WeightVector(try checkpoint.tensor("\(name).bias")))
    }
    wte = WeightMatrix(try checkpoint.tensor("wte.weight"))
    wpe = WeightMatrix(try checkpoint.tensor("wpe.weight"))
    var blocks: [GPT2Block] = []
    for layer in 0..<c.n_layer {
      let h = "h.\(layer)"
      blocks.append(
        GPT2Block(
          ln_1: try norm("\(h).ln_1"),
          c_attn: try conv1D("\(h).attn.c_attn"),
          attn_c_proj: try conv1D("\(h).attn.c_proj"),
          ln_2: try norm("\(h).ln_2"),
          c_fc: try conv1D("\(h).mlp.c_fc"),
          mlp_c_proj: try conv1D("\(h).mlp.c_proj")))
    }
    self.blocks = blocks
    ln_f = try norm("ln_f")
    lm_head = LinearMap(weight: WeightMatrix(try checkpoint.outputHead()))
  }
}
