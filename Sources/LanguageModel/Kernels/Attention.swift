import Numerics

// Attention of some positions of one head to every position up to their own.
//
// The order of summation: a score is one chain of fused multiply-adds along the head's width. The exponentials of the
// scores are added in 16 lanes, lane l those of positions l, l + 16, …, and the lanes by `orderedSum`. A weighted value
// is a chain along each 64 positions, and the chains' sums are added in their order. All three depend on the position
// alone, so it does not matter how many positions are computed together. Up to six are: their sums are independent
// chains that keep the multipliers busy, and each key and value is loaded once for all six.

/// How many positions' weighted values make one chain: short chains round less.
private let chainLength = 64

/// Rows that are computed together.
let attentionTileRows = 6

/// Attends from queries (count, headWidth) of the positions `first`, `first + 1`, … and writes outputs (count, headWidth).
///
/// - Parameters:
///   - queries: the first query; the next is `queryStride` numbers on. Likewise `outputs`.
///   - scores: scratch memory for 6 × `cache.paddedLength(first + count)` numbers.
func attend(
  _ queries: UnsafeMutablePointer<Float>, queryStride: Int, first: Int, count: Int, scale: Float,
  _ cache: KeyValueCache, layer: Int, head: Int, scores: UnsafeMutablePointer<Float>,
  outputs: UnsafeMutablePointer<Float>, outputStride: Int
) {
  precondition(count >= 1 && count <= attentionTileRows)
  let keys = cache.keys(layer: layer, head: head)
  let values = cache.values(layer: layer, head: head)
  let length = first + count  // positions that the last query sees
  let padded = cache.paddedLength(length)
  if count == 1 {
    scoreOne(queries, keys, cache.headWidth, padded, scale, scores)
  } else {
    scoreTile(queries, queryStride, count, keys, cache.headWidth, padded, scale, scores)
  }
  var inverses = SIMD8<Float>()
  for row in 0..<count { inverses[row] = 1 / softmaxNumerators(scores + row * padded, first + row + 1, padded) }
  if count == 1 {
    weighOne(scores, length, values, cache, inverses[0], outputs)
  } else {
    weighTile(scores, padded, count, length, values, cache, inverses, outputs, outputStride)
  }
}

/// Scores of one query: four blocks of 16 positions at a time.
private func scoreOne(
  _ query: UnsafeMutablePointer<Float>, _ keys: UnsafeMutablePointer<Float>, _ width: Int, _ padded: Int,
  _ scale: Float, _ scores: UnsafeMutablePointer<Float>
) {
  let blockSize = width * laneCount
  let blocks = padded / laneCount
  for block in stride(from: 0, to: blocks, by: 4) {
    let used = min(4, blocks - block)
    let k0 = keys + block * blockSize
    let k1 = k0 + blockSize * min(1, used - 1)
    let k2 = k0 + blockSize * min(2, used - 1)
    let k3 = k0 + blockSize * min(3, used - 1)
    var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
    for d in 0..<width {
      let q = query[d]
      s0 = s0.addingProduct(Float.load(k0 + d * laneCount), q)
      s1 = s1.addingProduct(Float.load(k1 + d * laneCount), q)
      s2 = s2.addingProduct(Float.load(k2 + d * laneCount), q)
      s3 = s3.addingProduct(Float.load(k3 + d * laneCount), q)
    }
    let target = scores + block * laneCount
    store(s0 * scale, target)
    if used > 1 { store(s1 * scale, target + laneCount) }
    if used > 2 { store(s2 * scale, target + 2 * laneCount) }
    if used > 3 { store(s3 * scale, target + 3 * laneCount) }
  }
}

/// Scores of up to six queries: one block of 16 positions at a time.
private func scoreTile(
  _ queries: UnsafeMutablePointer<Float>, _ stride: Int, _ count: Int, _ keys: UnsafeMutablePointer<Float>,
  _ width: Int,
  _ padded: Int, _ scale: Float, _ scores: UnsafeMutablePointer<Float>
) {
  let q0 = queries
  let q1 = queries + stride * min(1, count - 1)
  let q2 = queries + stride * min(2, count - 1)
  let q3 = queries + stride * min(3, count - 1)
  let q4 = queries + stride * min(4, count - 1)
  let q5 = queries + stride * min(5, count - 1)
  for position in Swift.stride(from: 0, to: padded, by: laneCount) {
    let block = keys + position * width
    var (s0, s1, s2, s3, s4, s5) = (Lanes(), Lanes(), Lanes(), Lanes(), Lanes(), Lanes())
    for d in 0..<width {
      let key = Float.load(block + d * laneCount)
      s0 = s0.addingProduct(key, q0[d])
      s1 = s1.addingProduct(key, q1[d])
      s2 = s2.addingProduct(key, q2[d])
      s3 = s3.addingProduct(key, q3[d])
      s4 = s4.addingProduct(key, q4[d])
      s5 = s5.addingProduct(key, q5[d])
    }
    let target = scores + position
    store(s0 * scale, target)
    if count > 1 { store(s1 * scale, target + padded) }
    if count > 2 { store(s2 * scale, target + 2 * padded) }
    if count > 3 { store(s3 * scale, target + 3 * padded) }
    if count > 4 { store(s4 * scale, target + 4 * padded) }
    if count > 5 { store(s5 * scale, target + 5 * padded) }
  }
}

