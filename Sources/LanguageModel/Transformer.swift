import Checkpoint
import Platform
import Threads

/// A transformer that goes through a text once, from its beginning to its end: token ids in, the scores of every token of
/// the vocabulary out. Weights stay where they are mapped; all arithmetic is float32.
///
/// The logits of a position are a function of the ids up to it and of nothing else: not of the number of threads, nor
/// of how many positions are computed together. The kernels say how; `repair` sees to it for models with weights that are
/// not finite.
public final class Transformer {
  public let configuration: ModelConfiguration
  private let checkpoint: Checkpoint  // keeps the files mapped
  private let architecture: any Architecture
  private let lm_head: Linear  // width to vocabulary
  private let pool: ThreadPool
  private let workspace = Workspace()
  private let repairWorkspace = Workspace()
  private let blockWorkspace = Workspace()
  private let headWorkspace = Workspace()

  /// - Parameter threads: how many threads compute, if the machine has processors for them.
  public convenience init(_ checkpoint: Checkpoint, threads: Int) throws(CheckpointError) {
    try self.init(checkpoint, ThreadPool(threads: threads))
  }

  /// - Parameter pool: computes.
  public init(_ checkpoint: Checkpoint, _ pool: ThreadPool) throws(CheckpointError) {
    self.checkpoint = checkpoint
    configuration = checkpoint.configuration
    checkpoint.readAhead()  // before a weight is touched: what is read here and there does not come in large pages
    self.pool = pool
    switch configuration {
    case .gpt2(let configuration): architecture = try GPT2(checkpoint, configuration, pool)
    case .llama(let configuration): architecture = try Llama(checkpoint, configuration, pool)
    }
    lm_head = Linear(weight: WeightMatrix(try checkpoint.outputHead()))
    pool.expect(cost: lm_head.weight.rows * lm_head.weight.columns)  // one position's logits
  }

