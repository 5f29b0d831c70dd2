import Checkpoint
import Threads

/// GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019): token ids in, the scores of
/// every token of the vocabulary out. Weights stay where they are mapped; all arithmetic is float32.
///
/// The logits of a position are a function of the ids up to it and of nothing else: not of the number of threads, nor
/// of how many positions are computed together. The kernels say how.
public final class GPT2 {
  public let configuration: GPT2Configuration
  private let checkpoint: Checkpoint  // keeps the files mapped
  private let weights: GPT2Weights
  private let pool: ThreadPool
  private let workspace = Workspace()
  private let logitsWorkspace = Workspace()

  /// - Parameter threads: into how many parts each product is cut.
  public init(_ checkpoint: Checkpoint, threads: Int) throws(CheckpointError) {
    self.checkpoint = checkpoint
    configuration = checkpoint.configuration
    weights = try GPT2Weights(checkpoint)
    pool = ThreadPool(parts: threads)
  }

  /// A cache for a sequence that will grow.
  public func makeCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: true) }

  /// A cache for a sequence that is computed in one pass: it needs the memory of one layer.
  public func makeSinglePassCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: false) }

  /// Computes the positions of `ids`, which follow those in the cache, adds them to the cache, and calls `visit` with
  /// the logits (vocabulary) of each position in `wanted`, in order. Positions count from the start of the sequence.
  ///
  /// - Precondition: every id is in the vocabulary, the sequence fits `n_positions`, and `wanted` lies in the new positions.
  public func forward(
    _ ids: [Int], _ cache: KeyValueCache, logitsAt wanted: Range<Int>,
    _ visit: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let c = configuration
    let (first, n) = (cache.count, ids.count)
    precondition(n > 0 && first + n <= c.n_positions && ids.allSatisfy((0..<c.vocabularySize).contains))
    precondition(wanted.lowerBound >= first && wanted.upperBound <= first + n)
    cache.reserve(first + n)

    let scratch = workspace.matrices([
      (n, c.n_embd), (n, c.n_embd), (n, 3 * c.n_embd), (n, c.n_inner),
      (pool.parts * attentionTileRows, cache.paddedLength(first + n)),
    ])
    let (x, normed, qkv, hidden, scores) = (scratch[0], scratch[1], scratch[2], scratch[3], scratch[4])

    embed(ids, first, into: x)  // (n, n_embd)
    for (layer, block) in weights.blocks.enumerated() {
      // x = x + attention(ln_1(x))
      layerNorm(x, block.ln_1, into: normed, pool)
      columnProduct(normed, block.c_attn.weight, bias: block.c_attn.bias, into: qkv, .store, pool)  // (n, 3·n_embd)
      attention(qkv, layer, cache, scores, into: normed)  // (n, n_embd)
      columnProduct(normed, block.attn_c_proj.weight, bias: block.attn_c_proj.bias, into: x, .addToOutput, pool)

      // x = x + mlp(ln_2(x))
      layerNorm(x, block.ln_2, into: normed, pool)
      columnProduct(normed, block.c_fc.weight, bias: block.c_fc.bias, into: hidden, .gelu, pool)  // (n, n_inner)
      columnProduct(hidden, block.mlp_c_proj.weight, bias: block.mlp_c_proj.bias, into: x, .addToOutput, pool)
    }
    cache.append(n)

    let last = x.rows(wanted.lowerBound - first..<wanted.upperBound - first)
    try logits(of: last, normed.rows(0..<last.rows)) { row, logits in try visit(wanted.lowerBound + row, logits) }
  }

  /// x = wte[id] + wpe[position]
  private func embed(_ ids: [Int], _ first: Int, into x: Matrix) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: x.columns) { buffer in
      let position = buffer.baseAddress.unsafelyUnwrapped  // n_embd is not zero
      for (row, id) in ids.enumerated() {
        weights.wte.copyRow(id, to: x.row(row))
        weights.wpe.copyRow(first + row, to: position)
        for column in 0..<x.columns { x.row(row)[column] += position[column] }
      }
    }
  }

  /// Causal multi-head self-attention. qkv (n, 3·n_embd) holds queries, keys and values; output (n, n_embd).
  private func attention(_ qkv: Matrix, _ layer: Int, _ cache: KeyValueCache, _ scores: Matrix, into output: Matrix) {
    let c = configuration
    let (width, first) = (c.headWidth, cache.count)
    var scale: Float = c.scalesAttention ? 1 / Float(width).squareRoot() : 1
    if c.scalesAttentionByLayer { scale /= Float(layer + 1) }
    let operations = 2 * qkv.rows * (first + qkv.rows) * c.n_embd
    pool.run(isSmall: operations < ThreadPool.smallWork) { part in
      for head in stride(from: part, to: c.n_head, by: pool.parts) {
        for row in 0..<qkv.rows {
          let query = qkv.row(row) + head * width
          cache.store(
            key: query + c.n_embd, value: query + 2 * c.n_embd, layer: layer, head: head, position: first + row)
        }
        for row in stride(from: 0, to: qkv.rows, by: attentionTileRows) {
          attend(
            qkv.row(row) + head * width, queryStride: qkv.columns, first: first + row,
            count: min(attentionTileRows, qkv.rows - row), scale: scale, cache, layer: layer, head: head,
            scores: scores.row(part * attentionTileRows), outputs: output.row(row) + head * width,
            outputStride: output.columns)
        }
      }
    }
  }

  /// logits = lm_head · ln_f(x), for some rows at a time: a vocabulary of logits for each of 1,024 positions would be
  /// 200 MB.
  private func logits(
    of x: Matrix, _ normed: Matrix, _ visit: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    guard x.rows > 0 else { return }
    layerNorm(x, weights.ln_f, into: normed, pool)
    let vocabulary = configuration.vocabularySize
    for start in stride(from: 0, to: x.rows, by: Self.logitsRows) {
      let rows = start..<min(start + Self.logitsRows, x.rows)
      let output = logitsWorkspace.matrices([(rows.count, vocabulary)])[0]
      rowProduct(normed.rows(rows), weights.lm_head, into: output, pool)
      for row in rows {
        try visit(row, UnsafeBufferPointer(start: output.row(row - start), count: vocabulary))
      }
    }
  }

  private static let logitsRows = 16
}
