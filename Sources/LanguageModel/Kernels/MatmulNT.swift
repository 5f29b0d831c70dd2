import Numerics
import Threads

// output = input · weightsᵀ, for weights that lie [out, in]: the token embedding when it is used as output head, all maps
// of Llama, and whatever is quantized.
//
// The order of summation: lane l of an output element adds the products of k = l, l + 16, l + 32, … in this order, by
// fused multiply-adds that begin with zero; then the 16 lanes are added in the fixed order of `horizontalSum`. It depends
// on the number of inputs alone, so one position and many give the same bits.
//
//  - One input row: each weight row is read once. Four rows are read side by side, far from each other, because the
//    processor fetches ahead within each of a few streams.
//  - Several input rows: sixteen weight rows are widened to float32 in a buffer that stays in the second-level cache, and
//    taken four at a time against six input rows, or three where there are fewer registers; the 4 × 6 sums stay in
//    registers. Long rows are cut into blocks that stay in the first-level cache, between which the lanes of the sums
//    are kept in memory. Where registers hold only 8 lanes, lanes 0 to 7 of all sums are computed first and then lanes 8
//    to 15: lanes know nothing of each other before the end.

/// Weight rows of one part of the work, at most.
private let sectionRows = 256
/// Weight rows that are widened together: a vector of outputs.
private let groupRows = laneCount
private let tileWeights = 4
/// Inputs of one block of long rows.
private let blockLength = 512

/// output (n, out) = completion(input (n, in) · weightsᵀ + bias), for weights (out, in); several maps of the same input
/// have their outputs side by side.
func matmulNT(
  _ input: Matrix, _ maps: [Linear], into output: Matrix, _ completion: Completion, _ pool: ThreadPool,
  registers: VectorRegisters = .here
) {
  precondition(input.rows == output.rows && output.columns == maps.reduce(0) { $0 + $1.weight.rows })
  // Parts of a few whole groups, so many that threads which begin late or are held up find less to do.
  let section = min(sectionRows, paddedCount(output.columns / (8 * pool.threads) + 1))
  var parts: [(map: Int, column: Int, rows: Range<Int>)] = []
  var column = 0
  for (index, map) in maps.enumerated() {
    precondition(map.weight.columns == input.columns && map.bias?.count ?? map.weight.rows == map.weight.rows)
    for row in stride(from: 0, to: map.weight.rows, by: section) {
      parts.append((index, column, row..<min(row + section, map.weight.rows)))
    }
    column += map.weight.rows
  }
  pool.run(parts.count, cost: input.rows * input.columns * output.columns) { part in
    let (index, column, rows) = parts[part]
    func run<Format: WeightFormat>(_: Format.Type) {
      let product = MatmulNT<Format>(
        input: input, weights: maps[index].weight, bias: maps[index].bias, output: output, firstColumn: column,
        completion: completion)
      switch registers {
      case _ where input.rows == 1: product.ofOneRow(rows)
      case .narrow: product.ofSeveralRows(SIMD8<Float>.self, rows)
      case .wide: product.ofSeveralRows(SIMD16<Float>.self, rows)
      }
    }
    withFormat(maps[index].weight.type) { run($0) }
  }
}

private struct MatmulNT<Format: WeightFormat> {
  let input: Matrix
  let weights: WeightMatrix
  let bias: WeightVector?
  let output: Matrix
  /// Of the output, that of the weights' first row.
  let firstColumn: Int
  let completion: Completion

  private var units: Int { weights.columns / Format.Unit.length }
  private var rest: Int { weights.columns % Format.Unit.length }
  private var padded: Int { paddedCount(weights.columns) }

  @inline(__always)
  private func address(_ row: Int) -> UnsafeRawPointer { weights.start + row * weights.rowSize }

