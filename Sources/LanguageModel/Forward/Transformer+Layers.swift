extension Transformer {
  /// Computes a sequence, and calls `visit` with the logits (vocabulary) that the final norm and the output head give
  /// after each number of layers: the logit lens (nostalgebraist, "interpreting GPT: the logit lens", 2020).
  ///
  /// After 0 layers they are computed from the embeddings. After all layers they are bit-identical to those of
  /// `forward`, if the model's RoPE does not depend on the length of the sequence; if it does, all positions use the
  /// RoPE of the whole sequence.
  ///
  /// - Parameters:
  ///   - positions: the positions that need logits, in order.
  /// - Precondition: `ids` is not empty, all ids are in the vocabulary, and there are at most as many as the context
  ///   length.
  public func forwardByLayer(
    _ ids: [Int], logitsAt positions: Range<Int>,
    _ visit: (_ layers: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    precondition(positions.clamped(to: ids.indices) == positions)
    let segment = makeSequence(ids)
    let last = try runBlocks([ids], [segment], [segment.part(at: positions)], in: workspace) { layer, x in
      try logits(of: x.rows(positions)) { row, logits in try visit(layer, positions.lowerBound + row, logits) }
    }
    try logits(of: last) { row, logits in try visit(shape.layers, positions.lowerBound + row, logits) }
  }

  /// Returns a sequence that is computed in one batch, with the RoPE of its length.
  ///
  /// - Precondition: `ids` is not empty, all ids are in the vocabulary, and there are at most as many as the context
  ///   length.
  func makeSequence(_ ids: [Int]) -> BatchSegment {
    precondition(
      !ids.isEmpty && ids.count <= shape.contextLength && ids.allSatisfy((0..<shape.vocabularySize).contains))
    let cache = makeSinglePassCache()
    cache.ropeVariants = model.ropes.map { $0.isLengthDependent ? $0.variant(ofLength: ids.count) : 0 }
    cache.reserve(ids.count)
    return BatchSegment(rows: 0..<ids.count, first: 0, cache: cache)
  }
}
