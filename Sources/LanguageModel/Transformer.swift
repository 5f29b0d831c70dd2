import Checkpoint
import Platform
import Threads

/// A decoder-only transformer: token ids in, logits out. Weights stay in the mapped files; all arithmetic is float32.
///
/// The logits of a position are a function of the ids up to that position and of nothing else. The number of threads
/// and the positions computed in the same batch do not change the result in any bit. For this reason the kernels use a
/// fixed order of summation, and `repair` covers models with weights that are not finite.
///
///     let model = try Transformer(Checkpoint(location), threads: 2)
///     let cache = model.makeCache()
///     try model.forward(ids, cache, logitsAt: ids.count - 1..<ids.count) { position, logits in … }
public final class Transformer {
  public let configuration: ModelConfiguration
  private let checkpoint: Checkpoint  // keeps the files mapped
  private let architecture: any Architecture
  // Named after the tensor in the checkpoint.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  private let lm_head: Linear  // width to vocabulary
  private let pool: ThreadPool
  // One workspace for each lifetime, because a second call invalidates the matrices of the first: a batch, its repair,
  // a block, some rows of logits.
  private let workspace = Workspace()
  private let repairWorkspace = Workspace()
  private let blockWorkspace = Workspace()
  private let headWorkspace = Workspace()

  /// - Parameter threads: the number of threads; limited to the number of processors.
  public convenience init(_ checkpoint: Checkpoint, threads: Int) throws(CheckpointError) {
    try self.init(checkpoint, ThreadPool(threads: threads))
  }

  /// - Throws: `CheckpointError` if a tensor is missing or has the wrong shape.
  public init(_ checkpoint: Checkpoint, _ pool: ThreadPool) throws(CheckpointError) {
    self.checkpoint = checkpoint
    configuration = checkpoint.configuration
    checkpoint.readAhead()  // before any weight is read, because scattered reads do not get large pages
    self.pool = pool
    switch configuration {
    case .gpt2(let configuration): architecture = try GPT2(checkpoint, configuration, pool)
    case .llama(let configuration): architecture = try Llama(checkpoint, configuration, pool)
    }
    lm_head = Linear(weight: WeightMatrix(try checkpoint.outputHead()))
    pool.expect(cost: lm_head.weight.rows * lm_head.weight.columns)  // the logits of one position
  }

