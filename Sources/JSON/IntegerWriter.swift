extension ByteBuffer {
  public func append(json value: Int) {
    append(upTo: 20) { target in
      var start = 0
      if value < 0 {
        target[0] = UInt8(ascii: "-")
        start = 1
      }
      return start + writeDigits(value.magnitude, to: target + start)
    }
  }

  /// Appends an array of integers that are not negative.
  public func append(json numbers: UnsafeBufferPointer<Int32>) {
    append(upTo: 2 + numbers.count * integerRoom) { target in
      var end = target
      end.pointee = UInt8(ascii: "[")
      end += 1
      for number in numbers {
        end += writeInteger(UInt32(bitPattern: number), to: end)
        end.pointee = UInt8(ascii: ",")
        end += 1
      }
      if !numbers.isEmpty { end -= 1 }
      end.pointee = UInt8(ascii: "]")
      return end + 1 - target
    }
  }
}

/// Writes the digits of `value` and returns how many there are.
@inline(__always)
private func writeDigits(_ value: UInt, to target: UnsafeMutablePointer<UInt8>) -> Int {
  var length = 1
  var rest = value
  while rest >= 10 {
    rest /= 10
    length += 1
  }
  rest = value
  var index = length
  repeat {
    index -= 1
    target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
  } while index > 0
  return length
}

/// How many bytes an element of an array may take: two more than `writeInteger` can store, and the comma.
private let integerRoom = 19

/// Writes the digits of `value` and returns how many there are. It may store eight bytes more than these.
@inline(__always)
private func writeInteger(_ value: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
  guard value >= 100_000_000 else { return writeEightDigits(value, to: target) }
  let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
  let count = writeEightDigits(high, to: target)
  UnsafeMutableRawPointer(target + count).storeBytes(of: eightDigits(low) | 0x3030_3030_3030_3030, as: UInt64.self)
  return count + 8
}

/// The same for a value of at most eight digits: they are made all at once, and the zeros in front are shifted out.
@inline(__always)
private func writeEightDigits(_ value: UInt32, to target: UnsafeMutablePointer<UInt8>) -> Int {
  let digits = eightDigits(value)
  let zeros = (digits | 1 << 56).trailingZeroBitCount & 56  // in bits; the last digit stays, be it a zero
  UnsafeMutableRawPointer(target).storeBytes(of: (digits | 0x3030_3030_3030_3030) >> UInt64(zeros), as: UInt64.self)
  return 8 - zeros >> 3
}

/// The eight digits of a value below 10^8, each in a byte, the first one lowest: halves of four digits, quarters of
/// two, and single digits are split off side by side in one word.
@inline(__always)
private func eightDigits(_ value: UInt32) -> UInt64 {
  let value = UInt64(value)
  let halves = value / 10_000 | (value % 10_000) << 32
  let hundreds = (halves &* 10_486) >> 20 & 0x0000_007F_0000_007F  // n / 100 for n < 10^4
  let quarters = hundreds | (halves &- hundreds &* 100) << 16
  let tens = (quarters &* 103) >> 10 & 0x000F_000F_000F_000F  // n / 10 for n < 100
  return tens | (quarters &- tens &* 10) << 8
}
