import Numerics
import Threads

// Causal multi-head attention: each position attends to all positions up to itself (Vaswani et al., "Attention Is All
// You Need", 2017), or to the last positions up to itself (a window).
//
// Order of summation (lm-records(5), SAME BITS):
//  - A query-key dot product is one chain of fused multiply-adds along the head dimension.
//  - The exponentials of the scores are added in 16 lanes (lane l has the positions l, l + 16, …), and the lanes
//    with `horizontalSum`.
//  - The weighted sum of the values is a chain along each page of 64 positions, which rounds less than one long chain;
//    then the sums of the pages are added in order.
// All three depend on the position only, so batching does not change results. This is true with a window too: a
// position before the window adds zero to its lane and to its page, as if the sum started after it. Pages before the
// window of the first row are not read, so the time is proportional to the window.
//
//   path          rows    independent sums
//   one row       1       4 blocks of 16 positions (dot products), 4 vectors of the head dimension (weighted sum)
//   several rows  2 … 6   the MR × NR sums of the micro-kernel

/// Computes outputs (n, heads · headDim) for queries (n, heads · headDim) of positions whose keys and values are in the
/// KV caches of their segments. If there are fewer heads of keys and values than of queries, each of them is shared by
/// several consecutive query heads (grouped-query attention; Ainslie et al., "GQA", 2023).
///
/// If positions are computed one by one, a value that is not finite changes no output of a position that does not
/// attend to it. If several rows are computed together, it may: its weight is zero, and 0 · NaN is NaN. The rows
/// concerned are those of a tile for which its position is after the row or before the window of the row, but not
/// before the window of the first row of the tile. `Transformer.repair` recomputes these positions.
///
/// - Parameter queries: a matrix whose rows start with the queries, and may be wider.
/// - Precondition: a window is at least 1, and there are as many slopes as heads, or none.
func attention(
  _ queries: Matrix, _ segments: [BatchSegment], layer: Int, heads: Int, _ settings: AttentionSettings,
  into outputs: Matrix, _ pool: ThreadPool
) {
  precondition(queries.rows == outputs.rows && outputs.columns % heads == 0)
  precondition(settings.slopes.isEmpty || settings.slopes.count == heads)
  let window = settings.window ?? .max
  precondition(window > 0)
  let headDim = outputs.columns / heads
  let tiles = segments.flatMap { segment in
    stride(from: segment.rows.lowerBound, to: segment.rows.upperBound, by: microKernelRows).map { row in
      BatchSegment(
        rows: row..<min(row + microKernelRows, segment.rows.upperBound),
        first: segment.first + row - segment.rows.lowerBound, cache: segment.cache)
    }
  }
  // Pairs of a query and a key. A tile has the keys from the window of its first row to its last row.
  let pairs = tiles.reduce(0) { $0 + $1.rows.count * ($1.rows.count + min($1.first, window - 1)) }
  // One multiply-add per number of a key, and one per number of a value.
  pool.run(heads * tiles.count, cost: 2 * pairs * outputs.columns) { part in
    let (head, tile) = (part / tiles.count, tiles[part % tiles.count])
    let (row, column) = (tile.rows.lowerBound, head * headDim)
    tile.cache.withHead(layer, head * tile.cache.shape.heads / heads) { cache in
      let attention = HeadAttention(position: tile.first, count: tile.rows.count, head: head, settings, cache)
      if tile.rows.count == 1 {
        attention.computeOneRow(queries.row(row) + column, into: outputs.row(row) + column)
      } else {
        attention.computeSeveralRows(
          queries.row(row) + column, queries.columns, into: outputs.row(row) + column, outputs.columns)
      }
    }
  }
}

/// Computes the attention weights of one head for queries (n, at least heads · headDim) of the positions `first`,
/// `first + 1`, … of a sequence whose keys are in the cache: the numerators that `attention` computes, bit for bit,
/// times the inverse of their sum. Weights of positions before a window are 0.
///
/// - Parameters:
///   - head: the index of the query head.
///   - weights: (n, at least first + n). Row r gets first + r + 1 weights; the rest of it is undefined.
func attentionWeights(
  _ queries: Matrix, first: Int, _ cache: KeyValueCache, layer: Int, head: Int, heads: Int,
  _ settings: AttentionSettings, into weights: Matrix, _ pool: ThreadPool
) {
  let (n, headDim) = (queries.rows, cache.shape.headDim)
  precondition(weights.rows == n && weights.columns >= first + n)
  precondition(0..<heads ~= head && queries.columns >= heads * headDim)
  precondition(settings.slopes.isEmpty || settings.slopes.count == heads)
  pool.run(n, cost: n * (first + n) * headDim) { row in
    cache.withHead(layer, head * cache.shape.heads / heads) { cache in
      HeadAttention(position: first + row, count: 1, head: head, settings, cache)
        .computeWeightsOfOneRow(queries.row(row) + head * headDim, into: weights.row(row))
    }
  }
}