  /// Returns a KV cache for a sequence that will grow.
  public func makeCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: true) }

  /// Returns a KV cache for a sequence that is computed in one batch. It takes the memory of one layer.
  public func makeSinglePassCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: false) }

  /// Returns a KV cache that is stored in a file, or one in memory if the file cannot be used.
  ///
  /// - Parameter report: called with warnings; the caller prints the name of the file before them.
  public func makeCache(inFile path: Path, report: @escaping (String) -> Void) -> KeyValueCache {
    do {
      return KeyValueCache(try CacheFile(path: path, configuration, model: checkpoint.identity, pool, report: report))
    } catch {
      report("\(error.reason); continuing without a cache")
      return makeCache()
    }
  }

  /// The new tokens of one sequence in a batch.
  public struct BatchEntry {
    /// The ids after the positions in the cache; at least one.
    public let ids: [Int]
    let cache: KeyValueCache
    /// The positions that need logits, counted from the start of the sequence; all are new positions.
    let logitPositions: Range<Int>

    public init(_ ids: [Int], _ cache: KeyValueCache, logitsAt positions: Range<Int>) {
      (self.ids, self.cache, logitPositions) = (ids, cache, positions)
    }

    /// Returns the batch without the cache files that another program has changed, or nil if no file was changed.
    fileprivate static func detachingChangedFiles(_ entries: [BatchEntry]) -> [BatchEntry]? {
      guard entries.contains(where: { !$0.cache.isIntact }) else { return nil }
      return entries.map { $0.cache.isIntact ? $0 : $0.detachingFile() }
    }

    /// Returns an entry that computes the sequence from its first position, without the cache file.
    private func detachingFile() -> BatchEntry {
      let ids = cache.ids + ids
      cache.detachFile()
      return BatchEntry(ids, cache, logitsAt: logitPositions)
    }
  }

  /// Computes the positions of `ids`, which follow the positions in the cache, adds them to the cache, and calls
  /// `visit` with the logits (vocabulary) of each of `positions`, in order. Positions are counted from the start of the
  /// sequence.
  ///
  /// - Precondition: all ids are in the vocabulary, the sequence fits the context length, and `positions` are among the
  ///   new positions.
  public func forward(
    _ ids: [Int], _ cache: KeyValueCache, logitsAt positions: Range<Int>,
    _ visit: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forward([BatchEntry(ids, cache, logitsAt: positions)]) { try visit($1, $2) }
  }

  /// Computes a batch of sequences, each with its own cache, and calls `visit` with the index of the entry, the
  /// position and its logits (vocabulary). The weights are read once for the whole batch.
  ///
  /// - Precondition: as for one sequence.
  public func forward(
    _ entries: [BatchEntry],
    _ visit: (_ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    // Checked before the batch, so that nothing is written to a file that another program changed, and again after its
    // keys and values have been used.
    if let entries = BatchEntry.detachingChangedFiles(entries) { return try forward(entries, visit) }
    let c = configuration
    var segments: [BatchSegment] = []  // rows of x (n, width)
    var logitSegments: [BatchSegment] = []  // the rows of x that need logits
    var n = 0
    for entry in entries {
      let (ids, cache) = (entry.ids, entry.cache)
      let positions = cache.count..<cache.count + ids.count
      precondition(
        !ids.isEmpty && positions.upperBound <= c.contextLength && ids.allSatisfy((0..<c.vocabularySize).contains))
      precondition(entry.logitPositions.clamped(to: positions) == entry.logitPositions)
      cache.reserve(positions.upperBound)
      let segment = BatchSegment(rows: n..<n + ids.count, first: cache.count, cache: cache)
      segments.append(segment)
      logitSegments.append(segment.part(at: entry.logitPositions))
      n += ids.count
    }
    let last = runBlocks(entries.map(\.ids), segments, logitSegments, in: workspace)
    repair(last, logitSegments.compacted, entries)
    if let entries = BatchEntry.detachingChangedFiles(entries) { return try forward(entries, visit) }
    for (entry, segment) in zip(entries, segments) { segment.cache.append(entry.ids) }

    let visits = entries.indices.flatMap { index in entries[index].logitPositions.map { (index, $0) } }
    try logits(of: last) { row, logits in try visit(visits[row].0, visits[row].1, logits) }
  }

  /// Runs all blocks for the positions of some sequences and stores their keys and values in the KV caches.
  ///
  /// - Parameters:
  ///   - segments: the positions of each sequence as rows of x (n, width), one sequence after the other.
  ///   - logitSegments: the positions that need logits: a part of each segment.
  /// - Returns: the output of the last block for `logitSegments` (rows of logits, width), valid until the workspace is
  ///   next used.
  private func runBlocks(
    _ ids: [[Int]], _ segments: [BatchSegment], _ logitSegments: [BatchSegment], in workspace: Workspace
  ) -> Matrix {
    let c = configuration
    let n = segments.rowCount
    let (x, cosSin, last) = workspace.matrices(
      (n, c.width), (n, architecture.cosSinWidth), (logitSegments.rowCount, c.width))
    for (ids, segment) in zip(ids, segments) {
      architecture.embed(ids, at: segment.first, into: x.rows(segment.rows), cosSin.rows(segment.rows))
    }
    for layer in 0..<c.layers - 1 {
      for rows in microBatches(of: n) { runBlock(x.rows(rows), cosSin.rows(rows), layer, segments.clamped(to: rows)) }
    }
    // In the last layer, only rows that need logits go through attention output and MLP: nothing else reads its output.
    var firstRow = 0
    for rows in microBatches(of: n) {
      let kept = logitSegments.clamped(to: rows)
      let lastRow = firstRow + kept.rowCount
      runLastBlock(
        x.rows(rows), cosSin.rows(rows), segments.clamped(to: rows), keeping: kept, into: last.rows(firstRow..<lastRow))
      firstRow = lastRow
    }
    return last
  }

  /// Recomputes positions that are not finite only because they were computed together with others. Attention of
  /// several positions gives later positions the weight 0, and 0 · NaN is NaN, so values that are not finite corrupt up
  /// to five positions before them. After the repair each position has the logits, keys and values that it has alone.
  ///
  /// If values of a position are not finite in one layer, they are not finite in the last layer, which every cache has.
  /// The positions before the first such position are computed again as one batch. From there on, positions are
  /// computed one at a time, up to the first that is not finite when computed alone. No position after it is finite,
  /// however it is computed.
  ///
  /// - Parameters:
  ///   - last: the output of the last block for the positions that need logits.
  ///   - logitSegments: the rows of each sequence in `last`.
  private func repair(_ last: Matrix, _ logitSegments: [BatchSegment], _ entries: [BatchEntry]) {
    var damaged: [(sequence: DamagedSequence, position: Int)] = []
    for (entry, logitSegment) in zip(entries, logitSegments) where entry.ids.count > 1 {
      let (cache, first) = (entry.cache, entry.cache.count)
      guard !logitSegment.rows.allSatisfy({ isFinite(last.row($0), count: last.columns) }),
        let position = (first..<first + entry.ids.count).first(where: { !hasFiniteValues(cache, at: $0) })
      else { continue }
      let keepsLayers = cache.shape.layers == configuration.layers
      let sequence = DamagedSequence(
        entry: entry, first: first, target: logitSegment, cache: keepsLayers ? cache : makeCache())
      sequence.cache.reserve(first + entry.ids.count)
      damaged.append((sequence, position))
    }
    recompute(damaged.map { ($0.sequence, $0.sequence.first..<$0.position) }.filter { !$0.1.isEmpty }, into: last)
    while !damaged.isEmpty {
      recompute(damaged.map { ($0.sequence, $0.position..<$0.position + 1) }, into: last)
      damaged = damaged.filter {
        hasFiniteValues($0.sequence.cache, at: $0.position)
          && $0.position + 1 < $0.sequence.first + $0.sequence.entry.ids.count
      }.map { ($0.sequence, $0.position + 1) }
    }
  }

  /// A sequence whose output is not finite.
  private struct DamagedSequence {
    let entry: BatchEntry
    /// The position of the first id of the entry.
    let first: Int
    /// The rows of the sequence in the output.
    let target: BatchSegment
    /// A cache with all layers.
    let cache: KeyValueCache
  }

  /// Recomputes positions of some sequences and replaces the output of the positions that need logits.
  private func recompute(_ parts: [(sequence: DamagedSequence, positions: Range<Int>)], into last: Matrix) {
    guard !parts.isEmpty else { return }
    var n = 0
    let segments = parts.map { sequence, positions in
      defer { n += positions.count }
      return BatchSegment(rows: n..<n + positions.count, first: positions.lowerBound, cache: sequence.cache)
    }
    let logitPositions = parts.map { $0.entry.logitPositions.clamped(to: $1) }
    let ids = parts.map { sequence, positions in
      Array(sequence.entry.ids[(positions.lowerBound - sequence.first)..<(positions.upperBound - sequence.first)])
    }
    let output = runBlocks(ids, segments, zip(segments, logitPositions).map { $0.part(at: $1) }, in: repairWorkspace)
    var row = 0
    for (part, positions) in zip(parts, logitPositions) {
      let sequence = part.sequence
      for position in positions {
        let target = sequence.target.rows.lowerBound + position - sequence.entry.logitPositions.lowerBound
        last.row(target).update(from: output.row(row), count: last.columns)
        row += 1
      }
    }
  }

  private func hasFiniteValues(_ cache: KeyValueCache, at position: Int) -> Bool {
    cache.hasFiniteValues(at: position, layer: configuration.layers - 1)
  }

  /// Runs one transformer block in place for x (n, width), whose rows are positions of some sequences, and stores their
  /// keys and values in the KV caches.
  private func runBlock(_ x: Matrix, _ cosSin: Matrix, _ layer: Int, _ segments: [BatchSegment]) {
    let (qkv, heads) = attentionMatrices(rows: x.rows, queries: x.rows)
    architecture.projectQKV(x, cosSin, layer: layer, into: qkv)
    storeKeysAndValues(qkv, segments, layer)
    attend(qkv, segments, layer, into: heads)
    architecture.addAttentionOutputAndMLP(heads, layer: layer, to: x)
  }

  /// Runs the last block: computes keys and values of all rows of x (n, width), but the output of the rows `kept` only:
  /// y (kept, width).
  private func runLastBlock(
    _ x: Matrix, _ cosSin: Matrix, _ segments: [BatchSegment], keeping kept: [BatchSegment], into y: Matrix
  ) {
    let layer = configuration.layers - 1
    let (qkv, heads) = attentionMatrices(rows: x.rows, queries: y.rows)
    architecture.projectQKV(x, cosSin, layer: layer, into: qkv)
    storeKeysAndValues(qkv, segments, layer)
    guard y.rows > 0 else { return }
    compactRows(of: x, keeping: kept, into: y)
    compactRows(of: qkv, keeping: kept, into: qkv)
    attend(qkv.rows(0..<y.rows), kept.compacted, layer, into: heads)
    architecture.addAttentionOutputAndMLP(heads, layer: layer, to: y)
  }

  /// Returns scratch matrices for qkv (rows, (heads + 2 · kvHeads) · headDim) and the outputs of the heads (queries,
  /// heads · headDim).
  private func attentionMatrices(rows: Int, queries: Int) -> (qkv: Matrix, heads: Matrix) {
    let c = configuration
    return blockWorkspace.matrices((rows, (c.heads + 2 * c.kvHeads) * c.headDim), (queries, c.heads * c.headDim))
  }

  private func attend(_ qkv: Matrix, _ segments: [BatchSegment], _ layer: Int, into heads: Matrix) {
    attention(
      qkv, segments, layer: layer, heads: configuration.heads, scale: architecture.attentionScale(layer: layer),
      into: heads, pool)
  }

  /// Stores the keys and values of qkv in the KV caches of the segments.
  private func storeKeysAndValues(_ qkv: Matrix, _ segments: [BatchSegment], _ layer: Int) {
    let heads = configuration.kvHeads
    pool.run(heads * segments.count, cost: qkv.rows * qkv.columns) { part in
      let segment = segments[part / heads]
      segment.cache.store(qkv.rows(segment.rows), layer: layer, head: part % heads, first: segment.first)
    }
  }

  /// Copies the rows `kept` to the start of `target`, one after the other.
  ///
  /// - Precondition: the rows are in ascending order. Then `target` may be `source`: a row is never copied to a later
  ///   row, and no row is overwritten before it is copied.
  private func compactRows(of source: Matrix, keeping kept: [BatchSegment], into target: Matrix) {
    for (row, from) in kept.lazy.flatMap(\.rows).enumerated() {
      target.row(row).update(from: source.row(from), count: source.columns)
    }
  }

  /// Divides n rows into as few micro-batches as possible, of about equal length, which is a multiple of MR.
  private func microBatches(of n: Int) -> [Range<Int>] {
    let count = (n + Self.maximumBatchTokens - 1) / Self.maximumBatchTokens
    let length = (n + count * microKernelRows - 1) / (count * microKernelRows) * microKernelRows
    return stride(from: 0, to: n, by: length).map { $0..<min($0 + length, n) }
  }

  /// Computes logits = lm_head · finalNorm(x), for some rows at a time: the logits of 1,024 positions with the
  /// vocabulary of GPT-2 would take 200 MB.
  private func logits(of x: Matrix, _ visit: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
    guard x.rows > 0 else { return }
    let vocabulary = configuration.vocabularySize
    for start in stride(from: 0, to: x.rows, by: Self.logitRows) {
      let rows = x.rows(start..<min(start + Self.logitRows, x.rows))
      let (normed, output) = headWorkspace.matrices((rows.rows, rows.columns), (rows.rows, vocabulary))
      architecture.finalNorm(rows, into: normed)
      linear(normed, lm_head, into: output, .store, pool)
      for row in 0..<rows.rows {
        try visit(start + row, UnsafeBufferPointer(start: output.row(row), count: vocabulary))
      }
    }
  }

  /// The size of a micro-batch. With fewer tokens, reading the weights takes longer than computing; with more, the
  /// activations take more memory without a gain in speed. A multiple of MR.
  public static let maximumBatchTokens = 43 * microKernelRows

  /// The rows whose logits are computed together: 10 MB of logits with the vocabulary of GPT-2.
  private static let logitRows = 48
}
