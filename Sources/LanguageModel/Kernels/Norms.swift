import Numerics
import Threads

// Both norms add the numbers of a row in 16 lanes (lane l has the indices l, l + 16, …), and then the lanes with
// `horizontalSum`. A row does not depend on the rows computed with it.

/// The weights of a layer normalization.
struct LayerNorm {
  let weight: WeightVector  // (width)
  let bias: WeightVector  // (width)
  let epsilon: Float
}

/// Computes output = (input - mean) / √(variance + ε) · weight + bias for each row (n, width) (Ba, Kiros and Hinton,
/// "Layer Normalization", 2016).
func layerNorm(_ input: Matrix, _ norm: LayerNorm, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == norm.weight.count && output.columns == input.columns && output.rows == input.rows)
  let width = input.columns
  let whole = width / laneCount * laneCount
  let tail = width - whole
  func normalize(_ row: Int) {
    let x = input.row(row)
    let y = output.row(row)
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
    let scale = 1 / (squares.horizontalSum / Float(width) + norm.epsilon).squareRoot()

    for k in stride(from: 0, to: whole, by: laneCount) {
      let normalized = (Float.load(x + k) - mean) * scale
      store(Float.load(norm.bias.values + k).addingProduct(normalized, Float.load(norm.weight.values + k)), y + k)
    }
    for k in whole..<width {
      y[k] = norm.bias.values[k].addingProduct((x[k] - mean) * scale, norm.weight.values[k])
    }
  }
  // Three passes over a row: the mean, the variance, and the result.
  pool.run(input.rows, unit: 16, cost: 8 * input.rows * width) { rows in
    for row in rows { normalize(row) }
  }
}

/// The weights of a root-mean-square normalization (Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019).
struct RMSNorm {
  let weight: WeightVector  // (width), or (headDim)
  let epsilon: Float

  /// Computes y = x / √(mean of x² + ε) · weight for one row. `y` may be `x`.
  @inline(__always)
  func normalize(_ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let width = weight.count
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

/// Computes output = norm(input) for each row (n, width).
func rmsNorm(_ input: Matrix, _ norm: RMSNorm, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == norm.weight.count && output.columns == input.columns && output.rows == input.rows)
  // Two passes over a row: the mean square and the result.
  pool.run(input.rows, unit: 16, cost: 4 * input.rows * input.columns) { rows in
    for row in rows { norm.normalize(input.row(row), into: output.row(row)) }
  }
}
