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
    guard case .gpt2(let configuration) = checkpoint.configuration, configuration.layout == .inputsByOutputs else {
      throw .unusable(
        file: checkpoint.location.path,
        reason: "computing with \(checkpoint.configuration.modelType) from these files is not implemented yet")
    }
    self.configuration = configuration
    checkpoint.readAhead()  // before a weight is touched: what is read here and there does not come in large pages
    weights = try GPT2Weights(checkpoint, configuration)
    pool = ThreadPool(threads: threads)
  }

  /// A cache for a sequence that will grow.
  public func makeCache() -> KeyValueCache { KeyValueCache(.gpt2(configuration), keepsLayers: true) }

  /// A cache for a sequence that is computed in one pass: it needs the memory of one layer.
  public func makeSinglePassCache() -> KeyValueCache { KeyValueCache(.gpt2(configuration), keepsLayers: false) }

  /// A cache that is kept in a file; where the file is of no use, one that is not.
  ///
  /// - Parameter report: is told what a person may want to know of it, in words that go behind the file's name.
  public func makeCache(inFile path: String, report: @escaping (String) -> Void) -> KeyValueCache {
    do {
      return KeyValueCache(
        try CacheFile(path: path, .gpt2(configuration), model: checkpoint.identity, pool, report: report))
    } catch {
      report("\(error.reason): computing without it")
      return makeCache()
    }
  }

  /// The next positions of one sequence.
  public struct Continuation {
    /// The ids of the positions, at least one: those that follow what is in the cache.
    public let ids: [Int]
    let cache: KeyValueCache
    /// The positions whose logits are wanted, counted from the start of the sequence; among the new ones.
    let wanted: Range<Int>

    public init(_ ids: [Int], _ cache: KeyValueCache, logitsAt wanted: Range<Int>) {
      (self.ids, self.cache, self.wanted) = (ids, cache, wanted)
    }
  }

  /// Computes the positions of `ids`, which follow those in the cache, adds them to the cache, and calls `visit` with
  /// the logits (vocabulary) of each position in `wanted`, in order. Positions count from the start of the sequence.
  ///
  /// - Precondition: every id is in the vocabulary, the sequence fits `n_positions`, and `wanted` lies in the new positions.
  public func forward(
    _ ids: [Int], _ cache: KeyValueCache, logitsAt wanted: Range<Int>,
    _ visit: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forward([Continuation(ids, cache, logitsAt: wanted)]) { try visit($1, $2) }
  }

  /// The same for several sequences with caches of their own at once: the weights are read once for all of them.
  public func forward(
    _ continuations: [Continuation],
    _ visit: (_ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let c = configuration
    var sequences: [SequenceRows] = []  // rows of x (n, n_embd)
    var wanted: [SequenceRows] = []  // those of them whose logits are wanted
    var n = 0
    for continuation in continuations {
      let (ids, cache) = (continuation.ids, continuation.cache)
      let positions = cache.count..<cache.count + ids.count
      precondition(
        !ids.isEmpty && positions.upperBound <= c.n_positions && ids.allSatisfy((0..<c.vocabularySize).contains))
      precondition(continuation.wanted.clamped(to: positions) == continuation.wanted)
      cache.reserve(positions.upperBound)
      let rows = n..<n + ids.count
      sequences.append(SequenceRows(rows: rows, first: cache.count, cache: cache))
      wanted.append(sequences[sequences.count - 1].part(at: continuation.wanted))
      n = rows.upperBound
    }
    let matrices = workspace.matrices([(n, c.n_embd), (wanted.reduce(0) { $0 + $1.rows.count }, c.n_embd)])
    let (x, last) = (matrices[0], matrices[1])
    for (continuation, sequence) in zip(continuations, sequences) {
      embed(continuation.ids, sequence.first, into: x.rows(sequence.rows))
    }
    for layer in 0..<c.n_layer - 1 {
      for rows in chunks(of: n) { transform(x.rows(rows), layer, sequences.within(rows)) }
    }
    // The last layer's output is of interest only where logits are wanted.
    var filled = 0
    for rows in chunks(of: n) {
      let kept = wanted.within(rows)
      let count = kept.reduce(0) { $0 + $1.rows.count }
      transform(
        x.rows(rows), c.n_layer - 1, sequences.within(rows), keeping: kept, in: last.rows(filled..<filled + count))
      filled += count
    }
    for (continuation, sequence) in zip(continuations, sequences) { sequence.cache.append(continuation.ids) }

    let places = continuations.indices.flatMap { index in continuations[index].wanted.map { (index, $0) } }
    try logits(of: last) { row, logits in try visit(places[row].0, places[row].1, logits) }
  }

  /// One transformer block, for rows of x (n, n_embd) that are positions of some sequences: their keys and values go
  /// into the caches, and x becomes the block's output.
  private func transform(_ x: Matrix, _ layer: Int, _ sequences: [SequenceRows]) {
    transform(x, layer, sequences, keeping: nil, in: x)
  }

  /// The same, but of the output only the rows `kept` are computed, and moved together in y (kept, n_embd).
  private func transform(
    _ x: Matrix, _ layer: Int, _ sequences: [SequenceRows], keeping kept: [SequenceRows]?, in y: Matrix
  ) {
    let (c, block) = (configuration, weights.blocks[layer])
    let scratch = blockWorkspace.matrices([
      (x.rows, c.n_embd), (x.rows, 3 * c.n_embd), (y.rows, c.n_inner),
    ])
    let (normed, qkv, hidden) = (scratch[0], scratch[1], scratch[2])

    // x = x + attention(ln_1(x))
    layerNorm(x, block.ln_1, into: normed, pool)
    linear(normed, block.c_attn, into: qkv, .store, pool)  // (n, 3·n_embd)
    store(qkv, sequences, layer)
    guard y.rows > 0 else { return }
    if let kept {
      move(kept, of: x, to: y)
      move(kept, of: qkv, to: qkv)
    }
    let mixed = normed.rows(0..<y.rows)
    attention(
      qkv.rows(0..<y.rows), kept?.together ?? sequences, layer: layer, heads: c.n_head, scale: attentionScale(layer),
      into: mixed, pool)  // (n, n_embd)
    linear(mixed, block.attn_c_proj, into: y, .addToOutput, pool)

    // x = x + mlp(ln_2(x))
    layerNorm(y, block.ln_2, into: mixed, pool)
    linear(mixed, block.c_fc, into: hidden, .gelu, pool)  // (n, n_inner)
    linear(hidden, block.mlp_c_proj, into: y, .addToOutput, pool)
  }

  /// Puts the keys and values of qkv (n, 3·n_embd) into the sequences' caches.
  private func store(_ qkv: Matrix, _ sequences: [SequenceRows], _ layer: Int) {
    let heads = configuration.n_head
    pool.run(heads * sequences.count, operations: qkv.rows * qkv.columns) { part in
      let sequence = sequences[part / heads]
      sequence.cache.store(qkv.rows(sequence.rows), layer: layer, head: part % heads, first: sequence.first)
    }
  }

  /// Copies rows to the beginning of a matrix, one behind the other; it may be the same matrix.
  private func move(_ kept: [SequenceRows], of source: Matrix, to target: Matrix) {
    for (row, from) in kept.lazy.flatMap(\.rows).enumerated() {
      target.row(row).update(from: source.row(from), count: source.columns)
    }
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
      linear(normed, weights.lm_head, into: output, .store, pool)
      for row in 0..<rows.rows {
        try visit(start + row, UnsafeBufferPointer(start: output.row(row), count: vocabulary))
      }
    }
  }

  /// So many positions keep the arithmetic busy: with fewer, a pass waits for the weights to be read.
  public static let positionsOfPass = chunkRows

  /// Whole tiles; memory for the activations of so many, and weights that are read again seldom enough.
  private static let chunkRows = 43 * tileRows
  /// Rows of which one reading of the head makes logits: 10 MB of them with GPT-2's vocabulary.
  private static let logitsRows = 48
}
