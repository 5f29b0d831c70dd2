import Numerics

/// The Gaussian error linear unit in its tanh form, `gelu_new` (Hendrycks and Gimpel, 2016):
/// ½x·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³), written as x / (1 + e^-2u), which is the same.
@inline(__always)
func gelu(_ x: Lanes) -> Lanes {
  let cubic = x * x * x
  let u = x.addingProduct(cubic, 0.044715) * 0.797_884_56
  return x / (1 + exponential(u * -2))
}