  /// Turns the sums of a range of weight rows and one input row into outputs.
  @inline(__always)
  private func complete(_ sums: UnsafeMutablePointer<Float>, _ rows: Range<Int>, inputRow: Int) {
    let target = output.row(inputRow) + firstColumn
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: laneCount) {
      completion.complete(
        Float.load(sums + row - rows.lowerBound), bias: bias.map { $0.values + row }, target + row,
        count: rows.upperBound - row)
    }
  }

  // MARK: One row

  /// One input row, a range of weight rows: one row from each quarter of the range at a time.
  func ofOneRow(_ rows: Range<Int>) {
    let x = input.start
    let (units, rest) = (units, rest)
    let quarter = (rows.count + 3) / 4
    withAlignedFloats(paddedCount(rows.count) + laneCount) { sums in
      let lastInputs = sums + paddedCount(rows.count)
      store(Float.load(UnsafeRawPointer(x + units * Format.Unit.length), first: rest), lastInputs)
      for row in 0..<quarter {
        let last = rows.count - 1  // where the last quarter is short it is computed again
        let (r1, r2, r3) = (min(row + quarter, last), min(row + 2 * quarter, last), min(row + 3 * quarter, last))
        let w0 = address(rows.lowerBound + row)
        let w1 = address(rows.lowerBound + r1)
        let w2 = address(rows.lowerBound + r2)
        let w3 = address(rows.lowerBound + r3)
        var (s0, s1, s2, s3) = (Lanes(), Lanes(), Lanes(), Lanes())
        for index in 0..<units {
          let inputs = x + index * Format.Unit.length
          s0 = Format.unit(w0, index).addingProducts(to: s0, inputs)
          s1 = Format.unit(w1, index).addingProducts(to: s1, inputs)
          s2 = Format.unit(w2, index).addingProducts(to: s2, inputs)
          s3 = Format.unit(w3, index).addingProducts(to: s3, inputs)
        }
        if rest > 0 {
          s0 = Format.unit(w0, units, first: rest).addingProducts(to: s0, lastInputs)
          s1 = Format.unit(w1, units, first: rest).addingProducts(to: s1, lastInputs)
          s2 = Format.unit(w2, units, first: rest).addingProducts(to: s2, lastInputs)
          s3 = Format.unit(w3, units, first: rest).addingProducts(to: s3, lastInputs)
        }
        let four = horizontalSums(s0, s1, s2, s3)
        sums[row] = four[0]
        sums[r1] = four[1]
        sums[r2] = four[2]
        sums[r3] = four[3]
      }
      complete(sums, rows, inputRow: 0)
    }
  }

  // MARK: Several rows

  /// Several input rows, a range of weight rows.
  func ofSeveralRows<Part: SIMD>(_: Part.Type, _ rows: Range<Int>) where Part.Scalar == Float {
    let padded = padded
    let tileInputs = FourRows<Part>.inputs
    withAlignedFloats((groupRows + tileInputs) * padded + tileInputs * groupRows * (laneCount + 1)) { buffer in
      let panel = buffer  // (16, padded)
      let copies = panel + groupRows * padded  // (inputs, padded)
      let lanes = copies + tileInputs * padded  // (4, inputs, 4, 16)
      let sums = lanes + tileInputs * groupRows * laneCount  // (inputs, 16)
      for group in stride(from: rows.lowerBound, to: rows.upperBound, by: groupRows) {
        let group = group..<min(group + groupRows, rows.upperBound)
        let fours = (group.count + tileWeights - 1) / tileWeights
        for index in 0..<fours * tileWeights {
          Format.widen(
            address(min(group.lowerBound + index, group.upperBound - 1)), count: weights.columns,
            into: panel + index * padded)
        }
        for position in stride(from: 0, to: input.rows, by: tileInputs) {
          let tile = InputRows { index in
            let row = min(position + min(index, tileInputs - 1), input.rows - 1)
            return paddedInput(row, copies + min(index, tileInputs - 1) * padded)
          }
          for block in stride(from: 0, to: padded, by: blockLength) {
            let length = min(blockLength, padded - block)
            for four in 0..<fours {
              for lane in stride(from: block, to: block + laneCount, by: Part.scalarCount) {
                multiplyTile(
                  Part.self, tile, at: lane, panel + four * tileWeights * padded + lane, stride: padded, length,
                  lanes + four * tileInputs * tileWeights * laneCount + lane - block, isFirst: block == 0)
              }
            }
          }
          for index in 0..<min(tileInputs, input.rows - position) {
            for four in 0..<fours {
              let lanes = lanes + (four * tileInputs + index) * tileWeights * laneCount
              let result = horizontalSums(
                Float.load(lanes), Float.load(lanes + laneCount), Float.load(lanes + 2 * laneCount),
                Float.load(lanes + 3 * laneCount))
              UnsafeMutableRawPointer(sums + index * groupRows + four * tileWeights).storeBytes(
                of: result, as: SIMD4<Float>.self)
            }
            complete(sums + index * groupRows, group, inputRow: position + index)
          }
        }
      }
    }
  }

  /// An input row, if need be as a copy with zeros behind its end.
  @inline(__always)
  private func paddedInput(_ row: Int, _ copy: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    guard rest > 0 else { return input.row(row) }
    copy.update(from: input.row(row), count: input.columns)
    for k in input.columns..<padded { copy[k] = 0 }
    return copy
  }

  /// Adds to the sums (inputs, 4, 16) of some inputs and the four weight rows of a panel, for some lanes, the first of
  /// them at the pointers. Not inlined: the compiler would join the halves into one loop, for which there are too few
  /// registers.
  @inline(never)
  private func multiplyTile<Part: SIMD>(
    _: Part.Type, _ x: InputRows, at start: Int, _ panel: UnsafeMutablePointer<Float>, stride: Int, _ length: Int,
    _ sums: UnsafeMutablePointer<Float>, isFirst: Bool
  ) where Part.Scalar == Float {
    typealias Four = FourRows<Part>
    let (x0, x1, x2) = (x.x0 + start, x.x1 + start, x.x2 + start)
    let (x3, x4, x5) = (x.x3 + start, x.x4 + start, x.x5 + start)
    var (s0, s1, s2, s3, s4, s5) = (Four(), Four(), Four(), Four(), Four(), Four())
    let next = tileWeights * laneCount
    if !isFirst {
      (s0, s1, s2) = (Four(sums, laneCount), Four(sums + next, laneCount), Four(sums + 2 * next, laneCount))
      if Four.inputs == 6 {
        s3 = Four(sums + 3 * next, laneCount)
        s4 = Four(sums + 4 * next, laneCount)
        s5 = Four(sums + 5 * next, laneCount)
      }
    }
    var k = 0
    while k < length {
      let weights = Four(panel + k, stride)
      s0.addProducts(weights, x0 + k)
      s1.addProducts(weights, x1 + k)
      s2.addProducts(weights, x2 + k)
      if Four.inputs == 6 {
        s3.addProducts(weights, x3 + k)
        s4.addProducts(weights, x4 + k)
        s5.addProducts(weights, x5 + k)
      }
      k += laneCount
    }
    s0.store(sums)
    s1.store(sums + next)
    s2.store(sums + 2 * next)
    if Four.inputs == 6 {
      s3.store(sums + 3 * next)
      s4.store(sums + 4 * next)
      s5.store(sums + 5 * next)
    }
  }
}

