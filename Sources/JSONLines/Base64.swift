import JSON

extension ByteBuffer {
  /// Appends a JSON string that holds the numbers as base64 (RFC 4648) of little-endian float32.
  public func append(base64 numbers: UnsafeBufferPointer<Float>) {
    let bytes = UnsafeRawBufferPointer(numbers)  // little-endian, as every processor here is
    append(UInt8(ascii: "\""))
    alphabet.withUTF8Buffer { alphabet in
      var index = 0
      while index < bytes.count {
        let rest = bytes.count - index
        let group =
          UInt32(bytes[index]) << 16 | (rest > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
          | (rest > 2 ? UInt32(bytes[index + 2]) : 0)
        append(alphabet[Int(group >> 18)])
        append(alphabet[Int(group >> 12 & 63)])
        append(rest > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
        append(rest > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
        index += 3
      }
    }
    append(UInt8(ascii: "\""))
  }
}

private let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/// The float32 numbers of a base64 text; nil where it is none.
func floats(base64 text: ArraySlice<UInt8>) -> [Float]? {
  guard text.count % 4 == 0 else { return nil }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count / 4 * 3)
  let padding = text.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
  var group: UInt32 = 0
  for (index, letter) in text.dropLast(padding).enumerated() {
    let value: UInt8
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = letter - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): value = letter - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): value = letter - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): value = 62
    case UInt8(ascii: "/"): value = 63
    default: return nil
    }
    group = group << 6 | UInt32(value)
    if index % 4 == 3 {
      bytes += [UInt8(group >> 16 & 255), UInt8(group >> 8 & 255), UInt8(group & 255)]
      group = 0
    }
  }
  if padding == 1 { bytes += [UInt8(group >> 10 & 255), UInt8(group >> 2 & 255)] }
  if padding == 2 { bytes.append(UInt8(group >> 4 & 255)) }
  guard bytes.count % 4 == 0 else { return nil }
  return bytes.withUnsafeBytes { raw in
    (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
  }
}
