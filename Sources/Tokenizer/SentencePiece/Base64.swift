/// Returns the bytes of a text in base64 (RFC 4648, section 4, with padding), or nil if it is not base64. Bits after
/// the last byte must be zero.
func bytes(ofBase64 text: [UInt8]) -> [UInt8]? {
  guard text.count % 4 == 0 else { return nil }
  func digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
  let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
  var result: [UInt8] = []
  result.reserveCapacity(text.count / 4 * 3)
  var bits: UInt32 = 0
  var count: UInt32 = 0
  for byte in text.dropLast(padding) {
    guard let digit = digit(byte) else { return nil }
    bits = bits << 6 | digit
    count += 6
    if count >= 8 {
      count -= 8
      result.append(UInt8(truncatingIfNeeded: bits >> count))
      bits &= 1 << count - 1
    }
  }
  return bits == 0 ? result : nil
}
