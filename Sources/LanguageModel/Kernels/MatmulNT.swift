import CKernels
import Threads

// output = input · weightsᵀ, for weights [out, in] (GEMM "NT"): the token embedding as output head, all projections of
// Llama, and all quantized weights.
//
// Order of summation (lm-records(5), SAME BITS): each output element has 16 lanes. Lane l adds the products of k
// = l, l + 16, l + 32, … in this order, with fused multiply-adds that start at zero. Then the lanes are added in the
// fixed order of `horizontalSum`. The order depends on the number of inputs only, so one position and many positions
// give the same bits.
//
//   path           rows    why
//   skinny matmul  1 … 24  dequantizes 16 weights and multiplies them at once by up to four inputs (CKernels). With
//                          more inputs, the weights are dequantized again, from the second-level cache. With AVX2 and
//                          NEON, only up to 2 rows.
//   gemm           more    dequantizes 16 weight rows once for all input rows, and keeps MR × NR sums in registers.
//
// The loop nest of gemm (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008), in which
// each sum is a vector of 16 lanes along k:
//
//   for weight rows in steps of task size                  tasks of the thread pool
//     for weight rows in steps of 16
//       dequantize weights (16, in) into a panel           it stays in the second-level cache
//       for input rows in steps of MR
//         for k in steps of KC                             a block of inputs and weights stays in the first-level cache
//           for weight rows of the panel in steps of NR
//             for halves of the lanes, if registers have 8 lanes
//               micro-kernel: sums (MR, NR, lanes) += inputs (MR, KC) · weights (NR, KC)
//         horizontal sums, epilogue
//
// Registers have 8 lanes with AVX2 and NEON. Then lanes 0 to 7 of all sums are computed before lanes 8 to 15: lanes are
// independent until the horizontal sum.

/// The largest number of weight rows in one task. Tasks have fewer rows if each thread then gets about eight tasks, so
/// that a thread that starts late or is interrupted takes fewer of them.
private let maximumTaskRows = 256
/// The weight rows that are dequantized together: their outputs fill one vector.
private let panelRows = laneCount
/// NR. MR × NR sums are 6 × 4 = 24 of the 32 registers of AVX-512, or 3 × 4 = 12 of the 16 of AVX2 (`FourVectors.mr`);
/// the weights and the input take the remaining registers.
private let nr = 4
/// KC. One call of the micro-kernel reads (MR + NR) × KC × 4 bytes, at most 20 KiB, which stay in the first-level
/// cache. The sums of all lanes are kept between blocks, so KC does not change the order of summation.
private let kc = 512

/// Computes output (n, out) = epilogue(input (n, in) · weightsᵀ + bias), for weights (out, in). The outputs of several
/// projections of the same input are adjacent columns.
///
/// - Parameter registers: the shape of the micro-kernel of gemm; it does not change the result.
func matmulNT(
  _ input: Matrix, _ projections: [Linear], into output: Matrix, _ epilogue: Epilogue, _ pool: ThreadPool,
  registers: VectorRegisters = .here
) {
  precondition(input.rows == output.rows && output.columns == projections.reduce(0) { $0 + $1.weight.rows })
  let taskRows = min(maximumTaskRows, paddedCount(output.columns / (8 * pool.threads) + 1))
  var tasks: [(projection: Int, column: Int, rows: Range<Int>)] = []
  var column = 0
  for (index, projection) in projections.enumerated() {
    precondition(
      projection.weight.columns == input.columns
        && projection.bias?.count ?? projection.weight.rows == projection.weight.rows)
    for row in stride(from: 0, to: projection.weight.rows, by: taskRows) {
      tasks.append((index, column, row..<min(row + taskRows, projection.weight.rows)))
    }
    column += projection.weight.rows
  }
  func run(_ body: (MatmulNT, Range<Int>) -> Void) {
    pool.run(tasks.count, cost: input.rows * input.columns * output.columns) { task in
      let (index, column, rows) = tasks[task]
      let product = MatmulNT(
        input: input, weights: projections[index].weight, bias: projections[index].bias, output: output,
        firstColumn: column, epilogue: epilogue)
      body(product, rows)
    }
  }
  guard input.rows > SkinnyInputs.mostRows else {
    return SkinnyInputs.with(input) { inputs in run { $0.skinnyMatmul($1, inputs) } }
  }
  switch registers {
  case .narrow: run { $0.gemm(SIMD8<Float>.self, $1) }
  case .wide: run { $0.gemm(SIMD16<Float>.self, $1) }
  }
}

