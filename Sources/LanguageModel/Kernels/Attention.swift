import Numerics
import Threads

// Causal multi-head attention: every position attends to all positions up to its own (Vaswani et al., "Attention Is All
// You Need", 2017).
//
// The order of summation: a score is one chain of fused multiply-adds along the head's width. The exponentials of the
// scores are added in 16 lanes, lane l those of positions l, l + 16, …, and the lanes by `horizontalSum`. A weighted value
// is a chain along each page of 64 positions, which rounds less than one along all, and the chains' sums are added in their order. All three depend on the position
// alone, so it does not matter how many positions are computed together. Six are, as a tile; one alone has kernels of its
// own, whose independent chains are along positions and along the head's width instead.

/// outputs (n, heads · headDim) for queries (n, heads · headDim) of some sequences' positions, whose keys and values
/// are in the caches. Where there are fewer heads of keys and values, each serves as many consecutive heads of queries
/// (Ainslie et al., "GQA", 2023).
///
/// - Parameter queries: rows of a wider matrix, of which each begins with the queries.
func attention(
  _ queries: Matrix, _ sequences: [SequenceRows], layer: Int, heads: Int, scale: Float, into outputs: Matrix,
  _ pool: ThreadPool
) {
  precondition(queries.rows == outputs.rows && outputs.columns % heads == 0)
  let headDim = outputs.columns / heads
  let tiles = sequences.flatMap { sequence in
    stride(from: sequence.rows.lowerBound, to: sequence.rows.upperBound, by: tileRows).map { row in
      SequenceRows(
        rows: row..<min(row + tileRows, sequence.rows.upperBound),
        first: sequence.first + row - sequence.rows.lowerBound, cache: sequence.cache)
    }
  }
  let pairs = tiles.reduce(0) { $0 + $1.rows.count * ($1.first + $1.rows.count) }
  pool.run(heads * tiles.count, operations: 2 * pairs * outputs.columns) { part in
    let (head, tile) = (part / tiles.count, tiles[part % tiles.count])
    let (row, column) = (tile.rows.lowerBound, head * headDim)
    tile.cache.withHead(layer, head * tile.cache.shape.heads / heads) { cache in
      let attention = HeadAttention(first: tile.first, count: tile.rows.count, scale: scale, cache: cache)
      if tile.rows.count == 1 {
        attention.ofOneRow(queries.row(row) + column, into: outputs.row(row) + column)
      } else {
        attention.ofSeveralRows(
          queries.row(row) + column, queries.columns, into: outputs.row(row) + column, outputs.columns)
      }
    }
  }
}

/// The attention of at most six positions of one head.
private struct HeadAttention {
  let first: Int
  let count: Int
  let scale: Float
  let cache: CacheHead

  private var headDim: Int { cache.shape.headDim }
  private var paddedHeadDim: Int { cache.shape.paddedHeadDim }
  /// Positions that the last row sees.
  private var length: Int { first + count }
  private var padded: Int { paddedCount(length) }

  // MARK: One row

  func ofOneRow(_ query: UnsafeMutablePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    withAlignedFloats(padded) { scores in
      score(query, into: scores)
      let sum = exponentialsAndSum(scores, length, padded: padded, scale: scale)
      weigh(scores, 1 / sum, into: output)
    }
  }

  /// Scores of one query: a page at a time, which is four blocks of 16 positions.
  private func score(
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

  /// The weighted sum of the values for one query: four vectors of the head's width at a time.
  private func weigh(
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
      keep(t0 * inverse, output, d)
      if used > 1 { keep(t1 * inverse, output, d + laneCount) }
      if used > 2 { keep(t2 * inverse, output, d + 2 * laneCount) }
      if used > 3 { keep(t3 * inverse, output, d + 3 * laneCount) }
    }
  }

  // MARK: Several rows

  func ofSeveralRows(
    _ queries: UnsafeMutablePointer<Float>, _ queryStride: Int, into outputs: UnsafeMutablePointer<Float>,
    _ outputStride: Int
  ) {
    withAlignedFloats(tileRows * (headDim + padded + laneCount)) { buffer in
      let packed = buffer  // (headDim, 6)
      let scores = packed + tileRows * headDim  // (6, padded)
      let sums = scores + tileRows * padded  // (6, 16)
      for row in 0..<tileRows {
        for d in 0..<headDim { packed[d * tileRows + row] = row < count ? queries[row * queryStride + d] : 0 }
      }
      for position in stride(from: 0, to: padded, by: laneCount) {
        let keys = cache.keys(position / pageLength) + position % pageLength * headDim
        tileProduct(Lanes.self, packed, rowStride: 1, step: tileRows, keys, laneCount, headDim)
          .store(scores + position, stride: padded)
      }
      var inverses = SIMD8<Float>()
      // A row that does not exist has scores of zero.
      for row in 0..<tileRows {
        inverses[row] =
          1 / exponentialsAndSum(scores + row * padded, first + min(row, count - 1) + 1, padded: padded, scale: scale)
      }
      // A position that a row does not see has weight zero there, and adding zero times a finite value changes no sum.
      for d in stride(from: 0, to: paddedHeadDim, by: laneCount) {
        var total = Tile<Lanes>()
        for chain in stride(from: 0, to: length, by: pageLength) {
          total += tileProduct(
            Lanes.self, scores + chain, rowStride: padded, step: 1, cache.values(chain / pageLength) + d,
            paddedHeadDim, min(pageLength, length - chain))
        }
        total.store(sums, stride: laneCount)
        for row in 0..<count {
          keep(Float.load(sums + row * laneCount) * inverses[row], outputs + row * outputStride, d)
        }
      }
    }
  }

  /// Stores the lanes at `d`, `d + 1`, … as far as the head is wide.
  @inline(__always)
  private func keep(_ lanes: Lanes, _ output: UnsafeMutablePointer<Float>, _ d: Int) {
    if d + laneCount <= headDim {
      store(lanes, output + d)
    } else {
      for lane in 0..<max(0, headDim - d) { output[d + lane] = lanes[lane] }
    }
  }
}

/// Scales the first `length` scores, replaces them by e^(score - maximum) and those behind them by zeros, and returns
/// the sum.
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
    var last = Lanes()  // of the last block only the positions that exist
    let numerators = whole < length ? exponential(Float.load(scores + whole) * scale - maximum) : Lanes()
    for lane in 0..<(length - whole) { last[lane] = numerators[lane] }
    store(last, scores + whole)
    sum += last
    for position in stride(from: whole + laneCount, to: padded, by: laneCount) { store(Lanes(), scores + position) }
  }
  return sum.horizontalSum
}
