import Numerics
import Threads

// output = input · weightsᵀ, for weights that lie [out, in] (the token embedding, when it is used as output head).
//
// The order of summation: lane l of an output element adds the products of k = l, l + 16, l + 32, … in this order, by
// fused multiply-adds that begin with zero; then the 16 lanes are added in the fixed order of `orderedSum`. It depends
// on the number of inputs alone, so one position and many give the same bits.
//
//  - One input row: each weight row is read once. Four rows are read side by side, far from each other, because the
//    processor fetches ahead within each of a few streams.
//  - Several input rows: four weight rows, widened to float32 in a buffer that stays in the cache, against three input
//    rows at a time; the 4 × 3 sums stay in registers. Where registers hold only 8 lanes, lanes 0 to 7 of all sums are
//    computed first and then lanes 8 to 15: lanes know nothing of each other before the end.

/// Weight rows of one part of the work.
private let sectionRows = 256
private let tileWeights = 4
private let tileInputs = 3

/// output (n, out) from input (n, in) and weights (out, in).
func rowProduct(
  _ input: Matrix, _ weights: WeightMatrix, into output: Matrix, _ pool: ThreadPool, registers: VectorRegisters = .here
) {
  precondition(input.columns == weights.columns && output.columns == weights.rows && input.rows == output.rows)
  func run<Element: WeightElement>(_: Element.Type) {
    let product = RowProduct<Element>(input: input, weights: weights, output: output)
    pool.run(weights.rows, unit: sectionRows, operations: input.rows * weights.rows * weights.columns) { rows in
      switch registers {
      case _ where input.rows == 1: product.ofOneRow(rows)
      case .narrow: product.ofSeveralRows(SIMD8<Float>.self, rows)
      case .wide: product.ofSeveralRows(SIMD16<Float>.self, rows)
      }
    }
  }
  withElementType(weights.type) { run($0) }
}

private struct RowProduct<Element: WeightElement> {
  let input: Matrix
  let weights: WeightMatrix
  let output: Matrix

  private var whole: Int { weights.columns / laneCount * laneCount }
  private var rest: Int { weights.columns - whole }
  private var padded: Int { paddedCount(weights.columns) }

  @inline(__always)
  private func address(_ row: Int) -> UnsafeRawPointer { weights.start + row * weights.columns * Element.size }

  /// One input row, a range of weight rows: one row from each quarter of the range at a time.
  func ofOneRow(_ rows: Range<Int>) {
    let (x, y) = (input.start, output.start)
    let (whole, rest) = (whole, rest)
    let lastInputs = Float.load(UnsafeRawPointer(x + whole), first: rest)
    let quarter = (rows.count + 3) / 4
    for row in rows.lowerBound..<rows.lowerBound + quarter {
      let last = rows.upperBound - 1  // where the last quarter is short it is computed again
      let (r1, r2, r3) = (min(row + quarter, last), min(row + 2 * quarter, last), min(row + 3 * quarter, last))
      let (w0, w1, w2, w3) = (address(row), address(r1), address(r2), address(r3))
      var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
      var k = 0
      while k < whole {
        let inputs = Float.load(x + k)
        let offset = k * Element.size
        s0 = s0.addingProduct(inputs, Element.load(w0 + offset))
        s1 = s1.addingProduct(inputs, Element.load(w1 + offset))
        s2 = s2.addingProduct(inputs, Element.load(w2 + offset))
        s3 = s3.addingProduct(inputs, Element.load(w3 + offset))
        k += laneCount
      }
      if rest > 0 {
        let offset = whole * Element.size
        s0 = s0.addingProduct(lastInputs, Element.load(w0 + offset, first: rest))
        s1 = s1.addingProduct(lastInputs, Element.load(w1 + offset, first: rest))
        s2 = s2.addingProduct(lastInputs, Element.load(w2 + offset, first: rest))
        s3 = s3.addingProduct(lastInputs, Element.load(w3 + offset, first: rest))
      }
      let sums = orderedSums(s0, s1, s2, s3)
      y[row] = sums[0]
      y[r1] = sums[1]
      y[r2] = sums[2]
      y[r3] = sums[3]
    }
  }