/// Replaces the first `length` scores by e^(score - maximum), those behind them by zeros, and returns the sum.
private func softmaxNumerators(_ scores: UnsafeMutablePointer<Float>, _ length: Int, _ padded: Int) -> Float {
  let whole = length / laneCount * laneCount
  for position in length..<padded { scores[position] = -.infinity }
  var greatest = Lanes(repeating: -.infinity)
  for position in stride(from: 0, to: padded, by: laneCount) {
    let lanes = Float.load(scores + position)
    greatest.replace(with: lanes, where: lanes .> greatest)
  }
  let maximum = greatest.max()
  var sum = Lanes()
  for position in stride(from: 0, to: whole, by: laneCount) {
    let numerators = exponential(Float.load(scores + position) - maximum)
    store(numerators, scores + position)
    sum += numerators
  }
  if whole < padded {
    var last = Lanes()  // of the last block only the positions that exist
    let numerators = whole < length ? exponential(Float.load(scores + whole) - maximum) : Lanes()
    for lane in 0..<(length - whole) { last[lane] = numerators[lane] }
    store(last, scores + whole)
    sum += last
    for position in stride(from: whole + laneCount, to: padded, by: laneCount) { store(Lanes(), scores + position) }
  }
  return sum.orderedSum
}

/// The weighted sum of the values for one query: four vectors of the head's width at a time.
private func weighOne(
  _ weights: UnsafeMutablePointer<Float>, _ length: Int, _ values: UnsafeMutablePointer<Float>, _ cache: KeyValueCache,
  _ inverse: Float, _ output: UnsafeMutablePointer<Float>
) {
  let stride = cache.paddedHeadWidth
  for d in Swift.stride(from: 0, to: stride, by: 4 * laneCount) {
    let used = min(4, (stride - d) / laneCount)
    let o1 = laneCount * min(1, used - 1)
    let o2 = laneCount * min(2, used - 1)
    let o3 = laneCount * min(3, used - 1)
    var (t0, t1, t2, t3) = (Lanes(), Lanes(), Lanes(), Lanes())
    for chain in Swift.stride(from: 0, to: length, by: chainLength) {
      var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
      for position in chain..<min(chain + chainLength, length) {
        let value = values + position * stride + d
        let weight = weights[position]
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
    keep(t0 * inverse, output, d, cache.headWidth)
    if used > 1 { keep(t1 * inverse, output, d + laneCount, cache.headWidth) }
    if used > 2 { keep(t2 * inverse, output, d + 2 * laneCount, cache.headWidth) }
    if used > 3 { keep(t3 * inverse, output, d + 3 * laneCount, cache.headWidth) }
  }
}

/// The same for up to six queries. A position that a query does not see has weight zero there, and adding zero times a
/// finite value changes no sum.
private func weighTile(
  _ weights: UnsafeMutablePointer<Float>, _ padded: Int, _ count: Int, _ length: Int,
  _ values: UnsafeMutablePointer<Float>, _ cache: KeyValueCache, _ inverses: SIMD8<Float>,
  _ outputs: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let w0 = weights
  let w1 = weights + padded * min(1, count - 1)
  let w2 = weights + padded * min(2, count - 1)
  let w3 = weights + padded * min(3, count - 1)
  let w4 = weights + padded * min(4, count - 1)
  let w5 = weights + padded * min(5, count - 1)
  let width = cache.headWidth
  for d in Swift.stride(from: 0, to: cache.paddedHeadWidth, by: laneCount) {
    var (t0, t1, t2, t3, t4, t5) = (Lanes(), Lanes(), Lanes(), Lanes(), Lanes(), Lanes())
    var value = values + d
    for chain in Swift.stride(from: 0, to: length, by: chainLength) {
      var (s0, s1, s2, s3, s4, s5) = (Lanes(), Lanes(), Lanes(), Lanes(), Lanes(), Lanes())
      for position in chain..<min(chain + chainLength, length) {
        let lanes = Float.load(value)
        s0 = s0.addingProduct(lanes, w0[position])
        s1 = s1.addingProduct(lanes, w1[position])
        s2 = s2.addingProduct(lanes, w2[position])
        s3 = s3.addingProduct(lanes, w3[position])
        s4 = s4.addingProduct(lanes, w4[position])
        s5 = s5.addingProduct(lanes, w5[position])
        value += cache.paddedHeadWidth
      }
      t0 += s0
      t1 += s1
      t2 += s2
      t3 += s3
      t4 += s4
      t5 += s5
    }
    keep(t0 * inverses[0], outputs, d, width)
    if count > 1 { keep(t1 * inverses[1], outputs + outputStride, d, width) }
    if count > 2 { keep(t2 * inverses[2], outputs + 2 * outputStride, d, width) }
    if count > 3 { keep(t3 * inverses[3], outputs + 3 * outputStride, d, width) }
    if count > 4 { keep(t4 * inverses[4], outputs + 4 * outputStride, d, width) }
    if count > 5 { keep(t5 * inverses[5], outputs + 5 * outputStride, d, width) }
  }
}

/// Stores the lanes at `d`, `d + 1`, … as far as the head is wide.
@inline(__always)
private func keep(_ lanes: Lanes, _ output: UnsafeMutablePointer<Float>, _ d: Int, _ width: Int) {
  if d + laneCount <= width {
    store(lanes, output + d)
  } else {
    for lane in 0..<max(0, width - d) { output[d + lane] = lanes[lane] }
  }
}
