import CKernels

/// The inputs of a skinny matmul, in the order in which CKernels reads them: groups of four input rows, then one of one
/// or two. Each group of N rows is (in / 16, N, 16), padded with zeros to whole vectors.
struct SkinnyInputs {
  /// With more input rows, gemm is faster, because it dequantizes each weight once for all of them. The sums of four
  /// weight rows with four inputs fit in the registers of AVX-512 only.
  static var mostRows: Int { VectorRegisters.here == .wide ? 24 : 2 }
  private static let groupRows = 4

  struct Group {
    /// The first input row.
    let first: Int
    /// N: 1, 2 or 4. The last row of a group of four can be missing; its numbers are zeros.
    let count: Int
    let x: UnsafeMutablePointer<Float>
  }

  let groups: [Group]
  /// The number of input rows, with those that are missing.
  var rows: Int { groups.last.map { $0.first + $0.count } ?? 0 }

  /// Calls `body` with the rows of a matrix.
  static func with(_ input: Matrix, _ body: (SkinnyInputs) -> Void) {
    let padded = paddedCount(input.columns)
    if input.rows == 1, padded == input.columns {
      return body(SkinnyInputs(groups: [Group(first: 0, count: 1, x: input.start)]))
    }
    withAlignedFloats((input.rows + groupRows - 1) / groupRows * groupRows * padded) { memory in
      let groups = stride(from: 0, to: input.rows, by: groupRows).map { first in
        let left = input.rows - first
        return Group(first: first, count: left > 2 ? groupRows : left, x: memory + first * padded)
      }
      for group in groups {
        for index in 0..<group.count {
          for k in stride(from: 0, to: padded, by: laneCount) {
            let count = group.first + index < input.rows ? min(input.columns - k, laneCount) : 0
            let source = UnsafeRawPointer(input.start + (group.first + index) * input.columns + k)
            let lanes = count == laneCount ? Float.load(source) : Float.load(source, first: count)
            store(lanes, group.x + k * group.count + index * laneCount)
          }
        }
      }
      body(SkinnyInputs(groups: groups))
    }
  }
}
