import Numerics
import Threads

// output = input · weightsᵀ, for weights that lie [out, in] (the token embedding, when it is used as output head).
//
// The order of summation: lane l of an output element adds the products of k = l, l + 16, l + 32, … in this order, by
// fused multiply-adds that begin with zero; then the 16 lanes are added in the fixed order of `orderedSum`. It depends
// on the number of inputs alone, so one position and many give the same bits.

/// output (n, out) from input (n, in) and weights (out, in).
func rowProduct(_ input: Matrix, _ weights: WeightMatrix, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == weights.columns && output.columns == weights.rows && input.rows == output.rows)
  func run<Element: WeightElement>(_: Element.Type) {
    pool.share(weights.rows, unit: 4, operations: input.rows * weights.rows * weights.columns) { rows in
      if input.rows == 1 {
        streamedRows(Element.self, input.start, weights, rows, output.start)
      } else {
        tiledRows(Element.self, input, weights, rows, output)
      }
    }
  }
  withElementType(weights.type) { run($0) }
}

/// One input row: four rows of weights at a time, each read once.
private func streamedRows<Element: WeightElement>(
  _: Element.Type, _ x: UnsafeMutablePointer<Float>, _ weights: WeightMatrix, _ rows: Range<Int>,
  _ output: UnsafeMutablePointer<Float>
) {
  let whole = weights.columns / laneCount * laneCount
  let rest = weights.columns - whole
  let lastInputs = Float.load(UnsafeRawPointer(x + whole), first: rest)
  let stride = weights.columns * Element.size
  var row = rows.lowerBound
  while row < rows.upperBound {
    let used = min(4, rows.upperBound - row)
    let w0 = weights.start + row * stride
    let w1 = w0 + stride * min(1, used - 1)
    let w2 = w0 + stride * min(2, used - 1)
    let w3 = w0 + stride * min(3, used - 1)
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
    output[row] = s0.orderedSum
    if used > 1 { output[row + 1] = s1.orderedSum }
    if used > 2 { output[row + 2] = s2.orderedSum }
    if used > 3 { output[row + 3] = s3.orderedSum }
    row += 4
  }
}

/// Several input rows: three rows of weights, widened to float32 in a buffer that stays in the cache, against two input
/// rows at a time; the 3 × 2 sums stay in registers.
private func tiledRows<Element: WeightElement>(
  _: Element.Type, _ input: Matrix, _ weights: WeightMatrix, _ rows: Range<Int>, _ output: Matrix
) {
  let padded = (weights.columns + laneCount - 1) / laneCount * laneCount
  let whole = weights.columns / laneCount * laneCount
  let rest = weights.columns - whole
  withUnsafeTemporaryAllocation(byteCount: 3 * padded * 4, alignment: 64) { bytes in
    let panel = bytes.bindMemory(to: Float.self).baseAddress.unsafelyUnwrapped  // a model has inputs
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 3) {
      let used = min(3, rows.upperBound - row)
      for index in 0..<3 {
        let source = weights.start + min(row + index, rows.upperBound - 1) * weights.columns * Element.size
        for k in stride(from: 0, to: whole, by: laneCount) {
          store(Element.load(source + k * Element.size), panel + index * padded + k)
        }
        if rest > 0 { store(Element.load(source + whole * Element.size, first: rest), panel + index * padded + whole) }
      }
      let (w0, w1, w2) = (panel, panel + padded, panel + 2 * padded)
      for position in stride(from: 0, to: input.rows, by: 2) {
        let isPair = position + 1 < input.rows
        let x0 = input.row(position)
        let x1 = input.row(isPair ? position + 1 : position)
        var (s00, s01, s02) = (Lanes(), Lanes(), Lanes())
        var (s10, s11, s12) = (Lanes(), Lanes(), Lanes())
        @inline(__always)
        func add(_ first: Lanes, _ second: Lanes, _ k: Int) {
          let (v0, v1, v2) = (Float.load(w0 + k), Float.load(w1 + k), Float.load(w2 + k))
          s00 = s00.addingProduct(first, v0)
          s01 = s01.addingProduct(first, v1)
          s02 = s02.addingProduct(first, v2)
          s10 = s10.addingProduct(second, v0)
          s11 = s11.addingProduct(second, v1)
          s12 = s12.addingProduct(second, v2)
        }
        var k = 0
        while k < whole {
          add(Float.load(x0 + k), Float.load(x1 + k), k)
          k += laneCount
        }
        if rest > 0 {
          add(
            Float.load(UnsafeRawPointer(x0 + whole), first: rest),
            Float.load(UnsafeRawPointer(x1 + whole), first: rest), whole)
        }
        let first = output.row(position) + row
        first[0] = s00.orderedSum
        if used > 1 { first[1] = s01.orderedSum }
        if used > 2 { first[2] = s02.orderedSum }
        guard isPair else { continue }
        let second = output.row(position + 1) + row
        second[0] = s10.orderedSum
        if used > 1 { second[1] = s11.orderedSum }
        if used > 2 { second[2] = s12.orderedSum }
      }
    }
  }
}
