extension ByteBuffer {
  public func append(json value: Int) {
    append(upTo: 1 + 20 + 8) { target in
      target[0] = UInt8(ascii: "-")
      let start = value < 0 ? 1 : 0
      return start + writeInteger(UInt64(value.magnitude), to: target + start)
    }
  }

  /// Appends an array of integers that are not negative.
  public func append(json numbers: UnsafeBufferPointer<Int32>) {
    // Room is made for a piece only, not for a long array of the longest.
    var start = 0
    repeat {
      let limit = min(start + pieceLength, numbers.count)
      let piece = UnsafeBufferPointer(rebasing: numbers[start..<limit])
      append(upTo: 2 + piece.count * integerRoom) { target in
        var end = target
        if start == 0 {
          end.pointee = UInt8(ascii: "[")
          end += 1
        }
        for number in piece {
          end += writeInteger(UInt64(UInt32(bitPattern: number)), to: end)
          end.pointee = UInt8(ascii: ",")
          end += 1
        }
        guard limit == numbers.count else { return end - target }
        if limit > 0 { end -= 1 }
        end.pointee = UInt8(ascii: "]")
        return end + 1 - target
      }
      start = limit
    } while start < numbers.count
  }
}

private let pieceLength = 4096

/// How many bytes an element of an array may take: two more than `writeInteger` can store, and the comma.
private let integerRoom = 19

/// Writes the digits of `value` and returns how many there are. It may store eight bytes more than these.
@inline(__always)
private func writeInteger(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  guard value >= 100_000_000 else { return writeEightDigits(value, to: target) }
  return writeLongInteger(value, to: target)
}

/// The same for more than eight digits.
private func writeLongInteger(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
  let count = high < 100_000_000 ? writeEightDigits(high, to: target) : writeLongInteger(high, to: target)
  (target + count).storeEight(digitValues(low) | eightZeros)
  return count + 8
}

/// The same for at most eight digits: they are made all at once, and the zeros in front are shifted out.
@inline(__always)
private func writeEightDigits(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  let digits = digitValues(value)
  let zeros = (digits | 1 << 56).trailingZeroBitCount & 56  // in bits; the last digit stays, be it a zero
  target.storeEight((digits | eightZeros) >> UInt64(zeros))
  return 8 - zeros >> 3
}
