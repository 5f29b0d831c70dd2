extension ByteBuffer {
  /// Appends the shortest decimal number that reads back to the same bits. `value` must be finite: JSON has no
  /// infinities or NaN.
  public func append(json value: Float) {
    append(upTo: maximumFloatLength) { target in write(ShortestDecimal(value), value.sign, to: target) }
  }

  /// Appends an array of finite numbers.
  public func append(json numbers: UnsafeBufferPointer<Float>) {
    append(UInt8(ascii: "["))
    reserve(usualLength * numbers.count)
    // In chunks, and in two passes over each: first all decimals, then all texts. Each pass takes so few instructions
    // per number that the processor executes several numbers at the same time. Chunks also limit the memory reserved
    // for the longest numbers.
    withUnsafeTemporaryAllocation(of: ShortestDecimal.self, capacity: 256) { decimals in
      for start in stride(from: 0, to: numbers.count, by: decimals.count) {
        let chunk = UnsafeBufferPointer(rebasing: numbers[start..<min(start + decimals.count, numbers.count)])
        for index in chunk.indices { decimals[index] = ShortestDecimal(chunk[index]) }
        append(upTo: chunk.count * (maximumFloatLength + 1)) { target in
          var end = target
          for index in chunk.indices {
            end += write(decimals[index], chunk[index].sign, to: end)
            end.pointee = UInt8(ascii: ",")
            end += 1
          }
          return end - target
        }
      }
    }
    if !numbers.isEmpty { truncate(to: count - 1) }  // removes the last comma
    append(UInt8(ascii: "]"))
  }
}

/// The maximum length of a number's text: `-1234567000000000`. `write` overwrites up to nine bytes after the text.
private let maximumFloatLength = 17

/// The usual length of a logit: about eight digits, a point, a sign and a comma.
private let usualLength = 12

/// Writes the number and returns the length of its text. From 10^-5 to 10^16 the notation is positional, as in Python;
/// outside it has an exponent: `33`, `-0.0125`, `1e-7`.
///
/// In an array of logits the number of digits and the position of the point vary unpredictably, so no branch depends on
/// them: each part is stored as eight bytes at its position, and later parts overwrite the excess bytes of earlier
/// parts.
@inline(__always)
private func write(
  _ decimal: ShortestDecimal, _ sign: FloatingPointSign, to target: UnsafeMutablePointer<UInt8>
) -> Int {
  target.pointee = UInt8(ascii: "-")
  let signCount = sign == .minus ? 1 : 0
  let start = target + signCount
  let text = DecimalText(decimal)
  guard -4...9 ~= text.point else { return signCount &+ writeFarFromOne(text, to: start) }

  // A number below 1 gets leading zeros, including one before the point; then it is written like any other number.
  let isFraction = (text.point &- 1) &>> 63  // all ones if the point is before the first digit, else 0
  let zeros = (1 &- text.point) & isFraction
  let count = text.count &+ zeros
  let point = text.point &+ zeros
  start.storeEight(eightZeros)
  let first = start + (zeros &- isFraction)
  first.pointee = text.first
  (first + 1).storeEight(text.following)
  // Store the digits after the point again, one byte further; for numbers below 1 they are already in place.
  (first + 1 + (point &+ isFraction)).storeEight(text.following &>> UInt64(truncatingIfNeeded: 8 &* (point &- 1)))
  start[point] = UInt8(ascii: ".")
  return signCount &+ max(point, count &+ (count > point ? 1 : 0))
}

/// Writes a number outside 10^-5 to 10^9, such as `1234567000000000` or `1.23e-7`.
@inline(never)
private func writeFarFromOne(_ text: DecimalText, to start: UnsafeMutablePointer<UInt8>) -> Int {
  start[0] = text.first
  if 1...16 ~= text.point {
    (start + 1).storeEight(text.following)
    (start + 9).storeEight(eightZeros)
    return text.point
  }
  start[1] = UInt8(ascii: ".")
  (start + 2).storeEight(text.following)
  var end = start + (text.count == 1 ? 1 : text.count + 1)
  let exponent = text.point - 1
  end.pointee = UInt8(ascii: "e")
  end += 1
  if exponent < 0 {
    end.pointee = UInt8(ascii: "-")
    end += 1
  }
  if exponent.magnitude >= 10 {
    end.pointee = UInt8(ascii: "0") + UInt8(exponent.magnitude / 10)
    end += 1
  }
  end.pointee = UInt8(ascii: "0") + UInt8(exponent.magnitude % 10)
  return end + 1 - start
}

/// The ASCII digits of a decimal, without leading zeros, and the position of its point.
private struct DecimalText {
  let first: UInt8
  /// The eight digits after the first, the next one in the lowest byte, padded with the digit zero.
  let following: UInt64
  /// The number of digits without trailing zeros, 1 to 9.
  let count: Int
  /// The number of digits before the decimal point: 1 in 1.5, 0 in 0.15, -1 in 0.015.
  let point: Int

  @inline(__always)
  init(_ decimal: ShortestDecimal) {
    // Up to nine digits; the first of nine is always 1, because decimals are below 2·10^8.
    let hasNine = decimal.digits >= 100_000_000
    let eight = digitValues(UInt64(hasNine ? decimal.digits &- 100_000_000 : decimal.digits))
    let zeroBits = eight.trailingZeroBitCount & ~7  // bits of the leading zeros among the eight digits
    let fromFirst = eight &>> UInt64(truncatingIfNeeded: zeroBits)
    first = hasNine ? UInt8(ascii: "1") : UInt8(ascii: "0") | UInt8(truncatingIfNeeded: fromFirst)
    let values = hasNine ? eight : fromFirst &>> 8
    following = values | eightZeros
    count = 9 &- values.leadingZeroBitCount &>> 3
    point = (hasNine ? 9 : 8 &- zeroBits &>> 3) &+ Int(decimal.exponent)
  }
}
