import Numerics
import Threads

// Both norms add the numbers of a row in 16 lanes (lane l has the indices l, l + 16, …), and then the lanes with
// `horizontalSum`. A row does not depend on the rows computed with it.

/// A normalization of rows.
protocol Norm {
  /// The count of numbers in a row.
  var width: Int { get }
  /// The cost of one number in multiply-adds.
  static var cost: Int { get }
  /// Computes y (width) = norm(x) for one row. `y` may be `x`.
  func normalize(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>)
}

/// Computes output = norm(input) for each row (n, width).
///
/// Generic, so that the loop over the rows is compiled once per kind of norm.
func normalize<N: Norm>(_ input: Matrix, _ norm: N, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == norm.width && output.columns == input.columns && output.rows == input.rows)
  pool.run(input.rows, unit: 16, cost: N.cost * input.rows * input.columns) { rows in
    for row in rows { norm.normalize(input.row(row), into: output.row(row)) }
  }
}

/// The weights of a layer normalization (Ba, Kiros and Hinton, "Layer Normalization", 2016). A layer without weight has
/// ones, and a layer without bias has zeros (`WeightVector.ones`, `.zeros`).
struct LayerNorm: Norm {
  let weight: WeightVector  // (width)
  let bias: WeightVector  // (width)
  let epsilon: Float

  var width: Int { weight.count }
  /// Three passes over a row: the mean, the variance, and the result.
  static var cost: Int { 8 }

  /// Computes y = (x - mean) / √(variance + ε) · weight + bias for one row. `y` may be `x`.
  @inline(__always)
  func normalize(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let width = width
    let whole = width / laneCount * laneCount
    let tail = width - whole
    let last = Float.load(UnsafeRawPointer(x + whole), first: tail)  // zeros after the end

    var sum = last
    for k in stride(from: 0, to: whole, by: laneCount) { sum += Float.load(x + k) }
    let mean = sum.horizontalSum / Float(width)

    var squares = Lanes()
    for k in stride(from: 0, to: whole, by: laneCount) {
      let difference = Float.load(x + k) - mean
      squares = squares.addingProduct(difference, difference)
    }
    for lane in 0..<tail {
      let difference = last[lane] - mean
      squares[lane] = squares[lane].addingProduct(difference, difference)
    }
    let scale = 1 / (squares.horizontalSum / Float(width) + epsilon).squareRoot()

    for k in stride(from: 0, to: whole, by: laneCount) {
      let normalized = (Float.load(x + k) - mean) * scale
      store(Float.load(bias.values + k).addingProduct(normalized, Float.load(weight.values + k)), y + k)
    }
    for k in whole..<width {
      y[k] = bias.values[k].addingProduct((x[k] - mean) * scale, weight.values[k])
    }
  }
}

/// The weights of a root-mean-square normalization (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019).
struct RMSNorm: Norm {
  let weight: WeightVector  // (width), or (headDim)
  let epsilon: Float

  var width: Int { weight.count }
  /// Two passes over a row: the mean square and the result.
  static var cost: Int { 4 }

  /// Computes y = x / √(mean of x² + ε) · weight for one row. `y` may be `x`.
  @inline(__always)
  func normalize(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let width = width
    let whole = width / laneCount * laneCount
    let last = Float.load(UnsafeRawPointer(x + whole), first: width - whole)  // zeros after the end
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
