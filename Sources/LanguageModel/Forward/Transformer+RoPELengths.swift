extension Transformer {
  /// Computes sequences with a model whose RoPE depends on the length of the sequence.
  ///
  /// The logits of a position are those of the sequence that ends with it. So all keys of this sequence must be rotated
  /// with the variants of its length, and positions whose lengths have other variants are computed again from the start
  /// of the sequence.
  func forwardByLength(
    _ entries: [BatchEntry],
    _ visit: (_ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    func variants(ofLength length: Int) -> [Int] { model.ropes.map { $0.variant(ofLength: length) } }
    let none = variants(ofLength: 1)
    // The keys in a file, and in an empty cache, have variants 0.
    for entry in entries where entry.cache.ropeVariants.isEmpty { entry.cache.ropeVariants = none }
    // Sequences within the original context are computed together. A variant never decreases with the length.
    let isShort = entries.allSatisfy { entry in
      let last = variants(ofLength: entry.cache.count + entry.ids.count)
      return last == none && (entry.cache.count == 0 || entry.cache.ropeVariants == none)
    }
    if isShort {
      for entry in entries { entry.cache.ropeVariants = none }
      return try forwardBatch(entries, visit)
    }
    for (index, entry) in entries.enumerated() {
      precondition(entry.draftCount == 0)
      let cache = entry.cache
      let ids = cache.ids + entry.ids
      var positions = entry.logitPositions  // that remain
      while cache.count < ids.count || !positions.isEmpty {
        // The longest run of positions with the same variants; without logits, the whole sequence.
        let last = variants(ofLength: positions.isEmpty ? ids.count : positions.lowerBound + 1)
        let run = positions.prefix { variants(ofLength: $0 + 1) == last }
        positions = run.endIndex..<positions.upperBound
        let end = positions.isEmpty && variants(ofLength: ids.count) == last ? ids.count : run.endIndex
        let isKept = cache.shape.layers == shape.layers && cache.count <= run.startIndex
        if cache.count > 0, !isKept || cache.ropeVariants != last { cache.restart() }
        cache.ropeVariants = last
        if last != none, cache.count == 0 { cache.restart() }  // a file has only keys of variants 0
        try forwardBatch([BatchEntry(Array(ids[cache.count..<end]), cache, logitsAt: run)]) { try visit(index, $1, $2) }
      }
    }
  }
}