private struct MatmulNT {
  let input: Matrix
  let weights: WeightMatrix
  let bias: WeightVector?
  let output: Matrix
  /// The output column of the first weight row.
  let firstColumn: Int
  let epilogue: Epilogue

  private var padded: Int { paddedCount(weights.columns) }

  @inline(__always)
  private func address(_ row: Int) -> UnsafePointer<UInt8> {
    (weights.start + row * weights.rowSize).assumingMemoryBound(to: UInt8.self)
  }

  /// Computes the outputs of a range of weight rows and one input row from their sums.
  @inline(__always)
  private func applyEpilogue(_ sums: UnsafeMutablePointer<Float>, _ rows: Range<Int>, inputRow: Int) {
    let target = output.row(inputRow) + firstColumn
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: laneCount) {
      epilogue.apply(
        Float.load(sums + row - rows.lowerBound), bias: bias.map { $0.values + row }, target + row,
        count: rows.upperBound - row)
    }
  }

  // MARK: Skinny matmul

  /// Computes the outputs of a range of weight rows for a few input rows.
  func skinnyMatmul(_ rows: Range<Int>, _ inputs: SkinnyInputs) {
    let stride = paddedCount(rows.count)
    let weights = lmpipe_weight_rows(
      type: weights.type.weightType, start: address(rows.lowerBound), size: weights.rowSize, rows: rows.count,
      columns: weights.columns)
    withAlignedFloats(inputs.rows * stride) { sums in  // (n, stride)
      for group in inputs.groups {
        lmpipe_skinny_matmul(weights, Int32(group.count), group.x, sums + group.first * stride, stride)
      }
      for row in 0..<input.rows { applyEpilogue(sums + row * stride, rows, inputRow: row) }
    }
  }

  // MARK: gemm

  /// Computes the outputs of a range of weight rows for several input rows.
  func gemm<Part: SIMD>(_: Part.Type, _ rows: Range<Int>) where Part.Scalar == Float {
    let padded = padded
    let mr = FourVectors<Part>.mr
    withAlignedFloats((panelRows + mr) * padded + mr * panelRows * laneCount) { buffer in
      let panel = buffer  // (16, padded)
      let copies = panel + panelRows * padded  // (MR, padded)
      let sums = LaneSums(start: copies + mr * padded, mr: mr)
      for firstRow in stride(from: rows.lowerBound, to: rows.upperBound, by: panelRows) {
        let rowsOfPanel = firstRow..<min(firstRow + panelRows, rows.upperBound)
        let groups = (rowsOfPanel.count + nr - 1) / nr
        for index in 0..<groups * nr {
          let row = min(rowsOfPanel.lowerBound + index, rowsOfPanel.upperBound - 1)
          let target = panel + index * padded
          dequantize(address(row), weights.type, count: weights.columns, into: target)
          for k in weights.columns..<padded { target[k] = 0 }
        }
        for firstInput in stride(from: 0, to: input.rows, by: mr) {
          let inputs = InputRows { index in
            let index = min(index, mr - 1)
            return paddedInput(min(firstInput + index, input.rows - 1), copies + index * padded)
          }
          accumulate(Part.self, inputs, panel, groups: groups, into: sums)
          for index in 0..<min(mr, input.rows - firstInput) {
            let totals = lmpipe_horizontal_sums(sums[0, index, 0], sums.groupStride)
            epilogue.apply(
              totals, bias: bias.map { $0.values + firstRow }, output.row(firstInput + index) + firstColumn + firstRow,
              count: rowsOfPanel.count)
          }
        }
      }
    }
  }

  /// Computes the lanes of the sums of MR inputs and a panel (16, padded).
  @inline(__always)
  private func accumulate<Part: SIMD>(
    _: Part.Type, _ inputs: InputRows, _ panel: UnsafeMutablePointer<Float>, groups: Int, into sums: LaneSums
  ) where Part.Scalar == Float {
    let padded = padded
    for block in stride(from: 0, to: padded, by: kc) {
      let length = min(kc, padded - block)
      for group in 0..<groups {
        for lane in stride(from: 0, to: laneCount, by: Part.scalarCount) {
          microKernel(
            Part.self, inputs, at: block + lane, panel + group * nr * padded + block + lane, stride: padded, length,
            sums[group, 0, 0] + lane, isFirst: block == 0)
        }
      }
    }
  }

  /// Returns an input row, or a copy with zeros after its end if its length is not a multiple of the unit.
  @inline(__always)
  private func paddedInput(_ row: Int, _ copy: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    guard padded > input.columns else { return input.row(row) }
    copy.update(from: input.row(row), count: input.columns)
    for k in input.columns..<padded { copy[k] = 0 }
    return copy
  }

  /// Adds the products of MR inputs and NR weight rows to the sums (MR, NR, 16), for one part of the lanes, which
  /// starts at the pointers. Not inlined: the compiler would join the halves into one loop, which needs more registers
  /// than the processor has.
  @inline(never)
  private func microKernel<Part: SIMD>(
    _: Part.Type, _ x: InputRows, at start: Int, _ panel: UnsafeMutablePointer<Float>, stride: Int, _ length: Int,
    _ sums: UnsafeMutablePointer<Float>, isFirst: Bool
  ) where Part.Scalar == Float {
    typealias Four = FourVectors<Part>
    let (x0, x1, x2) = (x.x0 + start, x.x1 + start, x.x2 + start)
    let (x3, x4, x5) = (x.x3 + start, x.x4 + start, x.x5 + start)
    var (s0, s1, s2, s3, s4, s5) = (Four(), Four(), Four(), Four(), Four(), Four())
    let next = nr * laneCount
    if !isFirst {
      (s0, s1, s2) = (Four(sums, laneCount), Four(sums + next, laneCount), Four(sums + 2 * next, laneCount))
      if Four.mr == 6 {
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
      if Four.mr == 6 {
        s3.addProducts(weights, x3 + k)
        s4.addProducts(weights, x4 + k)
        s5.addProducts(weights, x5 + k)
      }
      k += laneCount
    }
    s0.store(sums)
    s1.store(sums + next)
    s2.store(sums + 2 * next)
    if Four.mr == 6 {
      s3.store(sums + 3 * next)
      s4.store(sums + 4 * next)
      s5.store(sums + 5 * next)
    }
  }
}

