import Checkpoint
import Threads

/// Llama (Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023), and those that differ from it in
/// details: Mistral; Qwen2, which has biases; Qwen3, which normalizes queries and keys. The parts have the names of their
/// tensors.
struct Llama: Architecture {
  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: RMSNorm

  struct Block {
    let input_layernorm: RMSNorm
    let q_proj, k_proj, v_proj: Linear  // width to heads · headDim, and twice kvHeads · headDim
    let q_norm, k_norm: RMSNorm?  // of each head
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm
    let gate_proj, up_proj: Linear  // width to ffnWidth
    let down_proj: Linear  // ffnWidth to width
  }

  private let configuration: LlamaConfiguration
  private let rotation: RoPE
  private let pool: ThreadPool
  private let scratch = Workspace()

  var positionWidth: Int { configuration.headDim }

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix, _ positions: Matrix) {
    for (row, id) in ids.enumerated() {
      embed_tokens.copyRow(id, to: x.row(row))
      rotation.angles(of: first + row, into: positions.row(row))
    }
  }

  /// n = input_layernorm(x); q, k = rotated(q_norm(q_proj(n))), rotated(k_norm(k_proj(n))); v = v_proj(n)
  func attentionInputs(_ x: Matrix, _ positions: Matrix, layer: Int, into qkv: Matrix) {
    let (c, block) = (configuration, layers[layer])
    let normed = scratch.matrices([(x.rows, x.columns)])[0]
    rmsNorm(x, block.input_layernorm, into: normed, pool)
    linear(normed, sideBySide: [block.q_proj, block.k_proj, block.v_proj], into: qkv, pool)
    pool.run(qkv.rows, unit: 8, cost: 4 * qkv.rows * qkv.columns) { rows in
      for row in rows {
        for head in 0..<c.heads + c.kvHeads {
          let numbers = qkv.row(row) + head * c.headDim
          (head < c.heads ? block.q_norm : block.k_norm)?.normalize(numbers, into: numbers)
          rotation.turn(numbers, by: positions.row(row))
        }
      }
    }
  }

  func attentionScale(layer: Int) -> Float { 1 / Float(configuration.headDim).squareRoot() }

  /// x = x + o_proj(heads); n = post_attention_layernorm(x); x = x + down_proj(silu(gate_proj(n)) · up_proj(n))
  func addOutputs(of heads: Matrix, layer: Int, to x: Matrix) {
    let block = layers[layer]
    linear(heads, block.o_proj, into: x, .addToOutput, pool)

    let inner = configuration.ffnWidth
    let matrices = scratch.matrices([(x.rows, x.columns), (x.rows, 2 * inner), (x.rows, inner)])
    let (normed, gatesAndUps, hidden) = (matrices[0], matrices[1], matrices[2])
    rmsNorm(x, block.post_attention_layernorm, into: normed, pool)
    linear(normed, sideBySide: [block.gate_proj, block.up_proj], into: gatesAndUps, pool)
    gate(gatesAndUps, into: hidden, pool)
    linear(hidden, block.down_proj, into: x, .addToOutput, pool)
  }

  func normalizeOutput(_ x: Matrix, into output: Matrix) { rmsNorm(x, norm, into: output, pool) }
}

extension Llama {
  init(_ checkpoint: Checkpoint, _ configuration: LlamaConfiguration, _ pool: ThreadPool) throws(CheckpointError) {
    func vector(_ name: String) throws(CheckpointError) -> WeightVector { WeightVector(try checkpoint.tensor(name)) }
    func norm(_ name: String) throws(CheckpointError) -> RMSNorm {
      RMSNorm(weight: try vector("\(name).weight"), epsilon: configuration.normEpsilon)
    }
    func map(_ name: String, hasBias: Bool) throws(CheckpointError) -> Linear {
      Linear(
        weight: WeightMatrix(try checkpoint.tensor("\(name).weight")),
        bias: hasBias ? try vector("\(name).bias") : nil)
    }
    let c = configuration
    embed_tokens = WeightMatrix(try checkpoint.tokenEmbedding())
    var blocks: [Block] = []
    for layer in 0..<c.layers {
      let (attention, mlp) = ("layers.\(layer).self_attn", "layers.\(layer).mlp")
      blocks.append(
        Block(
          input_layernorm: try norm("layers.\(layer).input_layernorm"),
          q_proj: try map("\(attention).q_proj", hasBias: c.hasQueryKeyValueBiases),
          k_proj: try map("\(attention).k_proj", hasBias: c.hasQueryKeyValueBiases),
          v_proj: try map("\(attention).v_proj", hasBias: c.hasQueryKeyValueBiases),
          q_norm: c.normalizesQueriesAndKeys ? try norm("\(attention).q_norm") : nil,
          k_norm: c.normalizesQueriesAndKeys ? try norm("\(attention).k_norm") : nil,
          o_proj: try map("\(attention).o_proj", hasBias: c.hasAttentionOutputBias),
          post_attention_layernorm: try norm("layers.\(layer).post_attention_layernorm"),
          gate_proj: try map("\(mlp).gate_proj", hasBias: c.hasFeedForwardBiases),
          up_proj: try map("\(mlp).up_proj", hasBias: c.hasFeedForwardBiases),
          down_proj: try map("\(mlp).down_proj", hasBias: c.hasFeedForwardBiases)))
    }
    layers = blocks
    self.norm = try norm("norm")
    let frequencyFactors = c.rope.scaling == .frequencyFactors ? try checkpoint.frequencyDivisors() : []
    rotation = RoPE(c.rope, headDim: c.headDim, frequencyFactors: frequencyFactors)
    (self.configuration, self.pool) = (configuration, pool)
  }
}

extension Checkpoint {
  /// The numbers that RoPE's frequencies are divided by (headDim / 2).
  fileprivate func frequencyDivisors() throws(CheckpointError) -> [Float] {
    let tensor = try tensor("rope_freqs.weight")
    let frequencyFactors = WeightVector(tensor).array
    for (index, divisor) in frequencyFactors.enumerated() {
      guard divisor.isFinite, Double(divisor) >= RoPEConfiguration.leastFrequencyFactor else {
        throw .unusable(
          file: tensor.file.path,
          reason: "\"\(tensor.name)\"[\(index)] is \(divisor), and must be a number of at least "
            + "\(RoPEConfiguration.leastFrequencyFactor)")
      }
    }
    return frequencyFactors
  }
}
