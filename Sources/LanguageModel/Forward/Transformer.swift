import Checkpoint
import Platform
import Threads

/// A decoder-only transformer: token ids in, logits out. Weights stay in the mapped files; all arithmetic is float32.
///
/// The logits of a position are a function of the ids up to that position and of nothing else. The number of threads
/// and the positions computed in the same batch do not change the result in any bit. For this reason the kernels use a
/// fixed order of summation, and `repair` covers models with weights that are not finite.
///
///     let model = try Transformer(ModelFiles(location), threads: 2)
///     let cache = model.makeCache()
///     try model.forward(ids, cache, logitsAt: ids.count - 1..<ids.count) { position, logits in … }
public final class Transformer {
  public let shape: ModelShape
  private let checkpoint: Checkpoint  // keeps the files mapped
  let model: any Network
  private let pool: ThreadPool
  // One workspace for each lifetime: a batch, its repair, a block or some rows of logits.
  let workspace = Workspace()
  let repairWorkspace = Workspace()
  private let blockWorkspace = Workspace()

  /// - Parameter threads: the number of threads; limited to the number of processors.
  public convenience init(_ files: ModelFiles, threads: Int) throws(CheckpointError) {
    let definition = try ModelDefinition(files)  // before the weights: its errors are the more helpful ones
    try self.init(Checkpoint(files), definition, ThreadPool(threads: threads))
  }

  /// - Parameter definition: the definition of the same files.
  /// - Throws: `CheckpointError` if a tensor is missing or has the wrong shape.
  public init(_ checkpoint: Checkpoint, _ definition: ModelDefinition, _ pool: ThreadPool) throws(CheckpointError) {
    (self.checkpoint, self.pool) = (checkpoint, pool)
    shape = definition.shape
    let weights = try WeightLoader(checkpoint, definition.family.names, shape)
    model = try definition.network(weights)
    try weights.finish(pool)
    pool.expect(cost: shape.vocabularySize * shape.width)  // the logits of one position
  }

  /// Returns a KV cache for a sequence that will grow.
  public func makeCache() -> KeyValueCache { KeyValueCache(shape, keepsLayers: true) }

  /// Returns a KV cache for a sequence that is computed in one batch. It takes the memory of one layer.
  public func makeSinglePassCache() -> KeyValueCache { KeyValueCache(shape, keepsLayers: false) }

