import JSON

/// The alphabet in which byte-level vocabularies are written, so that every token is printable text. A byte that is a
/// printable Latin-1 character is written as this character; the other 68 bytes are numbered from U+0100 on. A space is
/// `Ġ` (U+0120), a line feed `Ċ` (U+010A). Source: OpenAI's GPT-2, `bytes_to_unicode`.
enum ByteLevelAlphabet {
  /// Returns the byte that a character encodes, or nil if the character is not in the alphabet.
  @inline(__always)
  static func byte(of scalar: UInt32) -> UInt8? {
    switch scalar {
    case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: UInt8(truncatingIfNeeded: scalar)
    // The unprintable bytes in order: 0x00...0x20, 0x7F...0xA0, 0xAD
    case 0x100...0x120: UInt8(truncatingIfNeeded: scalar - 0x100)
    case 0x121...0x142: UInt8(truncatingIfNeeded: scalar - 0x121 + 0x7F)
    case 0x143: 0xAD
    default: nil
    }
  }

  /// Returns the character that encodes a byte.
  static func scalar(of byte: UInt8) -> UInt32 {
    switch byte {
    case 0x00...0x20: 0x100 + UInt32(byte)
    case 0x7F...0xA0: 0x121 + UInt32(byte) - 0x7F
    case 0xAD: 0x143
    default: UInt32(byte)
    }
  }

  /// Returns the bytes that a text in the alphabet encodes, or nil if it has other characters.
  static func decode(_ text: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
      let (value, length) = text.withUnsafeBufferPointer { decodeScalar(in: $0, at: index, limit: text.count) }
      guard let value, let byte = byte(of: value) else { return nil }
      bytes.append(byte)
      index += length
    }
    return bytes
  }

  /// Appends the character that encodes a byte, in UTF-8.
  @inline(__always)
  static func append(_ byte: UInt8, to text: inout [UInt8]) {
    let scalar = scalar(of: byte)
    guard scalar >= 0x80 else { return text.append(UInt8(scalar)) }
    text.append(0xC0 | UInt8(scalar >> 6))
    text.append(0x80 | UInt8(scalar & 0x3F))
  }

  /// Decodes `text` and appends the bytes. Returns false if a character is not in the alphabet or the text is not
  /// UTF-8; in that case, some bytes may have been appended.
  @inline(__always)
  static func decode(_ text: UnsafeBufferPointer<UInt8>, into bytes: inout SlabArray<UInt8>) -> Bool {
    bytes.reserve(text.count)
    var index = 0
    while index < text.count {
      let first = text[index]
      if first &- 0x21 < 0x5E {
        bytes.appendReserved(first)
        index += 1
        continue
      }
      // All characters of the alphabet beyond ASCII are below U+0800: two bytes of UTF-8.
      guard 0xC2...0xDF ~= first, index + 1 < text.count, text[index + 1] & 0xC0 == 0x80 else { return false }
      let scalar = UInt32(first & 0x1F) << 6 | UInt32(text[index + 1] & 0x3F)
      guard let byte = byte(of: scalar) else { return false }
      bytes.appendReserved(byte)
      index += 2
    }
    return true
  }
}
