import Threads

/// The computation of a block, or of the output head, for some rows: positions of sequences in a batch. Results are
/// scratch matrices, which are valid until the next block.
struct Pass {
  let shape: ModelShape
  let layer: Int
  /// The sequences of the rows.
  let segments: [BatchSegment]
  /// The rows that the last layer keeps, because their logits are needed; nil in other layers.
  let keptSegments: [BatchSegment]?
  /// The cosine-sine tables of the rows (n, rotaryDim), one for each RoPE of the model.
  let cosSin: [Matrix]
  let ropes: [RoPE]
  let pool: ThreadPool
  let workspace: Workspace
  /// Collects attention weights; nil if they are not needed.
  var probe: AttentionProbe?

  // MARK: Norms, linear layers, activations

  /// Returns norm(x) (n, width).
  func norm(_ x: Matrix, _ norm: some Norm) -> Matrix {
    let output = workspace.matrix(x.rows, x.columns)
    normalize(x, norm, into: output, pool)
    return output
  }

  /// Returns projection(x) (n, out), or activation(projection(x)).
  func linear(_ x: Matrix, _ projection: Linear, _ activation: Activation? = nil) -> Matrix {
    let output = workspace.matrix(x.rows, projection.outputs)
    if x.rows > 0 {
      LanguageModel.linear(x, projection, into: output, activation.map { .activate($0) } ?? .store, pool)
    }
    return output
  }

  /// Returns the outputs of several projections of x, as adjacent columns (n, sum of out).
  func linear(_ x: Matrix, _ projections: [Linear]) -> Matrix {
    let output = workspace.matrix(x.rows, projections.reduce(0) { $0 + $1.outputs })
    if x.rows > 0 { LanguageModel.linear(x, adjacent: projections, into: output, pool) }
    return output
  }

  /// Adds projection(y), times the model's `residualScale`, to x, the residual stream.
  func add(_ y: Matrix, _ projection: Linear, to x: Matrix) {
    guard x.rows > 0 else { return }
    let epilogue = shape.residualScale == 1 ? Epilogue.addToOutput : .addScaled(shape.residualScale)
    LanguageModel.linear(y, projection, into: x, epilogue, pool)
  }

  /// Adds norm(projection(y)) to x, the residual stream; without a norm, projection(y).
  func add(_ y: Matrix, _ projection: Linear, _ norm: RMSNorm?, to x: Matrix) {
    guard let norm else { return add(y, projection, to: x) }
    let output = linear(y, projection)
    normalize(output, norm, into: output, pool)
    add(output, to: x)
  }

  /// Adds y, times the model's `residualScale`, to x, the residual stream.
  func add(_ y: Matrix, to x: Matrix) { LanguageModel.add(y, to: x, factor: shape.residualScale, pool) }

  /// Copies y to x, a matrix of the same shape.
  func copy(_ y: Matrix, to x: Matrix) {
    precondition(y.rows == x.rows && y.columns == x.columns)
    x.start.update(from: y.start, count: x.rows * x.columns)
  }

  /// Limits the numbers of x to the range from -limit to limit, in place.
  func clamp(_ x: Matrix, to limit: Float) { LanguageModel.clamp(x, to: limit, pool) }

  /// Returns activation(gates) · ups (n, ffn) for rows of gates and then ups (n, 2 · ffn).
  func gate(_ activation: Activation, _ gatesAndUps: Matrix) -> Matrix {
    let output = workspace.matrix(gatesAndUps.rows, gatesAndUps.columns / 2)
    LanguageModel.gate(activation, gatesAndUps, into: output, pool)
    return output
  }

  // MARK: Attention

  /// Applies the layer's RoPE to queries and keys, in place.
  ///
  /// - Parameter qkv: rows of queries, keys and values (n, (heads + 2 · kvHeads) · headDim).
  func position(_ qkv: Matrix) { position(qkv, QueryKeyNorms<RMSNorm>?.none) }

  /// Applies the norms of queries and keys, if there are any, and then the layer's RoPE, in place.
  func position<N: Norm>(_ qkv: Matrix, _ norms: QueryKeyNorms<N>?) {
    let (s, index) = (shape, shape.attention[layer].rope)
    guard norms != nil || index != nil else { return }
    // About 4 operations per number: two for RoPE, two for the norm of queries and keys.
    pool.run(qkv.rows, unit: 8, cost: 4 * qkv.rows * qkv.columns) { rows in
      for row in rows {
        let numbers = qkv.row(row)
        norms?.normalize(numbers, s)
        guard let index else { continue }
        for head in 0..<s.heads + s.kvHeads {
          ropes[index].apply(cosSin[index].row(row), to: numbers + head * s.headDim)
        }
      }
    }
  }

  /// Stores the keys and values, and returns the outputs of the heads for the kept rows (m, heads · headDim).
  ///
  /// - Parameter qkv: rows of queries, keys and values (n, (heads + 2 · kvHeads) · headDim). Its rows are compacted in
  ///   the last layer.
  func attention(_ qkv: Matrix) -> Matrix {
    precondition(qkv.columns == shape.qkvWidth)
    let (kvHeads, segments) = (shape.kvHeads, segments)
    pool.run(kvHeads * segments.count, cost: qkv.rows * qkv.columns) { part in
      let segment = segments[part / kvHeads]
      segment.cache.store(qkv.rows(segment.rows), layer: layer, head: part % kvHeads, first: segment.first)
    }
    let (queries, querySegments) = (kept(qkv), keptSegments?.compacted ?? segments)
    probe?.add(queries, querySegments, self)
    let heads = workspace.matrix(queries.rows, shape.heads * shape.headDim)
    if heads.rows > 0 {
      LanguageModel.attention(
        queries, querySegments, layer: layer, heads: shape.heads, shape.attention[layer], into: heads, pool)
    }
    return heads
  }

  /// Returns the rows that the rest of the block is computed for: all rows, or in the last layer the rows whose logits
  /// are needed (m, columns), which are moved to the start of the matrix.
  func kept(_ x: Matrix) -> Matrix {
    guard let keptSegments else { return x }
    // A row is never moved to a later row, and no row is overwritten before it is moved.
    for (row, from) in keptSegments.lazy.flatMap(\.rows).enumerated() where row != from {
      x.row(row).update(from: x.row(from), count: x.columns)
    }
    return x.rows(0..<keptSegments.rowCount)
  }
}
