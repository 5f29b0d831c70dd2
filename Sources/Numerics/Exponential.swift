// Elementary functions. Those of the C library differ in the last bit from system to system; these consist of additions
// and multiplications in a fixed order, so that every build gives the same bits on every processor.

/// Returns e^x in each lane, within 2 ulp for x in [-87, 88]; outside, the value at the nearer end of the interval. NaN
/// gives NaN.
///
/// x = n·ln 2 + r with |r| ≤ ½·ln 2; e^r by a polynomial of degree 7 (the Taylor series, whose remainder there is
/// below 2^-28), then 2^n by adding n to the exponent bits.
@inlinable
@inline(__always)
public func exponential(_ argument: SIMD16<Float>) -> SIMD16<Float> {
  // Comparison and selection, because `clamped` compiles to a loop over the lanes.
  let (lowest, highest) = (SIMD16<Float>(repeating: -87), SIMD16<Float>(repeating: 88))
  var x = argument.replacing(with: lowest, where: argument .< lowest)
  x = x.replacing(with: highest, where: x .> highest)
  // Adding 1.5·2^23 rounds to an integer: the low bits of the sum are the integer nearest to x / ln 2.
  let shift = SIMD16<Float>(repeating: 12_582_912)
  let shifted = shift.addingProduct(x, 1.442_695_04)
  let n = shifted - shift
  var r = x.addingProduct(n, -0.693_359_375)  // ln 2 in two parts; the product with the first part is exact
  r = r.addingProduct(n, 2.121_944_4e-4)
  var sum = SIMD16<Float>(repeating: 1 / 5040)
  sum = SIMD16(repeating: 1 / 720).addingProduct(sum, r)
  sum = SIMD16(repeating: 1 / 120).addingProduct(sum, r)
  sum = SIMD16(repeating: 1 / 24).addingProduct(sum, r)
  sum = SIMD16(repeating: 1 / 6).addingProduct(sum, r)
  sum = SIMD16(repeating: 0.5).addingProduct(sum, r)
  sum = SIMD16(repeating: 1).addingProduct(sum, r)
  sum = SIMD16(repeating: 1).addingProduct(sum, r)
  let exponents = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
  let result = unsafeBitCast(unsafeBitCast(sum, to: SIMD16<UInt32>.self) &+ exponents, to: SIMD16<Float>.self)
  return result.replacing(with: argument, where: argument .!= argument)
}

/// Returns e^x in each lane, within 2 ulp for x ≤ 709; 0 for x ≤ -708 and for NaN.
///
/// The method of the float32 function with a polynomial of degree 13, whose remainder is below 2^-57.
@inlinable
@inline(__always)
public func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
  typealias Lanes = SIMD8<Double>
  let shift = Lanes(repeating: 6_755_399_441_055_744)  // 1.5·2^52
  let shifted = shift.addingProduct(x, 1.442_695_040_888_963_4)
  let n = shifted - shift
  var r = x.addingProduct(n, -0.693_147_180_369_123_8)
  r = r.addingProduct(n, -1.908_214_929_270_587_7e-10)
  // Even and odd powers separately: two dependency chains of half the length.
  let square = r * r
  var odd = Lanes(repeating: 1 / 6_227_020_800)
  odd = Lanes(repeating: 1 / 39_916_800).addingProduct(odd, square)
  odd = Lanes(repeating: 1 / 362_880).addingProduct(odd, square)
  odd = Lanes(repeating: 1 / 5040).addingProduct(odd, square)
  odd = Lanes(repeating: 1 / 120).addingProduct(odd, square)
  odd = Lanes(repeating: 1 / 6).addingProduct(odd, square)
  odd = Lanes(repeating: 1).addingProduct(odd, square)
  var even = Lanes(repeating: 1 / 479_001_600)
  even = Lanes(repeating: 1 / 3_628_800).addingProduct(even, square)
  even = Lanes(repeating: 1 / 40_320).addingProduct(even, square)
  even = Lanes(repeating: 1 / 720).addingProduct(even, square)
  even = Lanes(repeating: 1 / 24).addingProduct(even, square)
  even = Lanes(repeating: 0.5).addingProduct(even, square)
  even = Lanes(repeating: 1).addingProduct(even, square)
  let sum = even.addingProduct(odd, r)
  let exponents = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &<< 52
  let result = unsafeBitCast(unsafeBitCast(sum, to: SIMD8<UInt64>.self) &+ exponents, to: Lanes.self)
  return Lanes().replacing(with: result, where: x .> -708)
}

/// Returns e^x of one number, with the same bits as in a lane.
public func exponential(_ x: Double) -> Double { exponential(SIMD8(repeating: x))[0] }

/// Returns the natural logarithm of a positive, normal number, within 3 ulp.
///
/// x = m·2^e with m in [√½, √2); ln m = 2·artanh(f), f = (m - 1)/(m + 1), by its series.
public func naturalLogarithm(_ x: Double) -> Double {
  precondition(x.isNormal && x > 0)
  var m = x.significand
  var e = Double(x.exponent)
  if m > 1.414_213_562_373_095 {
    m /= 2
    e += 1
  }
  let f = (m - 1) / (m + 1)
  let square = f * f
  var sum = 0.0
  for odd in stride(from: 23.0, through: 1, by: -2) { sum = 1 / odd + sum * square }
  return e * 0.693_147_180_559_945_3 + 2 * f * sum
}
