extension ByteBuffer {
  /// Appends the shortest decimal number that reads back to the same bits. `value` must be finite: JSON has no others.
  public func append(json value: Float) {
    append(upTo: roomForFloat) { target in write(ShortestDecimal(value), value.sign, to: target) }
  }

  /// Appends an array of numbers, all finite.
  public func append(json numbers: UnsafeBufferPointer<Float>) {
    append(UInt8(ascii: "["))
    reserve(usualLength * numbers.count)
    // First the decimals of a piece, then their texts: of such short steps the processor has several numbers' under way
    // at the same time. And room is made for a piece only, not for a long array of the longest.
    withUnsafeTemporaryAllocation(of: ShortestDecimal.self, capacity: 256) { decimals in
      for start in stride(from: 0, to: numbers.count, by: decimals.count) {
        let piece = UnsafeBufferPointer(rebasing: numbers[start..<min(start + decimals.count, numbers.count)])
        for index in piece.indices { decimals[index] = ShortestDecimal(piece[index]) }
        append(upTo: piece.count * (roomForFloat + 1)) { target in
          var end = target
          for index in piece.indices {
            end += write(decimals[index], piece[index].sign, to: end)
            end.pointee = UInt8(ascii: ",")
            end += 1
          }
          return end - target
        }
      }
    }
    if !numbers.isEmpty { truncate(to: count - 1) }  // the last comma
    append(UInt8(ascii: "]"))
  }
}

/// As many bytes as `write` may touch. What it writes is shorter: `-0.0000123456789`, `-1234567000000000`.
private let roomForFloat = 24

/// A logit has some eight digits, a point, a sign and a comma.
private let usualLength = 12

/// Writes the number and returns how many bytes it has: plain notation from 10^-5 up to 10^16, as Python and JavaScript
/// print, and an exponent beyond: `33`, `-0.0125`, `1e-7`.
///
/// In an array of logits the number of digits and the place of the point change from one number to the next, so no
/// branch depends on them: every piece is stored as a whole where it would stand, later ones over the surplus of earlier
/// ones.
@inline(__always)
private func write(
  _ decimal: ShortestDecimal, _ sign: FloatingPointSign, to target: UnsafeMutablePointer<UInt8>
) -> Int {
  target.pointee = UInt8(ascii: "-")
  let signCount = sign == .minus ? 1 : 0
  let start = target + signCount
  let text = DecimalText(decimal)
  guard -4...9 ~= text.point else { return signCount &+ writeFarFromOne(text, to: start) }

  // A fraction gets zeros in front up to the first before the point, and then is a number like the others.
  let isFraction = (text.point &- 1) &>> 63  // all ones where the point is before the first digit
  let zeros = (1 &- text.point) & isFraction
  let count = text.count &+ zeros
  let point = text.point &+ zeros
  start.storeEight(eightZeros)
  let first = start + (zeros &- isFraction)
  first.pointee = text.first
  (first + 1).storeEight(text.following)
  // The digits behind the point once more, one place on; in a fraction all are where they should be.
  (first + 1 + (point &+ isFraction)).storeEight(text.following &>> UInt64(truncatingIfNeeded: 8 &* (point &- 1)))
  start[point] = UInt8(ascii: ".")
  return signCount &+ max(point, count &+ (count > point ? 1 : 0))
}

/// Writes `1234567000000000` or `1.23e-7`.
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

/// The digits of a decimal in ASCII, the first one not 0 if any is not, and where the point stands.
private struct DecimalText {
  let first: UInt8
  /// The eight digits behind the first, the next one in the lowest byte; zeros behind the last.
  let following: UInt64
  /// How many digits there are without these zeros, 1 to 9.
  let count: Int
  /// Of the decimal point, in digits from the first: 1 in 1.5, 0 in 0.15.
  let point: Int

  @inline(__always)
  init(_ decimal: ShortestDecimal) {
    // Nine digits with zeros in front. The first of nine is 0 or 1.
    let hasNine = decimal.digits >= 100_000_000
    let eight = digitValues(UInt64(hasNine ? decimal.digits &- 100_000_000 : decimal.digits))
    let zeroBits = eight.trailingZeroBitCount & ~7  // of zeros in front of the eight
    let fromFirst = eight &>> UInt64(truncatingIfNeeded: zeroBits)
    first = hasNine ? UInt8(ascii: "1") : UInt8(ascii: "0") | UInt8(truncatingIfNeeded: fromFirst)
    let values = hasNine ? eight : fromFirst &>> 8
    following = values | eightZeros
    count = 9 &- values.leadingZeroBitCount &>> 3
    point = (hasNine ? 9 : 8 &- zeroBits &>> 3) &+ Int(decimal.exponent)
  }
}
