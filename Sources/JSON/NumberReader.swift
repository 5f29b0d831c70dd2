// Correctly rounded conversion of decimal text to binary. `JSONScanner.number` has checked the grammar of the text.
//
// `Double(_:)` and `Float(_:)` of the standard library are the fallback for the few numbers that the fast paths below
// cannot round with certainty.

/// Returns the nearest `Double`; infinity if the number is too large.
///
/// Clinger's fast path ("How to read floating point numbers accurately", 1990) for an integer up to 2^53 multiplied or
/// divided by a power of ten up to 10^22. Both are exact in a `Double`, so the result is rounded only once.
func readDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double {
  guard let decimal = Decimal(text), decimal.significand <= 1 << 53 else {
    return Double(String(decoding: text, as: UTF8.self)) ?? .infinity
  }
  let (significand, power) = (Double(decimal.significand), Decimal.powersOfTen[abs(decimal.exponent) + 22])
  let magnitude = decimal.exponent < 0 ? significand / power : significand * power
  return decimal.isNegative ? -magnitude : magnitude
}

/// Returns the nearest `Float`; infinity if the number is too large.
func readFloat(_ text: UnsafeBufferPointer<UInt8>) -> Float {
  Decimal(text)?.nearestFloat ?? Float(String(decoding: text, as: UTF8.self)) ?? .infinity
}

/// A decimal number: a significand of up to 18 digits, which fits in an `Int64`, times a power of ten from 10^-22 to
/// 10^22. The positive powers are exact in a `Double`.
struct Decimal {
  let isNegative: Bool
  let significand: Int64
  let exponent: Int

  @inline(__always)
  init(isNegative: Bool, significand: Int64, exponent: Int) {
    self.isNegative = isNegative
    self.significand = significand
    self.exponent = exponent
  }

  /// Parses a number; nil if it has more digits or an exponent outside this range.
  init?(_ text: UnsafeBufferPointer<UInt8>) {
    var index = 0
    isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    var significand: Int64 = 0
    var exponent = 0
    var seenPoint = false
    let start = index
    while index < text.count {
      let digit = text[index] &- UInt8(ascii: "0")
      if digit < 10 {
        significand = significand &* 10 &+ Int64(digit)
        if seenPoint { exponent -= 1 }
      } else if text[index] == UInt8(ascii: ".") {
        seenPoint = true
      } else {
        break
      }
      index += 1
    }
    guard index - start - (seenPoint ? 1 : 0) <= 18 else { return nil }
    if index < text.count {  // e or E
      index += 1
      let isNegativeExponent = text[index] == UInt8(ascii: "-")
      if isNegativeExponent || text[index] == UInt8(ascii: "+") { index += 1 }
      guard text.count - index <= 4 else { return nil }
      var value = 0
      while index < text.count {
        value = value * 10 + Int(text[index] &- UInt8(ascii: "0"))
        index += 1
      }
      exponent += isNegativeExponent ? -value : value
    }
    guard -22...22 ~= exponent else { return nil }
    self.significand = significand
    self.exponent = exponent
  }

  /// The nearest `Float`; nil if the approximation in a `Double` does not determine it.
  ///
  /// Three roundings to 53 bits (significand, power, product) give a relative error of little more than 3·2^-53, which
  /// is less than four units in the last place of the `Double`. A `Double` has 29 bits more than a `Float`; halfway
  /// between two floats these bits are 1000…. If the approximation is at least four units away from halfway, the exact
  /// number is on the same side and rounds to the same float. (A subnormal float has fewer bits, so it is excluded.)
  @inline(__always)
  var nearestFloat: Float? {
    let approximation = Double(significand) * Self.powersOfTen[exponent &+ 22]
    let distance = Int64(truncatingIfNeeded: approximation.bitPattern & 0x1FFF_FFFF) &- 0x1000_0000
    guard distance.magnitude > 3, approximation >= 0x1p-126 || approximation == 0 else { return nil }
    return Float(bitPattern: Float(approximation).bitPattern | (isNegative ? 1 << 31 : 0))
  }

  /// The powers from 10^-22 to 10^22.
  fileprivate static let powersOfTen: [Double] = [
    1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
    1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]
}
