import Foundation
import Testing
import Threads

@testable import LanguageModel

/// The elementwise operations against float64: matrices smaller than a vector, with a partial last vector, and of
/// several tasks.
@Suite struct ElementwiseTests {
  private let pool = ThreadPool(threads: 2)
  static let shapes = [(1, 1), (3, 5), (2, 8), (7, 33), (61, 700)]

  /// A copy that is followed by a number that no operation may change.
  private func guarded(_ matrix: Matrix) -> (copy: Matrix, end: UnsafeMutablePointer<Float>) {
    let count = matrix.rows * matrix.columns
    let start = UnsafeMutablePointer<Float>.allocate(capacity: count + 1)
    start.update(from: matrix.start, count: count)
    start[count] = 77
    return (Matrix(start: start, rows: matrix.rows, columns: matrix.columns), start + count)
  }

  private func check(
    _ shape: (rows: Int, columns: Int), in range: ClosedRange<Float> = -3...3, _ operation: (Matrix, Matrix) -> Void,
    equals definition: (_ a: Double, _ b: Double) -> Double
  ) {
    var operands = Operands(seed: 21)
    let count = shape.rows * shape.columns
    let b = Matrix(start: operands.floats(count, in: range), rows: shape.rows, columns: shape.columns)
    let a = operands.matrix(shape.rows, shape.columns)
    let (result, end) = guarded(b)
    operation(a, result)
    for row in 0..<shape.rows {
      let expected = zip(a.vector(row), b.vector(row)).map(definition)
      for (found, expected) in zip(result.vector(row), expected) {
        guard abs(found - expected) <= 4e-7 * abs(expected) else {
          Issue.record("row \(row): \(found), expected \(expected)")
          return
        }
      }
    }
    #expect(end.pointee == 77)
  }

  @Test(arguments: shapes)
  func addMatchesFloat64(_ shape: (rows: Int, columns: Int)) {
    // The terms do not cancel: one is at least 2 and the other at most 1 in magnitude.
    check(shape, in: 2...3, { add($0, to: $1, pool) }, equals: { a, b in b + a })
    check(shape, in: 2...3, { add($0, to: $1, factor: 0.22, pool) }, equals: { a, b in b + a * Double(Float(0.22)) })
    check(shape, in: 2...3, { add($0, to: $1, factor: -1, pool) }, equals: { a, b in b - a })
  }

  @Test(arguments: shapes)
  func scaleMatchesFloat64(_ shape: (rows: Int, columns: Int)) {
    check(shape, { scale($1, by: 0.0625, pool) }, equals: { _, b in b / 16 })
    check(shape, { scale($1, by: 27.7, pool) }, equals: { _, b in b * Double(Float(27.7)) })
  }

  @Test(arguments: shapes)
  func softcapMatchesFloat64(_ shape: (rows: Int, columns: Int)) {
    for range: ClosedRange<Float> in [-3...3, -1e-6...1e-6, -300...300] {
      check(shape, in: range, { softcap($1, cap: 30, pool) }, equals: { _, b in 30 * tanh(b / 30) })
    }
  }
}
