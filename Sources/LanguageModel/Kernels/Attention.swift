import Numerics
import Threads

// Causal multi-head attention: each position attends to all positions up to itself (Vaswani et al., "Attention Is All
// You Need", 2017).
//
// Order of summation (lm-records(5), SAME BITS):
//  - A query-key dot product is one chain of fused multiply-adds along the head dimension.
//  - The exponentials of the scores are added in 16 lanes (lane l has the positions l, l + 16, …), and the lanes
//    with `horizontalSum`.
//  - The weighted sum of the values is a chain along each page of 64 positions, which rounds less than one long chain;
//    then the sums of the pages are added in order.
// All three depend on the position only, so batching does not change results.
//
//   path          rows    independent sums
//   one row       1       4 blocks of 16 positions (dot products), 4 vectors of the head dimension (weighted sum)
//   several rows  2 … 6   the MR × NR sums of the micro-kernel

/// Computes outputs (n, heads · headDim) for queries (n, heads · headDim) of positions whose keys and values are in the
/// KV caches of their segments. If there are fewer heads of keys and values than of queries, each of them is shared by
/// several consecutive query heads (grouped-query attention; Ainslie et al., "GQA", 2023).
///
/// - Parameters:
///   - queries: a matrix whose rows start with the queries, and may be wider.
///   - scale: the factor of the query-key dot products.
func attention(
  _ queries: Matrix, _ segments: [BatchSegment], layer: Int, heads: Int, scale: Float, into outputs: Matrix,
  _ pool: ThreadPool
) {
  precondition(queries.rows == outputs.rows && outputs.columns % heads == 0)
  let headDim = outputs.columns / heads
  let tiles = segments.flatMap { segment in
    stride(from: segment.rows.lowerBound, to: segment.rows.upperBound, by: microKernelRows).map { row in
      BatchSegment(
        rows: row..<min(row + microKernelRows, segment.rows.upperBound),
        first: segment.first + row - segment.rows.lowerBound, cache: segment.cache)
    }
  }
  let pairs = tiles.reduce(0) { $0 + $1.rows.count * ($1.first + $1.rows.count) }
  // One multiply-add per number of a key, and one per number of a value.
  pool.run(heads * tiles.count, cost: 2 * pairs * outputs.columns) { part in
    let (head, tile) = (part / tiles.count, tiles[part % tiles.count])
    let (row, column) = (tile.rows.lowerBound, head * headDim)
    tile.cache.withHead(layer, head * tile.cache.shape.heads / heads) { cache in
      let attention = HeadAttention(first: tile.first, count: tile.rows.count, scale: scale, cache: cache)
      if tile.rows.count == 1 {
        attention.computeOneRow(queries.row(row) + column, into: outputs.row(row) + column)
      } else {
        attention.computeSeveralRows(
          queries.row(row) + column, queries.columns, into: outputs.row(row) + column, outputs.columns)
      }
    }
  }
}

/// The attention of at most MR positions of one sequence and one head.
private struct HeadAttention {
  let first: Int
  let count: Int
  let scale: Float
  let cache: CacheHead

  private var headDim: Int { cache.shape.headDim }
  private var paddedHeadDim: Int { cache.shape.paddedHeadDim }
  /// The number of positions that the last row attends to.
  private var length: Int { first + count }
  private var padded: Int { paddedCount(length) }

  // MARK: One row

  func computeOneRow(_ query: UnsafeMutablePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    withAlignedFloats(padded) { scores in
      queryKeyDotProducts(query, into: scores)
      let sum = exponentialsAndSum(scores, length, padded: padded, scale: scale)
      weightedSumOfValues(scores, 1 / sum, into: output)
    }
  }

  /// Computes the dot products of one query with all keys, one page (four blocks of 16 positions) at a time.
  ///
  /// In the last page, `used` of the four blocks exist. A missing block repeats the last one and is not stored.
  private func queryKeyDotProducts(
    _ query: UnsafeMutablePointer<Float>, into scores: UnsafeMutablePointer<Float>
  ) {
    let blockSize = headDim * laneCount
    let blocks = padded / laneCount
    for block in stride(from: 0, to: blocks, by: 4) {
      let used = min(4, blocks - block)
      let k0 = cache.keys(block / 4)
      let k1 = k0 + blockSize * min(1, used - 1)
      let k2 = k0 + blockSize * min(2, used - 1)
      let k3 = k0 + blockSize * min(3, used - 1)
      var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
      for d in 0..<headDim {
        let q = query[d]
        s0 = s0.addingProduct(Float.load(k0 + d * laneCount), q)
        s1 = s1.addingProduct(Float.load(k1 + d * laneCount), q)
        s2 = s2.addingProduct(Float.load(k2 + d * laneCount), q)
        s3 = s3.addingProduct(Float.load(k3 + d * laneCount), q)
      }
      let target = scores + block * laneCount
      store(s0, target)
      if used > 1 { store(s1, target + laneCount) }
      if used > 2 { store(s2, target + 2 * laneCount) }
      if used > 3 { store(s3, target + 3 * laneCount) }
    }
  }