/// The attention of at most MR positions of one sequence and one head.
///
/// Positions are counted from the start of the page in which the window of the first row starts: pages before it are
/// not read, and there are no scores for them. Scores depend on differences of positions only, except for rounded
/// biases.
private struct HeadAttention {
  private let firstPage: Int
  private let first: Int
  private let count: Int
  private let window: Int
  private let scale: Float
  private let softcap: Float?
  private let slope: Float?
  private let roundsBiases: Bool
  private let cache: CacheHead

  /// - Parameters:
  ///   - position: the position of the first row, counted from the start of the sequence.
  ///   - head: the index of the query head.
  ///   - cache: its keys and values.
  init(position: Int, count: Int, head: Int, _ settings: AttentionSettings, _ cache: CacheHead) {
    window = settings.window ?? .max
    firstPage = max(0, position - (window - 1)) / pageLength
    first = position - firstPage * pageLength
    (self.count, self.cache) = (count, cache)
    (scale, softcap, roundsBiases) = (settings.scale, settings.softcap, settings.roundsBiases)
    slope = settings.slopes.isEmpty ? nil : settings.slopes[head]
  }

  private var headDim: Int { cache.shape.headDim }
  private var paddedHeadDim: Int { cache.shape.paddedHeadDim }
  /// The first position that the first row attends to, which is in the first page.
  private var start: Int { start(ofRow: 0) }
  /// The end of the positions that the last row attends to.
  private var length: Int { first + count }
  private var padded: Int { paddedCount(length) }

  private func start(ofRow row: Int) -> Int { max(0, first + row - (window - 1)) }

  @inline(__always)
  private func keys(_ page: Int) -> UnsafeMutablePointer<Float> { cache.keys(firstPage + page) }

  @inline(__always)
  private func values(_ page: Int) -> UnsafeMutablePointer<Float> { cache.values(firstPage + page) }

  /// Replaces the query-key dot products (padded) of a row by the numerators of its softmax, and returns their sum.
  /// Positions that the row does not attend to get zeros.
  private func softmaxNumerators(_ scores: UnsafeMutablePointer<Float>, row: Int) -> Float {
    let (start, length) = (start(ofRow: row), first + row + 1)
    guard softcap != nil || slope != nil else {
      return exponentialsAndSum(scores, from: start, length, padded: padded, scale: scale)
    }
    applyScaleSoftcapAndSlope(scores, from: start, length)
    if roundsBiases, let slope { addRoundedBiases(scores, from: start, length, slope) }
    return exponentialsAndSum(scores, from: start, length, padded: padded, scale: 1)
  }

  /// Replaces the dot products of the query at position `length - 1` by scores; the formula is at `AttentionSettings`.
  /// One separate pass, so that layers without soft cap and slopes do not pay for it.
  private func applyScaleSoftcapAndSlope(_ scores: UnsafeMutablePointer<Float>, from start: Int, _ length: Int) {
    var distances = Lanes()  // j - p
    for lane in 0..<laneCount { distances[lane] = Float(lane) }
    for position in stride(from: start / laneCount * laneCount, to: length, by: laneCount) {
      var lanes = Float.load(scores + position) * scale
      if let softcap { lanes = hyperbolicTangent(lanes / softcap) * softcap }
      if !roundsBiases, let slope { lanes = lanes.addingProduct(distances + Float(position - (length - 1)), slope) }
      store(lanes, scores + position)
    }
  }

  /// Adds the biases that depend on the position of the key and are rounded to bfloat16.
  private func addRoundedBiases(
    _ scores: UnsafeMutablePointer<Float>, from start: Int, _ length: Int, _ slope: Float
  ) {
    let pages = firstPage * pageLength
    for position in start..<length {
      let key = AttentionSettings.bfloat16(Float(pages + position))
      scores[position].addProduct(AttentionSettings.bfloat16(slope * key), scale)
    }
  }

  // MARK: One row

  func computeOneRow(_ query: UnsafeMutablePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    withAlignedFloats(padded) { scores in
      queryKeyDotProducts(query, into: scores)
      let sum = softmaxNumerators(scores, row: 0)
      weightedSumOfValues(scores, 1 / sum, into: output)
    }
  }

  /// - Parameter weights: one number for each position of the sequence up to the row.
  func computeWeightsOfOneRow(_ query: UnsafeMutablePointer<Float>, into weights: UnsafeMutablePointer<Float>) {
    let skipped = firstPage * pageLength
    for position in 0..<skipped { weights[position] = 0 }
    withAlignedFloats(padded) { scores in
      queryKeyDotProducts(query, into: scores)
      let inverse = 1 / softmaxNumerators(scores, row: 0)
      for position in 0..<length { weights[skipped + position] = scores[position] * inverse }
    }
  }

