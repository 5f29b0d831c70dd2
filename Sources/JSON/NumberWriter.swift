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
