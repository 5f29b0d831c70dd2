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
  private let blockWorkspace = Workspace()
  private let headWorkspace = Workspace()

  /// - Parameter threads: how many threads compute, if the machine has processors for them.
  public init(_ checkpoint: Checkpoint, threads: Int) throws(CheckpointError) {
    self.checkpoint = checkpoint
    configuration = checkpoint.configuration
    checkpoint.readAhead()  // before a weight is touched: what is read here and there does not come in large pages
    weights = try GPT2Weights(checkpoint)
    pool = ThreadPool(threads: threads)
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

    let x = workspace.matrices([(n, c.n_embd)])[0]
    embed(ids, first, into: x)  // (n, n_embd)
    for layer in weights.blocks.indices {
      // After the last layer only those positions count whose logits are wanted.
      let needed = layer + 1 < c.n_layer ? 0..<n : wanted.lowerBound - first..<wanted.upperBound - first
      for rows in chunks(of: n) {
        let neededHere = needed.clamped(to: rows)
        transform(
          x.rows(rows), layer, first + rows.lowerBound, cache,
          needed: neededHere.lowerBound - rows.lowerBound..<neededHere.upperBound - rows.lowerBound)
      }
    }
    cache.append(n)

    let last = x.rows(wanted.lowerBound - first..<wanted.upperBound - first)
    try logits(of: last) { row, logits in try visit(wanted.lowerBound + row, logits) }
  }

  /// One transformer block, for some rows of x (n, n_embd) at the positions from `first` on: keys and values of all of
  /// them go into the cache, and the `needed` rows of x become the block's output.
  private func transform(_ x: Matrix, _ layer: Int, _ first: Int, _ cache: KeyValueCache, needed: Range<Int>) {
    let (c, block) = (configuration, weights.blocks[layer])
    let scratch = blockWorkspace.matrices([
      (x.rows, c.n_embd), (x.rows, 3 * c.n_embd), (x.rows, c.n_inner),
    ])
    let (normed, qkv, hidden) = (scratch[0], scratch[1], scratch[2].rows(0..<needed.count))

    // x = x + attention(ln_1(x))
    layerNorm(x, block.ln_1, into: normed, pool)
    columnProduct(normed, block.c_attn.weight, bias: block.c_attn.bias, into: qkv, .store, pool)  // (n, 3·n_embd)
    cache.store(qkv, layer: layer, first: first, pool)
    guard !needed.isEmpty else { return }
    let (y, mixed) = (x.rows(needed), normed.rows(needed))
    attention(
      qkv.rows(needed), first: first + needed.lowerBound, cache, layer: layer, scale: attentionScale(layer),
      into: mixed,
      pool)  // (n, n_embd)
    columnProduct(mixed, block.attn_c_proj.weight, bias: block.attn_c_proj.bias, into: y, .addToOutput, pool)

    // x = x + mlp(ln_2(x))
    layerNorm(y, block.ln_2, into: mixed, pool)
    columnProduct(mixed, block.c_fc.weight, bias: block.c_fc.bias, into: hidden, .gelu, pool)  // (n, n_inner)
    columnProduct(hidden, block.mlp_c_proj.weight, bias: block.mlp_c_proj.bias, into: y, .addToOutput, pool)
  }

  /// What the products of queries and keys are multiplied with.
  private func attentionScale(_ layer: Int) -> Float {
    let c = configuration
    let scale: Float = c.scalesAttention ? 1 / Float(c.headWidth).squareRoot() : 1
    return c.scalesAttentionByLayer ? scale / Float(layer + 1) : scale
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

  /// The rows of n, cut into as few and as equal chunks as memory should be spent on: multiples of a tile.
  private func chunks(of n: Int) -> [Range<Int>] {
    let count = (n + Self.chunkRows - 1) / Self.chunkRows
    let length = (n + count * tileRows - 1) / (count * tileRows) * tileRows
    return stride(from: 0, to: n, by: length).map { $0..<min($0 + length, n) }
  }

  /// logits = lm_head · ln_f(x), for some rows at a time: a vocabulary of logits for each of 1,024 positions would be
  /// 200 MB.
  private func logits(of x: Matrix, _ visit: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
    guard x.rows > 0 else { return }
    let vocabulary = configuration.vocabularySize
    for start in stride(from: 0, to: x.rows, by: Self.logitsRows) {
      let rows = x.rows(start..<min(start + Self.logitsRows, x.rows))
      let scratch = headWorkspace.matrices([(rows.rows, rows.columns), (rows.rows, vocabulary)])
      let (normed, output) = (scratch[0], scratch[1])
      layerNorm(rows, weights.ln_f, into: normed, pool)
      rowProduct(normed, weights.lm_head, into: output, pool)
      for row in 0..<rows.rows {
        try visit(start + row, UnsafeBufferPointer(start: output.row(row), count: vocabulary))
      }
    }
  }

  /// Whole tiles; memory for the activations of so many, and weights that are read again seldom enough.
  private static let chunkRows = 43 * tileRows
  /// Rows of which one reading of the head makes logits: 10 MB of them with GPT-2's vocabulary.
  private static let logitsRows = 48
}
