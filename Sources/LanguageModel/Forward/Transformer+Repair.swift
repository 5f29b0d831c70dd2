extension Transformer {
  /// Recomputes positions that are not finite only because they were computed together with others. Attention of
  /// several positions gives later positions, and positions before a window, the weight 0, and 0 · NaN is NaN. So
  /// values that are not finite corrupt up to five positions before them, and with windows some positions after them.
  /// After the repair each position has the logits, keys and values that it has alone.
  ///
  /// If values of a position are not finite in one layer, its output is not finite, and neither are its values in later
  /// layers. So the values of the last layer, which every cache has, show all such positions. The positions before the
  /// first such position are computed again as one batch. From there on, positions are computed one at a time, up to
  /// the first that is not finite when computed alone. No position after it is finite, however it is computed, unless
  /// the model has windows; then all positions are computed one at a time.
  ///
  /// - Parameters:
  ///   - last: the output of the last block for the positions that need logits.
  ///   - logitSegments: the rows of each sequence in `last`.
  func repair(_ last: Matrix, _ logitSegments: [BatchSegment], _ entries: [BatchEntry]) {
    let hasWindows = shape.attention.contains { $0.window != nil }
    var damaged: [(sequence: DamagedSequence, position: Int)] = []
    for (entry, logitSegment) in zip(entries, logitSegments) where entry.ids.count > 1 {
      let (cache, first) = (entry.cache, entry.cache.count)
      let (positions, logitPositions) = (first..<first + entry.ids.count, entry.logitPositions)
      func isFiniteOutput(_ position: Int) -> Bool {
        guard logitPositions.contains(position) else { return true }
        return isFinite(
          last.row(logitSegment.rows.lowerBound + position - logitPositions.lowerBound), count: last.columns)
      }
      let end = positions.upperBound - 1
      // Without windows, the last position attends to all others: if it is finite, so are they.
      if !hasWindows, logitPositions.last == end, isFiniteOutput(end) { continue }
      // With windows, a cached position can damage the last layer's output for positions with finite values.
      let damagedPosition = positions.first { !hasFiniteValues(cache, at: $0) || hasWindows && !isFiniteOutput($0) }
      guard let position = damagedPosition else { continue }
      let keepsLayers = cache.shape.layers == shape.layers
      let sequence = DamagedSequence(
        entry: entry, first: first, target: logitSegment, cache: keepsLayers ? cache : makeCache())
      sequence.cache.ropeVariants = cache.ropeVariants
      sequence.cache.reserve(first + entry.ids.count)
      damaged.append((sequence, position))
    }
    recompute(damaged.map { ($0.sequence, $0.sequence.first..<$0.position) }.filter { !$0.1.isEmpty }, into: last)
    while !damaged.isEmpty {
      recompute(damaged.map { ($0.sequence, $0.position..<$0.position + 1) }, into: last)
      damaged = damaged.filter {
        (hasWindows || hasFiniteValues($0.sequence.cache, at: $0.position))
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
    cache.hasFiniteValues(at: position, layer: shape.layers - 1)
  }
}
