import Numerics
import Threads

/// Computes b = b + a · factor for matrices of the same shape, with one rounding.
func add(_ a: Matrix, to b: Matrix, factor: Float = 1, _ pool: ThreadPool) {
  precondition(a.rows == b.rows && a.columns == b.columns)
  update(b, cost: 1, pool) { lanes, offset, count in
    lanes.addingProduct(count == laneCount ? Float.load(a.start + offset) : a.last(offset, count), factor)
  }
}

/// Computes a = a · factor.
func scale(_ a: Matrix, by factor: Float, _ pool: ThreadPool) {
  update(a, cost: 1, pool) { lanes, _, _ in lanes * factor }
}

/// Limits the numbers of a to the range from -limit to limit.
///
/// - Parameter limit: positive.
func clamp(_ a: Matrix, to limit: Float, _ pool: ThreadPool) {
  let (low, high) = (Lanes(repeating: -limit), Lanes(repeating: limit))
  update(a, cost: 1, pool) { lanes, _, _ in
    lanes.replacing(with: low, where: lanes .< low).replacing(with: high, where: lanes .> high)
  }
}

/// Computes a = cap · tanh(a / cap), which limits numbers to ±cap and hardly changes small ones (Gemma Team, "Gemma 2",
/// 2024).
///
/// - Parameter cap: positive and finite.
func softcap(_ a: Matrix, cap: Float, _ pool: ThreadPool) {
  update(a, cost: 32, pool) { lanes, _, _ in hyperbolicTangent(lanes / cap) * cap }
}

/// Replaces each vector of a matrix, in row-major order, by the result of a function of the vector, the index of its
/// first number and the count of its numbers: 16, or less for the last.
///
/// - Parameter cost: multiply-adds per number.
@inline(__always)
private func update(
  _ matrix: Matrix, cost: Int, _ pool: ThreadPool, _ function: (_ lanes: Lanes, _ offset: Int, _ count: Int) -> Lanes
) {
  let count = matrix.rows * matrix.columns
  // 256 vectors are 16 KiB, half of the first-level cache.
  pool.run((count + laneCount - 1) / laneCount, unit: 256, cost: cost * count) { vectors in
    for vector in vectors {
      let offset = vector * laneCount
      let address = matrix.start + offset
      if count - offset >= laneCount {
        store(function(Float.load(address), offset, laneCount), address)
      } else {
        let rest = count - offset
        let lanes = function(matrix.last(offset, rest), offset, rest)
        for lane in 0..<rest { address[lane] = lanes[lane] }
      }
    }
  }
}

extension Matrix {
  /// Returns the last `count` numbers (less than 16), from an index in row-major order, followed by zeros.
  @inline(__always)
  fileprivate func last(_ offset: Int, _ count: Int) -> Lanes {
    Float.load(UnsafeRawPointer(start + offset), first: count)
  }
}