/// The input rows of one micro-kernel. If MR is 3, the last three rows repeat the third. (Six variables, because an
/// array would not stay in registers.)
private struct InputRows {
  let x0, x1, x2, x3, x4, x5: UnsafeMutablePointer<Float>

  init(_ row: (Int) -> UnsafeMutablePointer<Float>) {
    (x0, x1, x2) = (row(0), row(1), row(2))
    (x3, x4, x5) = (row(3), row(4), row(5))
  }
}

/// The sums of gemm before the horizontal sum: (16 / NR, MR, NR, 16 lanes).
private struct LaneSums {
  let start: UnsafeMutablePointer<Float>
  let mr: Int

  /// The distance between groups of NR weights.
  var groupStride: Int { mr * nr * laneCount }

  @inline(__always)
  subscript(group: Int, input: Int, weight: Int) -> UnsafeMutablePointer<Float> {
    start + ((group * mr + input) * nr + weight) * laneCount
  }
}

/// One vector from each of NR = 4 weight rows, or from the sums of one input row with these weight rows.
private struct FourVectors<Part: SIMD> where Part.Scalar == Float {
  var (v0, v1, v2, v3) = (Part(), Part(), Part(), Part())

  /// MR, limited by the registers for MR × NR sums.
  static var mr: Int { Part.scalarCount == laneCount ? 6 : 3 }

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
  mutating func addProducts(_ weights: FourVectors, _ x: UnsafeMutablePointer<Float>) {
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
