import Numerics
import Threads

// The activation functions (`Activation`) of 16 lanes. NaN gives NaN, and no argument traps. Large arguments give the
// limit of the function, with one exception: e^-x is at most e^88 = 1.7e38, so for x < -88, SiLU is x / 1.7e38 instead
// of 0, which is less than 1e-30 in magnitude for x > -1e8. The same holds for GELU with tanh below -10.

/// Returns the Gaussian error linear unit of each lane: ½x · (1 + erf(x / √2)).
@inline(__always)
func gelu(_ x: Lanes) -> Lanes { x * 0.5 * (1 + errorFunction(x * 0.707_106_78)) }

/// Returns the Gaussian error linear unit of each lane in its tanh form, `gelu_new` (Hendrycks and Gimpel, "Gaussian
/// Error Linear Units", 2016): ½x · (1 + tanh u) with u = √(2/π) · (x + 0.044715·x³).
///
/// Computed as x / (1 + e^-2u), which is equal and needs only one exponential.
@inline(__always)
func geluTanh(_ x: Lanes) -> Lanes {
  let cubic = x * x * x
  let u = x.addingProduct(cubic, 0.044715) * 0.797_884_56
  return x / (1 + exponential(u * -2))
}

/// Returns the sigmoid linear unit (swish) of each lane, x / (1 + e^-x).
@inline(__always)
func silu(_ x: Lanes) -> Lanes { x / (1 + exponential(-x)) }

/// Returns the rectified linear unit of each lane, max(x, 0).
@inline(__always)
func relu(_ x: Lanes) -> Lanes { x.replacing(with: 0, where: x .< 0) }

/// Returns min(max(x, 0), 6) of each lane.
@inline(__always)
private func relu6(_ x: Lanes) -> Lanes { relu(x).replacing(with: 6, where: x .> 6) }

extension Activation {
  /// Returns the function of each lane. Not inlined, so that callers that are compiled once per type of weights do not
  /// contain all functions.
  @inline(never)
  func apply(_ x: Lanes) -> Lanes {
    switch self {
    case .gelu: return LanguageModel.gelu(x)
    case .geluTanh: return LanguageModel.geluTanh(x)
    case .geluClipped:
      let y = LanguageModel.gelu(x)
      // GELU is above -0.17, so the lower limit has no effect.
      return y.replacing(with: 10, where: y .> 10)
    case .quickGELU:
      // Zero instead of x / 1.7e38, as for Mish.
      return (x / (1 + exponential(x * -1.702))).replacing(with: 0, where: x .< -1000)
    case .relu: return LanguageModel.relu(x)
    case .reluSquared:
      let y = LanguageModel.relu(x)
      return y * y
    case .relu6: return LanguageModel.relu6(x)
    case .leakyReLU: return x.replacing(with: x * 0.01, where: x .< 0)
    case .hardSwish: return x * (LanguageModel.relu6(x + 3) / 6)
    case .silu: return LanguageModel.silu(x)
    case .sigmoid: return 1 / (1 + exponential(-x))
    case .tanh: return hyperbolicTangent(x)
    case .mish:
      // tanh(ln(1 + e)) = ((1 + e)² - 1) / ((1 + e)² + 1) with e = e^x; it rounds to 1 for x ≥ 20.
      let e = exponential(x.replacing(with: 20, where: x .> 20))
      let n = e * (e + 2)
      return (x * (n / (n + 2))).replacing(with: 0, where: x .< -1000)
    case .laplace: return (1 + errorFunction((x - 0.707_107) / 0.398_942_57)) * 0.5
    case .linear: return x
    }
  }
}

extension Activation {
  /// Stores the function of 16 lanes, or only the first `count` lanes if that is less.
  @inline(never)
  func apply(_ x: Lanes, into output: UnsafeMutablePointer<Float>, count: Int) {
    let lanes = apply(x)
    if count >= laneCount {
      store(lanes, output)
    } else {
      for lane in 0..<count { output[lane] = lanes[lane] }
    }
  }
}

/// Computes output (n, ffn) = activation(gates) · ups, for input (n, 2 · ffn) whose rows contain the gates and then the
/// ups: SwiGLU with SiLU, GeGLU with GELU, ReGLU with ReLU (Shazeer, "GLU Variants Improve Transformer", 2020).
func gate(_ activation: Activation, _ input: Matrix, into output: Matrix, _ pool: ThreadPool) {
  let ffn = output.columns
  precondition(input.rows == output.rows && input.columns == 2 * ffn)
  let whole = ffn / laneCount * laneCount
  // The exponential and the division of SiLU take about 16 operations per number.
  pool.run(input.rows, unit: 4, cost: 16 * input.rows * ffn) { rows in
    @inline(__always)
    func compute(_ function: (Lanes) -> Lanes) {
      for row in rows {
        let (gates, ups, target) = (input.row(row), input.row(row) + ffn, output.row(row))
        for k in stride(from: 0, to: whole, by: laneCount) {
          store(function(Float.load(gates + k)) * Float.load(ups + k), target + k)
        }
        let rest = ffn - whole
        let last =
          function(Float.load(UnsafeRawPointer(gates + whole), first: rest))
          * Float.load(UnsafeRawPointer(ups + whole), first: rest)
        for lane in 0..<rest { target[whole + lane] = last[lane] }
      }
    }
    switch activation {  // outside of the loops, so that each function is inlined into its own
    case .silu: compute { silu($0) }
    case .geluTanh: compute { geluTanh($0) }
    case .gelu: compute { gelu($0) }
    case .relu: compute { relu($0) }
    default: compute { activation.apply($0) }
    }
  }
}
