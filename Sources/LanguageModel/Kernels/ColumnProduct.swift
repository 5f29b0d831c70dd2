import Threads

// output = input · weights, for weights that lie [in, out] (GPT-2's Conv1D).
//
// The order of summation, on which rule 8 rests: k runs through the inputs in blocks of 128. Within a block, each
// output element is one chain of fused multiply-adds in the order of k, beginning with zero; the sums of the blocks are
// then added to each other in their order. (A single chain would do as well; blocks keep the rounding error of long
// sums small, and a block of a panel fits the first-level cache.) Lanes are output columns, so no lane is ever added to
// another. Both kernels below keep to this order, so one position alone and many positions together give the same bits.
//
//  - one row: the weights are streamed once, four rows of them at a time, straight from the file's pages: as fast as
//    memory can be read;
//  - several rows: a block of 128 × 16 weights is widened into a panel (8 KiB) and multiplied with six input rows at a
//    time, whose 6 × 16 sums stay in registers: as fast as the processor can multiply.

private let blockLength = 128
private let tileRows = 6

/// What is done with a sum when it is complete.
enum Completion {
  /// output = sum + bias
  case store
  /// output = gelu(sum + bias)
  case gelu
  /// output = output + (sum + bias)
  case addToOutput
}

/// output (n, out) from input (n, in) and weights (in, out), then bias (out) and the completion.
func columnProduct(
  _ input: Matrix, _ weights: WeightMatrix, bias: WeightVector, into output: Matrix, _ completion: Completion,
  _ pool: ThreadPool
) {
  precondition(input.columns == weights.rows && output.columns == weights.columns && input.rows == output.rows)
  precondition(bias.count == weights.columns)
  func run<Element: WeightElement>(_: Element.Type) {
    let operations = input.rows * weights.rows * weights.columns
    pool.share(weights.columns, unit: laneCount, operations: operations) { columns in
      if input.rows == 1 {
        streamedColumns(Element.self, input, weights, columns, bias, output, completion)
      } else {
        tiledColumns(Element.self, input, weights, columns, bias, output, completion)
      }
    }
  }
  withElementType(weights.type) { run($0) }
}

/// One input row.
private func streamedColumns<Element: WeightElement>(
  _: Element.Type, _ input: Matrix, _ weights: WeightMatrix, _ columns: Range<Int>, _ bias: WeightVector,
  _ output: Matrix, _ completion: Completion
) {
  let whole = columns.count / laneCount * laneCount  // the columns behind these are fewer than a vector
  let stride = weights.columns * Element.size
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * whole) { scratch in
    guard whole > 0, let sums = scratch.baseAddress else { return }
    let total = sums + whole
    total.initialize(repeating: 0, count: whole)
    let x = input.start
    for blockStart in Swift.stride(from: 0, to: weights.rows, by: blockLength) {
      let blockEnd = min(blockStart + blockLength, weights.rows)
      sums.initialize(repeating: 0, count: whole)
      var k = blockStart
      var row = weights.start + (k * weights.columns + columns.lowerBound) * Element.size
      while k + 4 <= blockEnd {
        let (x0, x1, x2, x3) = (x[k], x[k + 1], x[k + 2], x[k + 3])
        var column = 0
        while column < whole {
          let address = row + column * Element.size
          var sum = Float.load(sums + column)
          sum = sum.addingProduct(Element.load(address), x0)
          sum = sum.addingProduct(Element.load(address + stride), x1)
          sum = sum.addingProduct(Element.load(address + 2 * stride), x2)
          sum = sum.addingProduct(Element.load(address + 3 * stride), x3)
          store(sum, sums + column)
          column += laneCount
        }
        k += 4
        row += 4 * stride
      }
      while k < blockEnd {
        for column in Swift.stride(from: 0, to: whole, by: laneCount) {
          store(Float.load(sums + column).addingProduct(Element.load(row + column * Element.size), x[k]), sums + column)
        }
        k += 1
        row += stride
      }
      for column in Swift.stride(from: 0, to: whole, by: laneCount) {
        store(Float.load(total + column) + Float.load(sums + column), total + column)
      }
    }
    for column in Swift.stride(from: 0, to: whole, by: laneCount) {
      let target = output.start + columns.lowerBound + column
      let sum = Float.load(total + column) + Float.load(bias.values + columns.lowerBound + column)
      store(completion.complete(sum, Float.load(target)), target)
    }
  }
  if whole < columns.count {
    let rest = columns.lowerBound + whole..<columns.upperBound
    tiledColumns(Element.self, input, weights, rest, bias, output, completion)
  }
}

