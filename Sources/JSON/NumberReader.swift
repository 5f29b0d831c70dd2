// Decimal text to binary, correctly rounded. The texts are numbers of JSON's grammar: `JSONScanner.number` checked them.

/// The nearest `Double`; infinite where the number is too large for one.
func readDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double {
  exactQuotient(text) ?? Double(String(decoding: text, as: UTF8.self)) ?? .infinity
}

/// The nearest `Float`; infinite where the number is too large for one.
///
/// Rounding first to `Double` and then to `Float` is right unless the `Double` lies exactly halfway between two
/// neighbouring floats (its 29 lower bits are then 1000…), where the first rounding may have hidden on which side of
/// the middle the number was, or unless the result is subnormal. Those go through the library's reader.
func readFloat(_ text: UnsafeBufferPointer<UInt8>) -> Float {
  if let double = exactQuotient(text), double.bitPattern & 0x1FFF_FFFF != 0x1000_0000,
    double == 0 || double.magnitude >= Double(Float.leastNormalMagnitude)
  {
    return Float(double)
  }
  return Float(String(decoding: text, as: UTF8.self)) ?? .infinity
}

/// Clinger's fast path ("How to read floating point numbers accurately", 1990): digits that make an integer below
/// 2^53, times or over a power of ten up to 10^22. Both are exact in a `Double`, so their product or quotient is
/// rounded once. Nil for other numbers.
@inline(__always)
private func exactQuotient(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
  var index = 0
  let isNegative = text[0] == UInt8(ascii: "-")
  if isNegative { index = 1 }
  var significand: UInt64 = 0
  var exponent = 0
  var seenPoint = false
  let start = index
  while index < text.count {
    let digit = text[index] &- UInt8(ascii: "0")
    if digit < 10 {
      significand = significand &* 10 &+ UInt64(digit)
      if seenPoint { exponent -= 1 }
    } else if text[index] == UInt8(ascii: ".") {
      seenPoint = true
    } else {
      break
    }
    index += 1
  }
  guard index - start <= 19 else { return nil }  // nineteen digits cannot overflow
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
  guard significand <= 1 << 53, exponent >= -22, exponent <= 22 else {
    return significand == 0 ? (isNegative ? -0.0 : 0) : nil
  }
  let magnitude =
    exponent < 0 ? Double(significand) / powersOfTen[-exponent] : Double(significand) * powersOfTen[exponent]
  return isNegative ? -magnitude : magnitude
}

private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]
