extension ByteBuffer {
  /// Appends an integer.
  public func append(json value: Int) {
    append(upTo: 1 + 20) { target in
      target[0] = UInt8(ascii: "-")
      let start = value < 0 ? 1 : 0
      return start + writeInteger(UInt64(value.magnitude), to: target + start)
    }
  }

  /// Appends an array of non-negative integers.
  public func append(json numbers: UnsafeBufferPointer<Int32>) {
    // In chunks: reserving for the longest numbers of a whole array would waste memory.
    var start = 0
    repeat {
      let limit = min(start + chunkLength, numbers.count)
      let chunk = UnsafeBufferPointer(rebasing: numbers[start..<limit])
      append(upTo: 2 + chunk.count * maximumElementLength) { target in
        var end = target
        if start == 0 {
          end.pointee = UInt8(ascii: "[")
          end += 1
        }
        for number in chunk {
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

private let chunkLength = 4096

/// The maximum length of an array element: ten digits and a comma.
private let maximumElementLength = 11

/// Writes the digits of `value` and returns their number. Overwrites up to seven bytes after them.
@inline(__always)
private func writeInteger(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  guard value >= 100_000_000 else { return writeEightDigits(value, to: target) }
  return writeLongInteger(value, to: target)
}

/// Writes more than eight digits.
private func writeLongInteger(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
  let count = high < 100_000_000 ? writeEightDigits(high, to: target) : writeLongInteger(high, to: target)
  (target + count).storeEight(digitValues(low) | eightZeros)
  return count + 8
}

/// Writes at most eight digits: computes eight and shifts out the leading zeros.
@inline(__always)
private func writeEightDigits(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  let digits = digitValues(value)
  let zeros = (digits | 1 << 56).trailingZeroBitCount & 56  // in bits; the last digit remains, even if it is zero
  target.storeEight((digits | eightZeros) >> UInt64(zeros))
  return 8 - zeros >> 3
}
