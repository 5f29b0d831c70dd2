import Numerics
import Threads

/// Returns the Gaussian error linear unit of each lane in its tanh form, `gelu_new` (Hendrycks and Gimpel, "Gaussian
/// Error Linear Units", 2016): ½x · (1 + tanh u) with u = √(2/π) · (x + 0.044715·x³).
///
/// Computed as x / (1 + e^-2u), which is equal and needs only one exponential.
@inline(__always)
func gelu(_ x: Lanes) -> Lanes {
  let cubic = x * x * x
  let u = x.addingProduct(cubic, 0.044715) * 0.797_884_56
  return x / (1 + exponential(u * -2))
}

/// Returns the sigmoid linear unit (swish) of each lane, x / (1 + e^-x).
@inline(__always)
func silu(_ x: Lanes) -> Lanes { x / (1 + exponential(-x)) }

/// Computes output (n, ffn) = silu(gates) · ups, for input (n, 2 · ffn) whose rows contain the gates and then the ups
/// (Shazeer, "GLU Variants Improve Transformer", 2020).
func swiglu(_ input: Matrix, into output: Matrix, _ pool: ThreadPool) {
  let ffn = output.columns
  precondition(input.rows == output.rows && input.columns == 2 * ffn)
  let whole = ffn / laneCount * laneCount
  // The exponential and the division of SiLU take about 16 operations per number.
  pool.run(input.rows, unit: 4, cost: 16 * input.rows * ffn) { rows in
    for row in rows {
      let (gates, ups, target) = (input.row(row), input.row(row) + ffn, output.row(row))
      for k in stride(from: 0, to: whole, by: laneCount) {
        store(silu(Float.load(gates + k)) * Float.load(ups + k), target + k)
      }
      let rest = ffn - whole
      let last =
        silu(Float.load(UnsafeRawPointer(gates + whole), first: rest))
        * Float.load(UnsafeRawPointer(ups + whole), first: rest)
      for lane in 0..<rest { target[whole + lane] = last[lane] }
    }
  }
}