/// The input rows of a tile; where it has three, the others repeat the last. (Variables: a Swift array would not stay in
/// registers.)
private struct InputRows {
  let x0, x1, x2, x3, x4, x5: UnsafeMutablePointer<Float>

  init(_ row: (Int) -> UnsafeMutablePointer<Float>) {
    (x0, x1, x2) = (row(0), row(1), row(2))
    (x3, x4, x5) = (row(3), row(4), row(5))
  }
}

/// Some lanes of four weight rows, or of the sums of one input with them.
private struct FourRows<Part: SIMD> where Part.Scalar == Float {
  var (v0, v1, v2, v3) = (Part(), Part(), Part(), Part())

  /// How many inputs a tile has: their sums, four weights and an input fill the registers.
  static var inputs: Int { Part.scalarCount == laneCount ? 6 : 3 }

  @inline(__always)
  init() {}

  @inline(__always)
  init(_ address: UnsafeMutablePointer<Float>, _ stride: Int) {
    v0 = Self.load(address)
    v1 = Self.load(address + stride)
    v2 = Self.load(address + 2 * stride)
    v3 = Self.load(address + 3 * stride)
  }

  /// Stores the sums, 16 lanes apart.
  @inline(__always)
  func store(_ address: UnsafeMutablePointer<Float>) {
    let target = UnsafeMutableRawPointer(address)
    let next = laneCount * MemoryLayout<Float>.size
    target.storeBytes(of: v0, as: Part.self)
    target.storeBytes(of: v1, toByteOffset: next, as: Part.self)
    target.storeBytes(of: v2, toByteOffset: 2 * next, as: Part.self)
    target.storeBytes(of: v3, toByteOffset: 3 * next, as: Part.self)
  }

  @inline(__always)
  mutating func addProducts(_ weights: FourRows, _ x: UnsafeMutablePointer<Float>) {
    let x = Self.load(x)
    v0 = v0.addingProduct(x, weights.v0)
    v1 = v1.addingProduct(x, weights.v1)
    v2 = v2.addingProduct(x, weights.v2)
    v3 = v3.addingProduct(x, weights.v3)
  }

  @inline(__always)
  private static func load(_ address: UnsafeMutablePointer<Float>) -> Part {
    UnsafeRawPointer(address).loadUnaligned(as: Part.self)
  }
}
