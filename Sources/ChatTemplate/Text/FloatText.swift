import Platform

extension MarkedText {
  /// Creates the text of a number as Python's `repr` writes it: the fewest digits that read back to the same number,
  /// in positional notation from 10^-4 to 10^16.
  init(_ value: Double) {
    guard value.isFinite else {
      self.init(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf")
      return
    }
    // The description has the fewest digits too, but another choice of notation
    let parts = value.magnitude.description.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var digits = mantissa.joined()
    var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    let text: String
    if value == 0 {
      text = "0.0"
    } else if -4 < point, point <= 16 {
      if point <= 0 {
        text = "0." + String(repeating: "0", count: -point) + digits
      } else if digits.count <= point {
        text = digits + String(repeating: "0", count: point - digits.count) + ".0"
      } else {
        text = digits.prefix(point) + "." + digits.dropFirst(point)
      }
    } else {
      let exponent = point - 1
      text =
        digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "") + (exponent < 0 ? "e-" : "e+")
        + (abs(exponent) < 10 ? "0" : "") + "\(abs(exponent))"
    }
    self.init((value.sign == .minus ? "-" : "") + text)
  }
}

/// Returns the number with a fixed number of digits after the point, correctly rounded, as Python's `%.*f`; with
/// another letter, as that conversion of printf(3).
func decimalText(_ value: Double, digits: Int, conversion: Character = "f") -> String {
  // The longest double has 309 digits before the point
  var buffer = [CChar](repeating: 0, count: 400 + digits)
  let count = withVaList([CInt(digits), value]) { vsnprintf(&buffer, buffer.count, "%.*\(conversion)", $0) }
  return String(decoding: buffer.prefix(Int(max(count, 0))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