  /// Several input rows, a range of weight rows.
  func ofSeveralRows<Part: SIMD>(_: Part.Type, _ rows: Range<Int>) where Part.Scalar == Float {
    let padded = padded
    withAlignedFloats((tileWeights + tileInputs) * padded + tileInputs * tileWeights * laneCount) { buffer in
      let panel = buffer  // (4, padded)
      let copies = panel + tileWeights * padded  // (3, padded)
      let sums = copies + tileInputs * padded  // (3, 4, 16)
      for row in stride(from: rows.lowerBound, to: rows.upperBound, by: tileWeights) {
        for index in 0..<tileWeights { widen(min(row + index, rows.upperBound - 1), into: panel + index * padded) }
        for position in stride(from: 0, to: input.rows, by: tileInputs) {
          let last = input.rows - 1
          let x0 = paddedInput(position, copies)
          let x1 = paddedInput(min(position + 1, last), copies + padded)
          let x2 = paddedInput(min(position + 2, last), copies + 2 * padded)
          for lane in stride(from: 0, to: laneCount, by: Part.scalarCount) {
            multiplyTile(Part.self, x0 + lane, x1 + lane, x2 + lane, panel + lane, padded, sums + lane)
          }
          for index in 0..<min(tileInputs, input.rows - position) {
            let target = output.row(position + index) + row
            let sums = sums + index * tileWeights * laneCount
            let four = orderedSums(
              Float.load(sums), Float.load(sums + laneCount), Float.load(sums + 2 * laneCount),
              Float.load(sums + 3 * laneCount))
            for weight in 0..<min(tileWeights, rows.upperBound - row) { target[weight] = four[weight] }
          }
        }
      }
    }
  }

  /// Copies a weight row as float32, with zeros behind its end.
  @inline(__always)
  private func widen(_ row: Int, into target: UnsafeMutablePointer<Float>) {
    let source = address(row)
    for k in stride(from: 0, to: whole, by: laneCount) { store(Element.load(source + k * Element.size), target + k) }
    if rest > 0 { store(Element.load(source + whole * Element.size, first: rest), target + whole) }
  }

  /// An input row, if need be as a copy with zeros behind its end.
  @inline(__always)
  private func paddedInput(_ row: Int, _ copy: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    guard rest > 0 else { return input.row(row) }
    copy.update(from: input.row(row), count: input.columns)
    for k in input.columns..<padded { copy[k] = 0 }
    return copy
  }

  /// Some lanes, the first of them at the pointers, of the sums (3, 4, 16) of three inputs and the four weight rows of a
  /// panel. Not inlined: the compiler would join the halves into one loop, for which there are too few registers.
  @inline(never)
  private func multiplyTile<Part: SIMD>(
    _: Part.Type, _ x0: UnsafeMutablePointer<Float>, _ x1: UnsafeMutablePointer<Float>,
    _ x2: UnsafeMutablePointer<Float>, _ w0: UnsafeMutablePointer<Float>, _ stride: Int,
    _ sums: UnsafeMutablePointer<Float>
  ) where Part.Scalar == Float {
    let (w1, w2, w3) = (w0 + stride, w0 + 2 * stride, w0 + 3 * stride)
    var (s00, s01, s02, s03) = (Part(), Part(), Part(), Part())
    var (s10, s11, s12, s13) = (Part(), Part(), Part(), Part())
    var (s20, s21, s22, s23) = (Part(), Part(), Part(), Part())
    var k = 0
    while k < stride {
      let (v0, v1, v2) = (load(x0 + k), load(x1 + k), load(x2 + k))
      var weights = load(w0 + k)
      s00 = s00.addingProduct(v0, weights)
      s10 = s10.addingProduct(v1, weights)
      s20 = s20.addingProduct(v2, weights)
      weights = load(w1 + k)
      s01 = s01.addingProduct(v0, weights)
      s11 = s11.addingProduct(v1, weights)
      s21 = s21.addingProduct(v2, weights)
      weights = load(w2 + k)
      s02 = s02.addingProduct(v0, weights)
      s12 = s12.addingProduct(v1, weights)
      s22 = s22.addingProduct(v2, weights)
      weights = load(w3 + k)
      s03 = s03.addingProduct(v0, weights)
      s13 = s13.addingProduct(v1, weights)
      s23 = s23.addingProduct(v2, weights)
      k += laneCount
    }
    @inline(__always)
    func load(_ address: UnsafeMutablePointer<Float>) -> Part { UnsafeRawPointer(address).loadUnaligned(as: Part.self) }
    @inline(__always)
    func keep(_ sum: Part, _ index: Int) {
      UnsafeMutableRawPointer(sums + index * laneCount).storeBytes(of: sum, as: Part.self)
    }
    keep(s00, 0)
    keep(s01, 1)
    keep(s02, 2)
    keep(s03, 3)
    keep(s10, 4)
    keep(s11, 5)
    keep(s12, 6)
    keep(s13, 7)
    keep(s20, 8)
    keep(s21, 9)
    keep(s22, 10)
    keep(s23, 11)
  }
}
