/// Returns the sine and cosine of an angle in radians, with an error of about 1e-14. NaN for angles of more than 2^26
/// quarter turns (about 1.05e8), for which the range reduction is not accurate, and for angles that are not finite.
///
/// x = n·π/2 + r with |r| ≤ π/4, with π/2 in two parts (Cody and Waite). The Taylor series of sine and cosine at r have
/// remainders below 3e-14 and 2e-15; n modulo 4 determines which of the two is the sine of x, and the signs.
public func sineAndCosine(_ x: Double) -> (sine: Double, cosine: Double) {
  let n = (x * 0.636_619_772_367_581_4).rounded(.toNearestOrEven)
  guard abs(n) <= 0x1p26 else { return (.nan, .nan) }
  var r = x.addingProduct(-n, 1.570_796_326_794_896_6)
  r = r.addingProduct(-n, 6.123_233_995_736_766e-17)
  let square = r * r
  var sum = 1.0 / 6_227_020_800
  sum = (-1.0 / 39_916_800).addingProduct(sum, square)
  sum = (1.0 / 362_880).addingProduct(sum, square)
  sum = (-1.0 / 5040).addingProduct(sum, square)
  sum = (1.0 / 120).addingProduct(sum, square)
  sum = (-1.0 / 6).addingProduct(sum, square)
  let sine = r.addingProduct(r * square, sum)
  sum = -1.0 / 87_178_291_200
  sum = (1.0 / 479_001_600).addingProduct(sum, square)
  sum = (-1.0 / 3_628_800).addingProduct(sum, square)
  sum = (1.0 / 40_320).addingProduct(sum, square)
  sum = (-1.0 / 720).addingProduct(sum, square)
  sum = (1.0 / 24).addingProduct(sum, square)
  sum = (-0.5).addingProduct(sum, square)
  let cosine = 1.0.addingProduct(sum, square)
  return switch Int(n) & 3 {
  case 0: (sine, cosine)
  case 1: (cosine, -sine)
  case 2: (-sine, -cosine)
  default: (-cosine, sine)
  }
}
