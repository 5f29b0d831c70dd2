extension ByteBuffer {
  /// Appends a JSON string. `text` must be UTF-8; only what JSON obliges to is escaped.
  public func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    append(UInt8(ascii: "\""))
    var plain = 0  // where the run of characters that need no escape began
    for (index, byte) in text.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    {
      append(UnsafeBufferPointer(rebasing: text[plain..<index]))
      plain = index + 1
      append(UInt8(ascii: "\\"))
      switch byte {
      case 0x08: append(UInt8(ascii: "b"))
      case 0x09: append(UInt8(ascii: "t"))
      case 0x0A: append(UInt8(ascii: "n"))
      case 0x0C: append(UInt8(ascii: "f"))
      case 0x0D: append(UInt8(ascii: "r"))
      case 0..<0x20: append("u00\(byte < 16 ? "0" : "1")\(String(byte & 15, radix: 16))")
      default: append(byte)
      }
    }
    append(UnsafeBufferPointer(rebasing: text[plain...]))
    append(UInt8(ascii: "\""))
  }

  public func append(jsonString text: [UInt8]) { text.withUnsafeBufferPointer { append(jsonString: $0) } }

  public func append(jsonString text: String) {
    var text = text
    text.withUTF8 { append(jsonString: $0) }
  }
}
