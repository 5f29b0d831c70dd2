import Checkpoint
import Threads

/// GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019). Properties are named after the
/// tensors in the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct GPT2: Architecture {
  let wte: WeightMatrix  // (vocabulary, width)
  let wpe: WeightMatrix  // (contextLength, width)
  let h: [Block]
  let ln_f: LayerNorm

  struct Block {
    let ln_1: LayerNorm
    let c_attn: Linear  // width to 3 · width: queries, keys, values
    let attn_c_proj: Linear  // width to width
    let ln_2: LayerNorm
    let c_fc: Linear  // width to ffnWidth
    let mlp_c_proj: Linear  // ffnWidth to width
  }

  private let configuration: GPT2Configuration
  private let pool: ThreadPool
  private let scratch = Workspace()

  var cosSinWidth: Int { 0 }

  /// x = wte[id] + wpe[position]
  func embed(_ ids: [Int], at first: Int, into x: Matrix, _: Matrix) {
    withAlignedFloats(x.columns) { position in
      for (row, id) in ids.enumerated() {
        wte.copyRow(id, to: x.row(row))
        wpe.copyRow(first + row, to: position)
        for column in 0..<x.columns { x.row(row)[column] += position[column] }
      }
    }
  }

  /// qkv = c_attn(ln_1(x))
  func projectQKV(_ x: Matrix, _: Matrix, layer: Int, into qkv: Matrix) {
    let normed = scratch.matrix((x.rows, x.columns))
    layerNorm(x, h[layer].ln_1, into: normed, pool)
    linear(normed, h[layer].c_attn, into: qkv, .store, pool)
  }

  func attentionScale(layer: Int) -> Float {
    let c = configuration
    let scale: Float = c.scalesAttention ? 1 / Float(c.headDim).squareRoot() : 1
    return c.scalesAttentionByLayer ? scale / Float(layer + 1) : scale
  }

  /// x = x + attn_c_proj(heads); x = x + mlp_c_proj(gelu(c_fc(ln_2(x))))
  func addAttentionOutputAndMLP(_ heads: Matrix, layer: Int, to x: Matrix) {
    let block = h[layer]
    linear(heads, block.attn_c_proj, into: x, .addToOutput, pool)

    let (normed, hidden) = scratch.matrices((x.rows, x.columns), (x.rows, configuration.ffnWidth))
    layerNorm(x, block.ln_2, into: normed, pool)
    linear(normed, block.c_fc, into: hidden, .gelu, pool)
    linear(hidden, block.mlp_c_proj, into: x, .addToOutput, pool)
  }

  func finalNorm(_ x: Matrix, into output: Matrix) { layerNorm(x, ln_f, into: output, pool) }
}

extension GPT2 {
  init(_ checkpoint: Checkpoint, _ configuration: GPT2Configuration, _ pool: ThreadPool) throws(CheckpointError) {
    func norm(_ name: String) throws(CheckpointError) -> LayerNorm {
      LayerNorm(
        weight: WeightVector(try checkpoint.tensor("\(name).weight")),
        bias: WeightVector(try checkpoint.tensor("\(name).bias")),
        epsilon: configuration.layerNormEpsilon)
    }
    func projection(_ name: String) throws(CheckpointError) -> Linear {
      Linear(
        weight: WeightMatrix(try checkpoint.tensor("\(name).weight")), layout: configuration.layout,
        bias: WeightVector(try checkpoint.tensor("\(name).bias")))
    }
    wte = WeightMatrix(try checkpoint.tokenEmbedding())
    wpe = WeightMatrix(try checkpoint.tensor("wpe.weight"))
    var blocks: [Block] = []
    for layer in 0..<configuration.layers {
      let h = "h.\(layer)"
      blocks.append(
        Block(
          ln_1: try norm("\(h).ln_1"),
          c_attn: try projection("\(h).attn.c_attn"),
          attn_c_proj: try projection("\(h).attn.c_proj"),
          ln_2: try norm("\(h).ln_2"),
          c_fc: try projection("\(h).mlp.c_fc"),
          mlp_c_proj: try projection("\(h).mlp.c_proj")))
    }
    h = blocks
    ln_f = try norm("ln_f")
    (self.configuration, self.pool) = (configuration, pool)
  }
}