  /// A cache for a sequence that will grow.
  public func makeCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: true) }

  /// A cache for a sequence that is computed in one pass: it needs the memory of one layer.
  public func makeSinglePassCache() -> KeyValueCache { KeyValueCache(configuration, keepsLayers: false) }

  /// A cache that is kept in a file; where the file is of no use, one that is not.
  ///
  /// - Parameter report: is told what a person may want to know of it, in words that go behind the file's name.
  public func makeCache(inFile path: Path, report: @escaping (String) -> Void) -> KeyValueCache {
    do {
      return KeyValueCache(try CacheFile(path: path, configuration, model: checkpoint.identity, pool, report: report))
    } catch {
      report("\(error.reason): computing without it")
      return makeCache()
    }
  }

  /// The next positions of one sequence.
  public struct BatchEntry {
    /// The ids of the positions, at least one: those that follow what is in the cache.
    public let ids: [Int]
    let cache: KeyValueCache
    /// The positions whose logits are wanted, counted from the start of the sequence; among the new ones.
    let wanted: Range<Int>

    public init(_ ids: [Int], _ cache: KeyValueCache, logitsAt wanted: Range<Int>) {
      (self.ids, self.cache, self.wanted) = (ids, cache, wanted)
    }

    /// The same computations without those cache files that another program has changed; nil if there are none.
    fileprivate static func leavingChangedFiles(_ continuations: [BatchEntry]) -> [BatchEntry]? {
      guard continuations.contains(where: { !$0.cache.isIntact }) else { return nil }
      return continuations.map { $0.cache.isIntact ? $0 : $0.leavingFile() }
    }

    /// The same computation from the first position on, without the cache's file.
    private func leavingFile() -> BatchEntry {
      let ids = cache.ids + ids
      cache.leaveFile()
      return BatchEntry(ids, cache, logitsAt: wanted)
    }
  }

  /// Computes the positions of `ids`, which follow those in the cache, adds them to the cache, and calls `visit` with
  /// the logits (vocabulary) of each position in `wanted`, in order. Positions count from the start of the sequence.
  ///
  /// - Precondition: every id is in the vocabulary, the sequence fits the context length, and `wanted` lies in the new positions.
  public func forward(
    _ ids: [Int], _ cache: KeyValueCache, logitsAt wanted: Range<Int>,
    _ visit: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try forward([BatchEntry(ids, cache, logitsAt: wanted)]) { try visit($1, $2) }
  }

  /// The same for several sequences with caches of their own at once: the weights are read once for all of them.
  public func forward(
    _ continuations: [BatchEntry],
    _ visit: (_ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    // Before, so that nothing is written into a file that was changed, and again after the keys and values were used.
    if let renewed = BatchEntry.leavingChangedFiles(continuations) { return try forward(renewed, visit) }
    let c = configuration
    var sequences: [SequenceRows] = []  // rows of x (n, width)
    var wanted: [SequenceRows] = []  // those of them whose logits are wanted
    var n = 0
    for continuation in continuations {
      let (ids, cache) = (continuation.ids, continuation.cache)
      let positions = cache.count..<cache.count + ids.count
      precondition(
        !ids.isEmpty && positions.upperBound <= c.contextLength && ids.allSatisfy((0..<c.vocabularySize).contains))
      precondition(continuation.wanted.clamped(to: positions) == continuation.wanted)
      cache.reserve(positions.upperBound)
      let rows = n..<n + ids.count
      sequences.append(SequenceRows(rows: rows, first: cache.count, cache: cache))
      wanted.append(sequences[sequences.count - 1].part(at: continuation.wanted))
      n = rows.upperBound
    }
    let last = compute(continuations.map(\.ids), sequences, wanted, in: workspace)
    repair(last, wanted.together, continuations)
    if let renewed = BatchEntry.leavingChangedFiles(continuations) { return try forward(renewed, visit) }
    for (continuation, sequence) in zip(continuations, sequences) { sequence.cache.append(continuation.ids) }

    let visits = continuations.indices.flatMap { index in continuations[index].wanted.map { (index, $0) } }
    try logits(of: last) { row, logits in try visit(visits[row].0, visits[row].1, logits) }
  }

  /// Goes through all blocks with the positions of some sequences, whose keys and values go into the caches.
  ///
  /// - Parameters:
  ///   - sequences: where the positions of each are in x (n, width), one sequence after the other.
  ///   - wanted: those of them whose output is returned.
  /// - Returns: the last block's output for the wanted positions (wanted, width), valid until the workspace is used again.
  private func compute(
    _ ids: [[Int]], _ sequences: [SequenceRows], _ wanted: [SequenceRows], in workspace: Workspace
  ) -> Matrix {
    let c = configuration
    let n = ids.reduce(0) { $0 + $1.count }
    let matrices = workspace.matrices([
      (n, c.width), (n, architecture.positionWidth), (wanted.reduce(0) { $0 + $1.rows.count }, c.width),
    ])
    let (x, places, last) = (matrices[0], matrices[1], matrices[2])
    for (ids, sequence) in zip(ids, sequences) {
      architecture.embed(ids, at: sequence.first, into: x.rows(sequence.rows), places.rows(sequence.rows))
    }
    for layer in 0..<c.layers - 1 {
      for rows in chunks(of: n) { transform(x.rows(rows), places.rows(rows), layer, sequences.within(rows)) }
    }
    // The last layer's output is of interest only where logits are wanted.
    var filled = 0
    for rows in chunks(of: n) {
      let kept = wanted.within(rows)
      let count = kept.reduce(0) { $0 + $1.rows.count }
      transform(
        x.rows(rows), places.rows(rows), c.layers - 1, sequences.within(rows), keeping: kept,
        in: last.rows(filled..<filled + count))
      filled += count
    }
    return last
  }

  /// Computes again what is not finite only because of how positions were computed together: attention of several
  /// positions at once gives a later position the weight 0, and 0 · NaN is NaN, so values that are not finite spoil up to
  /// five positions before their own. With this a position has the logits, keys and values that it has alone.
  ///
  /// Values that are not finite in one layer make those of the same position so in the last layer, which every cache
  /// has. The positions before the first of these are sound; from there on one is computed at a time, up to the first
  /// that is not finite by itself. After it no position is finite, however it is computed.
  ///
  /// - Parameters:
  ///   - last: the output for the wanted positions.
  ///   - wanted: where each sequence's are in it.
  private func repair(_ last: Matrix, _ wanted: [SequenceRows], _ continuations: [BatchEntry]) {
    var spoilt: [(sequence: SpoiltSequence, position: Int)] = []
    for (continuation, wanted) in zip(continuations, wanted) where continuation.ids.count > 1 {
      let (cache, first) = (continuation.cache, continuation.cache.count)
      guard !wanted.rows.allSatisfy({ isFinite(last.row($0), count: last.columns) }),
        let position = (first..<first + continuation.ids.count).first(where: { !hasFiniteValues(cache, at: $0) })
      else { continue }
      let keepsLayers = cache.shape.layers == configuration.layers
      let sequence = SpoiltSequence(
        continuation: continuation, first: first, target: wanted, cache: keepsLayers ? cache : makeCache())
      sequence.cache.reserve(first + continuation.ids.count)
      spoilt.append((sequence, position))
    }
    recompute(spoilt.map { ($0.sequence, $0.sequence.first..<$0.position) }.filter { !$0.1.isEmpty }, into: last)
    while !spoilt.isEmpty {
      recompute(spoilt.map { ($0.sequence, $0.position..<$0.position + 1) }, into: last)
      spoilt = spoilt.filter {
        hasFiniteValues($0.sequence.cache, at: $0.position)
          && $0.position + 1 < $0.sequence.first + $0.sequence.continuation.ids.count
      }.map { ($0.sequence, $0.position + 1) }
    }
  }

  /// A sequence whose output is not finite.
  private struct SpoiltSequence {
    let continuation: BatchEntry
    /// The position of the first of the continuation's ids.
    let first: Int
    /// Where its wanted positions are in the output.
    let target: SequenceRows
    /// With all layers.
    let cache: KeyValueCache
  }

  /// Computes positions of some sequences again, and puts the output for those that are wanted in its place.
  private func recompute(_ parts: [(sequence: SpoiltSequence, positions: Range<Int>)], into last: Matrix) {
    guard !parts.isEmpty else { return }
    var n = 0
    let rows = parts.map { sequence, positions in
      defer { n += positions.count }
      return SequenceRows(rows: n..<n + positions.count, first: positions.lowerBound, cache: sequence.cache)
    }
    let wanted = parts.map { $0.continuation.wanted.clamped(to: $1) }
    let ids = parts.map { sequence, positions in
      Array(
        sequence.continuation.ids[(positions.lowerBound - sequence.first)..<(positions.upperBound - sequence.first)])
    }
    let output = compute(ids, rows, zip(rows, wanted).map { $0.part(at: $1) }, in: repairWorkspace)
    var row = 0
    for (part, wanted) in zip(parts, wanted) {
      let sequence = part.sequence
      for position in wanted {
        let target = sequence.target.rows.lowerBound + position - sequence.continuation.wanted.lowerBound
        last.row(target).update(from: output.row(row), count: last.columns)
        row += 1
      }
    }
  }

  private func hasFiniteValues(_ cache: KeyValueCache, at position: Int) -> Bool {
    cache.hasFiniteValues(at: position, layer: configuration.layers - 1)
  }

  /// One transformer block, for rows of x (n, width) that are positions of some sequences, and what the architecture
  /// wants to know of these: their keys and values go into the caches, and x becomes the block's output.
  private func transform(_ x: Matrix, _ positions: Matrix, _ layer: Int, _ sequences: [SequenceRows]) {
    transform(x, positions, layer, sequences, keeping: nil, in: x)
  }

  /// The same, but of the output only the rows `kept` are computed, and moved together in y (kept, width).
  private func transform(
    _ x: Matrix, _ positions: Matrix, _ layer: Int, _ sequences: [SequenceRows], keeping kept: [SequenceRows]?,
    in y: Matrix
  ) {
    let c = configuration
    let matrices = blockWorkspace.matrices([
      (x.rows, (c.heads + 2 * c.kvHeads) * c.headDim), (y.rows, c.heads * c.headDim),
    ])
    let (qkv, mixed) = (matrices[0], matrices[1])
    architecture.attentionInputs(x, positions, layer: layer, into: qkv)
    store(qkv, sequences, layer)
    guard y.rows > 0 else { return }
    if let kept {
      move(kept, of: x, to: y)
      move(kept, of: qkv, to: qkv)
    }
    attention(
      qkv.rows(0..<y.rows), kept?.together ?? sequences, layer: layer, heads: c.heads,
      scale: architecture.attentionScale(layer: layer), into: mixed, pool)
    architecture.addOutputs(of: mixed, layer: layer, to: y)
  }

  /// Puts the keys and values of qkv into the sequences' caches.
  private func store(_ qkv: Matrix, _ sequences: [SequenceRows], _ layer: Int) {
    let heads = configuration.kvHeads
    pool.run(heads * sequences.count, cost: qkv.rows * qkv.columns) { part in
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

  /// The rows of n, cut into as few and as equal chunks as memory should be spent on: multiples of a tile.
  private func chunks(of n: Int) -> [Range<Int>] {
    let count = (n + Self.chunkRows - 1) / Self.chunkRows
    let length = (n + count * tileRows - 1) / (count * tileRows) * tileRows
    return stride(from: 0, to: n, by: length).map { $0..<min($0 + length, n) }
  }

  /// logits = lm_head · normalized x, for some rows at a time: a vocabulary of logits for each of 1,024 positions would be
  /// 200 MB.
  private func logits(of x: Matrix, _ visit: (Int, UnsafeBufferPointer<Float>) throws -> Void) throws {
    guard x.rows > 0 else { return }
    let vocabulary = configuration.vocabularySize
    for start in stride(from: 0, to: x.rows, by: Self.logitsRows) {
      let rows = x.rows(start..<min(start + Self.logitsRows, x.rows))
      let scratch = headWorkspace.matrices([(rows.rows, rows.columns), (rows.rows, vocabulary)])
      let (normed, output) = (scratch[0], scratch[1])
      architecture.normalizeOutput(rows, into: normed)
      linear(normed, lm_head, into: output, .store, pool)
      for row in 0..<rows.rows {
        try visit(start + row, UnsafeBufferPointer(start: output.row(row), count: vocabulary))
      }
    }
  }

  /// So many positions keep the arithmetic busy: with fewer, a pass waits for the weights to be read.
  public static let maximumBatchTokens = chunkRows

  /// Whole tiles; memory for the activations of so many, and weights that are read again seldom enough.
  private static let chunkRows = 43 * tileRows
  /// Rows of which one reading of the head makes logits: 10 MB of them with GPT-2's vocabulary.
  private static let logitsRows = 48
}
