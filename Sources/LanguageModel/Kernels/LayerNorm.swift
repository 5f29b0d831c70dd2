import Numerics
import Threads

/// The weights of one layer normalization.
struct LayerNorm {
  let weight: WeightVector  // (width)
  let bias: WeightVector  // (width)
  let epsilon: Float
}

/// output = (input - mean) / √(variance + ε) · weight + bias, row by row (Ba, Kiros and Hinton, "Layer Normalization",
/// 2016). Means are sums of 16 lanes and `horizontalSum`, of one row alone.
func layerNorm(_ input: Matrix, _ norm: LayerNorm, into output: Matrix, _ pool: ThreadPool) {
  precondition(input.columns == norm.weight.count && output.columns == input.columns && output.rows == input.rows)
  let width = input.columns
  let whole = width / laneCount * laneCount
  let rest = width - whole
  func normalize(_ row: Int) {
    let x = input.row(row)
    let y = output.row(row)
    let last = Float.load(UnsafeRawPointer(x + whole), first: rest)  // zeros behind the end

    var sum = last
    for k in stride(from: 0, to: whole, by: laneCount) { sum += Float.load(x + k) }
    let mean = sum.horizontalSum / Float(width)

    var squares = Lanes()
    for k in stride(from: 0, to: whole, by: laneCount) {
      let difference = Float.load(x + k) - mean
      squares = squares.addingProduct(difference, difference)
    }
    for lane in 0..<rest {
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
  pool.run(input.rows, unit: 16, cost: 8 * input.rows * width) { rows in
    for row in rows { normalize(row) }
  }
}