/// Any number of input rows.
private func tiledColumns<Element: WeightElement>(
  _: Element.Type, _ input: Matrix, _ weights: WeightMatrix, _ columns: Range<Int>, _ bias: WeightVector,
  _ output: Matrix, _ completion: Completion
) {
  let panelCount = (columns.count + laneCount - 1) / laneCount
  withUnsafeTemporaryAllocation(byteCount: blockLength * laneCount * 4, alignment: 64) { bytes in
    let panel = bytes.bindMemory(to: Float.self).baseAddress.unsafelyUnwrapped  // not empty
    withUnsafeTemporaryAllocation(of: Float.self, capacity: input.rows * laneCount) { buffer in
      let total = buffer.baseAddress.unsafelyUnwrapped  // an input has a row at least; the sums of a panel, (n, 16)
      for index in 0..<panelCount {
        let column = columns.lowerBound + index * laneCount
        let width = min(laneCount, columns.upperBound - column)
        for blockStart in Swift.stride(from: 0, to: weights.rows, by: blockLength) {
          let length = min(blockLength, weights.rows - blockStart)
          widen(Element.self, weights, row: blockStart, length, column: column, width, into: panel)
          for row in Swift.stride(from: 0, to: input.rows, by: tileRows) {
            let used = min(tileRows, input.rows - row)
            multiplyTile(
              input.row(row) + blockStart, input.columns, used, panel, length, total + row * laneCount,
              isFirstBlock: blockStart == 0)
          }
        }
        for row in 0..<input.rows {
          let target = output.row(row) + column
          let sum = Float.load(total + row * laneCount) + Float.load(bias.values + column)  // vectors are padded to 16
          if width == laneCount {
            store(completion.complete(sum, Float.load(target)), target)
          } else {
            let result = completion.complete(sum, Float.load(UnsafeRawPointer(target), first: width))
            for lane in 0..<width { target[lane] = result[lane] }
          }
        }
      }
    }
  }
}

/// Copies weights (length, 16) into the panel as float32; columns that do not exist become zeros.
@inline(__always)
private func widen<Element: WeightElement>(
  _: Element.Type, _ weights: WeightMatrix, row: Int, _ length: Int, column: Int, _ width: Int,
  into panel: UnsafeMutablePointer<Float>
) {
  for k in 0..<length {
    let address = weights.start + ((row + k) * weights.columns + column) * Element.size
    store(width == laneCount ? Element.load(address) : Element.load(address, first: width), panel + k * laneCount)
  }
}

/// sums (6, 16) = rows (6, length) · panel (length, 16), stored or added to what is there. Where there are fewer than six
/// rows the last is computed again and not stored.
@inline(__always)
private func multiplyTile(
  _ rows: UnsafeMutablePointer<Float>, _ stride: Int, _ used: Int, _ panel: UnsafeMutablePointer<Float>, _ length: Int,
  _ sums: UnsafeMutablePointer<Float>, isFirstBlock: Bool
) {
  let x0 = rows
  let x1 = rows + stride * min(1, used - 1)
  let x2 = rows + stride * min(2, used - 1)
  let x3 = rows + stride * min(3, used - 1)
  let x4 = rows + stride * min(4, used - 1)
  let x5 = rows + stride * min(5, used - 1)
  var (s0, s1, s2, s3, s4, s5) = (Lanes(), Lanes(), Lanes(), Lanes(), Lanes(), Lanes())
  for k in 0..<length {
    let weights = Float.load(panel + k * laneCount)
    s0 = s0.addingProduct(weights, x0[k])
    s1 = s1.addingProduct(weights, x1[k])
    s2 = s2.addingProduct(weights, x2[k])
    s3 = s3.addingProduct(weights, x3[k])
    s4 = s4.addingProduct(weights, x4[k])
    s5 = s5.addingProduct(weights, x5[k])
  }
  @inline(__always)
  func keep(_ sum: Lanes, _ row: Int) {
    guard row < used else { return }
    let target = sums + row * laneCount
    store(isFirstBlock ? Lanes() + sum : Float.load(target) + sum, target)
  }
  keep(s0, 0)
  keep(s1, 1)
  keep(s2, 2)
  keep(s3, 3)
  keep(s4, 4)
  keep(s5, 5)
}

extension Completion {
  @inline(__always)
  fileprivate func complete(_ sum: Lanes, _ previous: @autoclosure () -> Lanes) -> Lanes {
    switch self {
    case .store: sum
    case .gelu: LanguageModel.gelu(sum)
    case .addToOutput: previous() + sum
    }
  }
}

@inline(__always)
func store(_ lanes: Lanes, _ address: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(address).storeBytes(of: lanes, as: Lanes.self)
}
