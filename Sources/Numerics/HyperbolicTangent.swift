/// Returns tanh(x) in each lane, within 2 ulp. ±1 for |x| ≥ 9.1; NaN gives NaN.
///
/// For |x| ≤ 0.625, tanh(x) = x + x³·P(x²), so that small results keep their relative precision; P is of degree 4 and
/// has an error of 4.4e-9 of tanh(x) (the least maximal error, by Lawson's iteration at Chebyshev nodes). Otherwise,
/// |tanh(x)| = 1 - 2 / (e^2|x| + 1).
@inlinable
@inline(__always)
public func hyperbolicTangent(_ x: SIMD16<Float>) -> SIMD16<Float> {
  typealias Lanes = SIMD16<Float>
  let square = x * x
  var sum = Lanes(repeating: -5.704_986_4e-03)
  sum = Lanes(repeating: 2.063_908_6e-02).addingProduct(sum, square)
  sum = Lanes(repeating: -5.373_971_5e-02).addingProduct(sum, square)
  sum = Lanes(repeating: 1.333_144_16e-01).addingProduct(sum, square)
  sum = Lanes(repeating: -3.333_328_07e-01).addingProduct(sum, square)
  let center = x.addingProduct(x, sum * square)

  let magnitude = x.replacing(with: -x, where: x .< 0)
  let tail = 1 - 2 / (exponential(magnitude * 2) + 1)
  return center.replacing(with: tail.replacing(with: -tail, where: x .< 0), where: magnitude .> 0.625)
}
