import Numerics
import Threads

/// The sigmoid linear unit, x / (1 + e^-x).
@inline(__always)
func silu(_ x: Lanes) -> Lanes { x / (1 + exponential(-x)) }

/// output (n, inner) = silu(gates) · ups, for gates and ups side by side (n, 2 · inner) (Shazeer, "GLU Variants Improve
/// Transformer", 2020).
func gate(_ input: Matrix, into output: Matrix, _ pool: ThreadPool) {
  let inner = output.columns
  precondition(input.rows == output.rows && input.columns == 2 * inner)
  let whole = inner / laneCount * laneCount
  pool.run(input.rows, unit: 4, cost: 16 * input.rows * inner) { rows in
    for row in rows {
      let (gates, ups, target) = (input.row(row), input.row(row) + inner, output.row(row))
      for k in stride(from: 0, to: whole, by: laneCount) {
        store(silu(Float.load(gates + k)) * Float.load(ups + k), target + k)
      }
      let rest = inner - whole
      let last =
        silu(Float.load(UnsafeRawPointer(gates + whole), first: rest))
        * Float.load(UnsafeRawPointer(ups + whole), first: rest)
      for lane in 0..<rest { target[whole + lane] = last[lane] }
    }
  }
}
