import Numerics
import Threads

/// The weights of one root-mean-square normalization (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019).
struct RMSNorm {
  let weight: WeightVector  // (width), or (headDim)
  let epsilon: Float

  /// y = x / √(mean of x² + ε) · weight, for one row, which may be the same. The mean is a sum of 16 lanes and
  /// `horizontalSum`.
  @inline(__always)
  func normalize(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let width = weight.count
    let whole = width / laneCount * laneCount
    let last = Float.load(UnsafeRawPointer(x + whole), first: width - whole)  // zeros behind the end
    var squares = Lanes()
    for k in stride(from: 0, to: whole, by: laneCount) {
      squares = squares.addingProduct(Float.load(x + k), Float.load(x + k))
    }
    squares = squares.addingProduct(last, last)
    let scale = 1 / (squares.horizontalSum / Float(width) + epsilon).squareRoot()
    for k in stride(from: 0, to: whole, by: laneCount) {
      store(Float.load(x + k) * scale * Float.load(weight.values + k), y + k)
    }
    for k in whole..<width { y[k] = x[k] * scale * weight.values[k] }
  }
}

/// output = norm(input), row by row.
func rmsNorm(_ input: Matrix, _ norm: RMSNorm, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == norm.weight.count && output.columns == input.columns && output.rows == input.rows)
  pool.run(input.rows, unit: 16, cost: 4 * input.rows * input.columns) { rows in
    for row in rows { norm.normalize(input.row(row), into: output.row(row)) }
  }
}