  /// Returns a KV cache that is stored in a file, or one in memory if the file cannot be used.
  ///
  /// - Parameter report: called with warnings; the caller prints the name of the file before them.
  public func makeCache(inFile path: Path, report: @escaping (String) -> Void) -> KeyValueCache {
    do {
      return KeyValueCache(try CacheFile(path: path, shape, model: checkpoint.identity, pool, report: report))
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
    if model.ropes.contains(where: \.isLengthDependent) { return try forwardByLength(entries, visit) }
    try forwardBatch(entries, visit)
  }

  /// Computes a batch of sequences whose caches have the right variants of RoPE.
  func forwardBatch(
    _ entries: [BatchEntry],
    _ visit: (_ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    // Checked before the batch, so that nothing is written to a file that another program changed, and again after its
    // keys and values have been used.
    if let entries = BatchEntry.detachingChangedFiles(entries) { return try forwardBatch(entries, visit) }
    var segments: [BatchSegment] = []  // rows of x (n, width)
    var logitSegments: [BatchSegment] = []  // the rows of x that need logits
    var n = 0
    for entry in entries {
      let (ids, cache) = (entry.ids, entry.cache)
      let positions = cache.count..<cache.count + ids.count
      precondition(
        !ids.isEmpty && positions.upperBound <= shape.contextLength
          && ids.allSatisfy((0..<shape.vocabularySize).contains))
      precondition(entry.logitPositions.clamped(to: positions) == entry.logitPositions)
      cache.reserve(positions.upperBound)
      let segment = BatchSegment(rows: n..<n + ids.count, first: cache.count, cache: cache)
      segments.append(segment)
      logitSegments.append(segment.part(at: entry.logitPositions))
      n += ids.count
    }
    let last = runBlocks(entries.map(\.ids), segments, logitSegments, in: workspace)
    repair(last, logitSegments.compacted, entries)
    if let entries = BatchEntry.detachingChangedFiles(entries) { return try forwardBatch(entries, visit) }
    for (entry, segment) in zip(entries, segments) { segment.cache.append(entry.ids) }

    let visits = entries.indices.flatMap { index in entries[index].logitPositions.map { (index, $0) } }
    try logits(of: last) { row, logits in try visit(visits[row].0, visits[row].1, logits) }
  }

  /// Runs all blocks, without looking at x between them.
  func runBlocks(
    _ ids: [[Int]], _ segments: [BatchSegment], _ logitSegments: [BatchSegment], in workspace: Workspace,
    _ probe: AttentionProbe? = nil
  ) -> Matrix {
    runBlocks(ids, segments, logitSegments, in: workspace, probe) { _, _ in }
  }

  /// Runs all blocks for the positions of some sequences and stores their keys and values in the KV caches.
  ///
  /// - Parameters:
  ///   - segments: the positions of each sequence as rows of x (n, width), one sequence after the other.
  ///   - logitSegments: the positions that need logits: a part of each segment.
  ///   - probe: collects attention weights of the positions that need logits, and sets the number of layers that are
  ///     computed. If these are not all layers, the result is undefined.
  ///   - beforeLayer: called before each layer with its number, from 0, and x.
  /// - Returns: the output of the last block for `logitSegments` (rows of logits, width), valid until the workspace is
  ///   next used.
  func runBlocks(
    _ ids: [[Int]], _ segments: [BatchSegment], _ logitSegments: [BatchSegment], in workspace: Workspace,
    _ probe: AttentionProbe? = nil, beforeLayer: (_ layer: Int, _ x: Matrix) throws -> Void
  ) rethrows -> Matrix {
    let n = segments.rowCount
    workspace.reset()
    let x = workspace.matrix(n, shape.width)
    let last = workspace.matrix(logitSegments.rowCount, shape.width)
    let cosSin = model.ropes.map { workspace.matrix(n, $0.rotaryDim) }
    for (ids, segment) in zip(ids, segments) {
      model.embed(ids, at: segment.first, into: x.rows(segment.rows))
      for (number, (rope, table)) in zip(model.ropes, cosSin).enumerated() {
        let variant = segment.cache.ropeVariants.isEmpty ? 0 : segment.cache.ropeVariants[number]
        rope.writeCosSin(from: segment.first, variant: variant, into: table.rows(segment.rows))
      }
    }
    var firstRow = 0
    for layer in 0..<(probe?.layers ?? shape.layers) {
      try beforeLayer(layer, x)
      for rows in microBatches(of: n) {
        blockWorkspace.reset()
        // In the last layer, only rows that need logits go through attention output and MLP: nothing else reads its
        // output.
        let kept = layer == shape.layers - 1 ? logitSegments.clamped(to: rows) : nil
        let pass = Pass(
          shape: shape, layer: layer, segments: segments.clamped(to: rows), keptSegments: kept,
          cosSin: cosSin.map { $0.rows(rows) }, ropes: model.ropes, pool: pool, workspace: blockWorkspace,
          probe: probe)
        let output = model.block(x.rows(rows), layer, pass)
        guard kept != nil else { continue }
        for row in 0..<output.rows {
          last.row(firstRow + row).update(from: output.row(row), count: output.columns)
        }
        firstRow += output.rows
      }
    }
    return last
  }

  /// Divides n rows into as few micro-batches as possible, of about equal length, which is a multiple of MR.
  private func microBatches(of n: Int) -> [Range<Int>] {
    let count = (n + Self.maximumBatchTokens - 1) / Self.maximumBatchTokens
    let length = (n + count * microKernelRows - 1) / (count * microKernelRows) * microKernelRows
    return stride(from: 0, to: n, by: length).map { $0..<min($0 + length, n) }
  }

  /// Computes logits = lm_head · finalNorm(x), for some rows at a time: the logits of 1,024 positions with the
  /// vocabulary of GPT-2 would take 200 MB.
  func logits(of x: Matrix, _ visit: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
    for start in stride(from: 0, to: x.rows, by: Self.logitRows) {
      blockWorkspace.reset()
      let pass = Pass(
        shape: shape, layer: shape.layers, segments: [], keptSegments: nil, cosSin: [], ropes: [], pool: pool,
        workspace: blockWorkspace)
      let rows = x.rows(start..<min(start + Self.logitRows, x.rows))
      let logits = pass.linear(model.finalNorm(rows, pass), model.lm_head)
      if shape.logitScale != 1 { scale(logits, by: shape.logitScale, pool) }
      if let cap = shape.logitSoftcap { softcap(logits, cap: cap, pool) }
      for row in 0..<rows.rows {
        try visit(start + row, UnsafeBufferPointer(start: logits.row(row), count: logits.columns))
      }
    }
  }

  /// The size of a micro-batch. With fewer tokens, reading the weights takes longer than computing; with more, the
  /// activations take more memory without a gain in speed. A multiple of MR.
  public static let maximumBatchTokens = 43 * microKernelRows

  /// The rows whose logits are computed together: 10 MB of logits with the vocabulary of GPT-2.
  private static let logitRows = 48
}