  /// Computes the weighted sum of the values for one query, four vectors of the head dimension at a time. Vectors past
  /// the head dimension repeat the last one and are not stored.
  private func weightedSumOfValues(
    _ weights: UnsafeMutablePointer<Float>, _ inverse: Float, into output: UnsafeMutablePointer<Float>
  ) {
    let stride = paddedHeadDim
    for d in Swift.stride(from: 0, to: stride, by: 4 * laneCount) {
      let used = min(4, (stride - d) / laneCount)
      let o1 = laneCount * min(1, used - 1)
      let o2 = laneCount * min(2, used - 1)
      let o3 = laneCount * min(3, used - 1)
      var (t0, t1, t2, t3) = (Lanes(), Lanes(), Lanes(), Lanes())
      for chain in Swift.stride(from: 0, to: length, by: pageLength) {
        let values = cache.values(chain / pageLength) + d
        var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
        for position in 0..<min(pageLength, length - chain) {
          let value = values + position * stride
          let weight = weights[chain + position]
          s0 = s0.addingProduct(Float.load(value), weight)
          s1 = s1.addingProduct(Float.load(value + o1), weight)
          s2 = s2.addingProduct(Float.load(value + o2), weight)
          s3 = s3.addingProduct(Float.load(value + o3), weight)
        }
        t0 += s0
        t1 += s1
        t2 += s2
        t3 += s3
      }
      storeWithinHead(t0 * inverse, output, d)
      if used > 1 { storeWithinHead(t1 * inverse, output, d + laneCount) }
      if used > 2 { storeWithinHead(t2 * inverse, output, d + 2 * laneCount) }
      if used > 3 { storeWithinHead(t3 * inverse, output, d + 3 * laneCount) }
    }
  }

  // MARK: Several rows

  func computeSeveralRows(
    _ queries: UnsafeMutablePointer<Float>, _ queryStride: Int, into outputs: UnsafeMutablePointer<Float>,
    _ outputStride: Int
  ) {
    withAlignedFloats(microKernelRows * (headDim + padded + laneCount)) { buffer in
      let packed = buffer  // (headDim, MR)
      let scores = packed + microKernelRows * headDim  // (MR, padded)
      let sums = scores + microKernelRows * padded  // (MR, 16)
      for row in 0..<microKernelRows {
        for d in 0..<headDim { packed[d * microKernelRows + row] = row < count ? queries[row * queryStride + d] : 0 }
      }
      for position in stride(from: 0, to: padded, by: laneCount) {
        let keys = cache.keys(position / pageLength) + position % pageLength * headDim
        microKernel(Lanes.self, packed, rowStride: 1, step: microKernelRows, keys, laneCount, headDim)
          .store(scores + position, stride: padded)
      }
      var inverses = SIMD8<Float>()
      // Missing rows have scores of zero.
      for row in 0..<microKernelRows {
        inverses[row] =
          1 / exponentialsAndSum(scores + row * padded, first + min(row, count - 1) + 1, padded: padded, scale: scale)
      }
      // The causal mask: later positions have weight zero, and adding zero times a finite value changes no sum.
      for d in stride(from: 0, to: paddedHeadDim, by: laneCount) {
        var total = Accumulators<Lanes>()
        for chain in stride(from: 0, to: length, by: pageLength) {
          total += microKernel(
            Lanes.self, scores + chain, rowStride: padded, step: 1, cache.values(chain / pageLength) + d,
            paddedHeadDim, min(pageLength, length - chain))
        }
        total.store(sums, stride: laneCount)
        for row in 0..<count {
          storeWithinHead(Float.load(sums + row * laneCount) * inverses[row], outputs + row * outputStride, d)
        }
      }
    }
  }

  /// Stores the lanes that are within the head dimension at `d`, `d + 1`, …
  @inline(__always)
  private func storeWithinHead(_ lanes: Lanes, _ output: UnsafeMutablePointer<Float>, _ d: Int) {
    if d + laneCount <= headDim {
      store(lanes, output + d)
    } else {
      for lane in 0..<max(0, headDim - d) { output[d + lane] = lanes[lane] }
    }
  }
}

/// Replaces scores by the numerators of their softmax, e^(scale · score - maximum), and returns the sum.
///
/// - Parameters:
///   - scores: (padded), of which the first `length` are scores. The rest become zeros.
///   - padded: a multiple of `laneCount`, at least `length`.
///   - scale: positive.
func exponentialsAndSum(
  _ scores: UnsafeMutablePointer<Float>, _ length: Int, padded: Int, scale: Float
) -> Float {
  let whole = length / laneCount * laneCount
  for position in length..<padded { scores[position] = -.infinity }
  var greatest = Lanes(repeating: -.infinity)
  for position in stride(from: 0, to: padded, by: laneCount) {
    let lanes = Float.load(scores + position) * scale
    greatest.replace(with: lanes, where: lanes .> greatest)
  }
  let maximum = greatest.max()
  var sum = Lanes()
  for position in stride(from: 0, to: whole, by: laneCount) {
    let numerators = exponential(Float.load(scores + position) * scale - maximum)
    store(numerators, scores + position)
    sum += numerators
  }
  if whole < padded {
    var last = Lanes()  // only the positions of the last block that exist
    let numerators = whole < length ? exponential(Float.load(scores + whole) * scale - maximum) : Lanes()
    for lane in 0..<(length - whole) { last[lane] = numerators[lane] }
    store(last, scores + whole)
    sum += last
    for position in stride(from: whole + laneCount, to: padded, by: laneCount) { store(Lanes(), scores + position) }
  }
  return sum.horizontalSum
}