  /// Computes the dot products of one query with the keys of all pages from the first page on, one page (four blocks of
  /// 16 positions) at a time.
  ///
  /// In the last page, `used` of the four blocks exist. A missing block repeats the last one and is not stored.
  private func queryKeyDotProducts(
    _ query: UnsafeMutablePointer<Float>, into scores: UnsafeMutablePointer<Float>
  ) {
    let blockSize = headDim * laneCount
    let blocks = padded / laneCount
    for block in stride(from: 0, to: blocks, by: 4) {
      let used = min(4, blocks - block)
      let k0 = keys(block / 4)
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
  /// the head dimension repeat the last one and are not stored. Values before the window are skipped: they may be NaN.
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
        let values = values(chain / pageLength) + d
        var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
        for position in max(0, start - chain)..<min(pageLength, length - chain) {
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
      for position in stride(from: start / laneCount * laneCount, to: padded, by: laneCount) {
        let keys = keys(position / pageLength) + position % pageLength * headDim
        microKernel(Lanes.self, packed, rowStride: 1, step: microKernelRows, keys, laneCount, headDim)
          .store(scores + position, stride: padded)
      }
      var inverses = SIMD8<Float>()
      // Missing rows have scores of zero.
      for row in 0..<microKernelRows {
        inverses[row] = 1 / softmaxNumerators(scores + row * padded, row: min(row, count - 1))
      }
      // The causal mask and the window: positions outside of a row's window have weight zero, and adding zero times a
      // finite value changes no sum.
      for d in stride(from: 0, to: paddedHeadDim, by: laneCount) {
        var total = Accumulators<Lanes>()
        for chain in stride(from: 0, to: length, by: pageLength) {
          let skipped = max(0, start - chain)
          total += microKernel(
            Lanes.self, scores + chain + skipped, rowStride: padded, step: 1,
            values(chain / pageLength) + skipped * paddedHeadDim + d, paddedHeadDim,
            min(pageLength, length - chain) - skipped)
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
///   - scores: (padded), of which those from `start` to `length - 1` are scores. The rest become zeros.
///   - start: less than `length`.
///   - padded: a multiple of `laneCount`, at least `length`.
///   - scale: positive.
func exponentialsAndSum(
  _ scores: UnsafeMutablePointer<Float>, from start: Int = 0, _ length: Int, padded: Int, scale: Float
) -> Float {
  maskScores(scores, outside: start..<length, padded: padded)
  let firstBlock = start / laneCount * laneCount
  var greatest = Lanes(repeating: -.infinity)
  for position in stride(from: firstBlock, to: length, by: laneCount) {
    let lanes = Float.load(scores + position) * scale
    greatest.replace(with: lanes, where: lanes .> greatest)
  }
  let maximum = greatest.max()
  let whole = (start: paddedCount(start), end: length / laneCount * laneCount)
  var sum = Lanes()
  if firstBlock < start {
    sum = numeratorsOfPartialBlock(scores, start..<min(length, whole.start), scale: scale, maximum: maximum)
  }
  for position in stride(from: whole.start, to: whole.end, by: laneCount) {
    let numerators = exponential(Float.load(scores + position) * scale - maximum)
    store(numerators, scores + position)
    sum += numerators
  }
  let rest = max(whole.start, whole.end)
  if rest < length { sum += numeratorsOfPartialBlock(scores, rest..<length, scale: scale, maximum: maximum) }
  return sum.horizontalSum
}

/// Sets scores outside of `positions` to zero, but to -∞ in blocks that have some of the positions.
private func maskScores(_ scores: UnsafeMutablePointer<Float>, outside positions: Range<Int>, padded: Int) {
  let firstBlock = positions.lowerBound / laneCount * laneCount
  let end = paddedCount(positions.upperBound)
  for position in stride(from: 0, to: firstBlock, by: laneCount) { store(Lanes(), scores + position) }
  for position in firstBlock..<positions.lowerBound { scores[position] = -.infinity }
  for position in positions.upperBound..<end { scores[position] = -.infinity }
  for position in stride(from: end, to: padded, by: laneCount) { store(Lanes(), scores + position) }
}

/// Replaces the scores of a block by the numerators at `positions`, and by zeros at other positions (`exponential` of
/// -∞ is not zero). Returns the block.
///
/// Not inlined: with three copies of `exponential` the compiler calls it in the loop over whole blocks.
@inline(never)
private func numeratorsOfPartialBlock(
  _ scores: UnsafeMutablePointer<Float>, _ positions: Range<Int>, scale: Float, maximum: Float
) -> Lanes {
  let block = scores + positions.lowerBound / laneCount * laneCount
  let numerators = exponential(Float.load(block) * scale - maximum)
  var existing = Lanes()
  for position in positions { existing[position % laneCount] = numerators[position % laneCount] }
  store(existing, block)
  return existing
}
