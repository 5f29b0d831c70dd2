import Checkpoint
import Threads

/// Llama (Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023), and architectures that differ
/// in details: Mistral, Qwen2 (biases) and Qwen3 (norms of queries and keys). Properties are named after the tensors in
/// the checkpoint.
// swift-format-ignore: AlwaysUseLowerCamelCase
struct Llama: Architecture {
  let embed_tokens: WeightMatrix  // (vocabulary, width)
  let layers: [Block]
  let norm: RMSNorm

  struct Block {
    let input_layernorm: RMSNorm
    let q_proj, k_proj, v_proj: Linear  // width to heads · headDim; k, v: to kvHeads · headDim
    let q_norm, k_norm: RMSNorm?  // of each head
    let o_proj: Linear  // heads · headDim to width
    let post_attention_layernorm: RMSNorm
    let gate_proj, up_proj: Linear  // width to ffnWidth
    let down_proj: Linear  // ffnWidth to width
  }

  private let configuration: LlamaConfiguration
  private let rope: RoPE
  private let pool: ThreadPool
  private let scratch = Workspace()

  var cosSinWidth: Int { configuration.headDim }

  /// x = embed_tokens[id]
  func embed(_ ids: [Int], at first: Int, into x: Matrix, _ cosSin: Matrix) {
    for (row, id) in ids.enumerated() {
      embed_tokens.copyRow(id, to: x.row(row))
      rope.writeCosSin(ofPosition: first + row, into: cosSin.row(row))
    }
  }

  /// n = input_layernorm(x); q, k = rope(q_norm(q_proj(n))), rope(k_norm(k_proj(n))); v = v_proj(n)
  func projectQKV(_ x: Matrix, _ cosSin: Matrix, layer: Int, into qkv: Matrix) {
    let (c, block) = (configuration, layers[layer])
    let normed = scratch.matrix((x.rows, x.columns))
    rmsNorm(x, block.input_layernorm, into: normed, pool)
    linear(normed, adjacent: [block.q_proj, block.k_proj, block.v_proj], into: qkv, pool)
    // About 4 operations per number: two for RoPE, two for the norm of queries and keys.
    pool.run(qkv.rows, unit: 8, cost: 4 * qkv.rows * qkv.columns) { rows in
      for row in rows {
        for head in 0..<c.heads + c.kvHeads {
          let numbers = qkv.row(row) + head * c.headDim
          (head < c.heads ? block.q_norm : block.k_norm)?.normalize(numbers, into: numbers)
          rope.apply(cosSin.row(row), to: numbers)
        }
      }
    }
  }

  func attentionScale(layer: Int) -> Float { 1 / Float(configuration.headDim).squareRoot() }

  /// x = x + o_proj(heads); n = post_attention_layernorm(x); x = x + down_proj(silu(gate_proj(n)) · up_proj(n))
  func addAttentionOutputAndMLP(_ heads: Matrix, layer: Int, to x: Matrix) {
    let block = layers[layer]
    linear(heads, block.o_proj, into: x, .addToOutput, pool)

    let ffn = configuration.ffnWidth
    let (normed, gatesAndUps, hidden) = scratch.matrices((x.rows, x.columns), (x.rows, 2 * ffn), (x.rows, ffn))
    rmsNorm(x, block.post_attention_layernorm, into: normed, pool)
    linear(normed, adjacent: [block.gate_proj, block.up_proj], into: gatesAndUps, pool)
    swiglu(gatesAndUps, into: hidden, pool)
    linear(hidden, block.down_proj, into: x, .addToOutput, pool)
  }

  func finalNorm(_ x: Matrix, into output: Matrix) { rmsNorm(x, norm, into: output, pool) }
}

extension Llama {
  init(_ checkpoint: Checkpoint, _ configuration: LlamaConfiguration, _ pool: ThreadPool) throws(CheckpointError) {
    func vector(_ name: String) throws(CheckpointError) -> WeightVector { WeightVector(try checkpoint.tensor(name)) }
    func norm(_ name: String) throws(CheckpointError) -> RMSNorm {
      RMSNorm(weight: try vector("\(name).weight"), epsilon: configuration.normEpsilon)
    }
    func projection(_ name: String, hasBias: Bool) throws(CheckpointError) -> Linear {
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
          q_proj: try projection("\(attention).q_proj", hasBias: c.hasQueryKeyValueBiases),
          k_proj: try projection("\(attention).k_proj", hasBias: c.hasQueryKeyValueBiases),
          v_proj: try projection("\(attention).v_proj", hasBias: c.hasQueryKeyValueBiases),
          q_norm: c.normalizesQueriesAndKeys ? try norm("\(attention).q_norm") : nil,
          k_norm: c.normalizesQueriesAndKeys ? try norm("\(attention).k_norm") : nil,
          o_proj: try projection("\(attention).o_proj", hasBias: c.hasAttentionOutputBias),
          post_attention_layernorm: try norm("layers.\(layer).post_attention_layernorm"),
          gate_proj: try projection("\(mlp).gate_proj", hasBias: c.hasFeedForwardBiases),
          up_proj: try projection("\(mlp).up_proj", hasBias: c.hasFeedForwardBiases),
          down_proj: try projection("\(mlp).down_proj", hasBias: c.hasFeedForwardBiases)))
    }
    layers = blocks
    self.norm = try norm("norm")
    let frequencyFactors = c.rope.scaling == .frequencyFactors ? try checkpoint.readFrequencyFactors() : []
    rope = RoPE(c.rope, headDim: c.headDim, frequencyFactors: frequencyFactors)
    (self.configuration, self.pool) = (configuration, pool)
  }
}

extension Checkpoint {
  /// Returns the divisors of the frequencies of RoPE (headDim / 2).
  ///
  /// - Throws: `CheckpointError` if the tensor is missing, or if a factor is not finite or is too small.
  fileprivate func readFrequencyFactors() throws(CheckpointError) -> [Float] {
    let tensor = try tensor("rope_freqs.weight")
    let frequencyFactors = WeightVector(tensor).array
    for (index, factor) in frequencyFactors.enumerated() {
      guard factor.isFinite, Double(factor) >= RoPEConfiguration.leastFrequencyFactor else {
        throw .unusable(
          file: tensor.file.path,
          reason: "\"\(tensor.name)\"[\(index)] is \(factor); it must be finite and at least "
            + "\(RoPEConfiguration.leastFrequencyFactor)")
      }
    }
    return frequencyFactors
  }
}
