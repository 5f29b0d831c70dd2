extension ByteBuffer {
  /// Appends a JSON string. `text` must be UTF-8. Escapes the characters that JSON requires, and also DEL and U+0080 to
  /// U+009F, because these could control a terminal.
  public func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    append(UInt8(ascii: "\""))
    if let start = text.baseAddress {
      var index = 0
      while index < text.count {
        var count = min(chunkSize, text.count - index)
        // Do not split a two-byte character that may have to be escaped.
        if index + count < text.count, start[index + count - 1] == 0xC2 { count -= 1 }
        append(upTo: longestEscape * count) { target in
          escape(start + index, count: count, to: target)
        }
        index += count
      }
    }
    append(UInt8(ascii: "\""))
  }

  public func append(jsonString text: [UInt8]) { text.withUnsafeBufferPointer { append(jsonString: $0) } }

  public func append(jsonString text: String) {
    var text = text
    text.withUTF8 { append(jsonString: $0) }
  }
}

/// Chunk size in bytes, so that the buffer does not reserve six times the length of a long text for escapes.
private let chunkSize = 4096
/// The length of `\u0000`.
private let longestEscape = 6

/// Writes the characters and escapes of a JSON string and returns their length in bytes, at most `longestEscape *
/// count`. Overwrites up to `ByteBuffer.padding` bytes after them.
@inline(__always)
private func escape(_ text: UnsafePointer<UInt8>, count: Int, to start: UnsafeMutablePointer<UInt8>) -> Int {
  var (source, rest, target) = (text, count, start)
  while rest > 0 {
    let block = ByteBlock(source, count: rest)
    block.store(to: target)
    let escaped = block.escapedInJSON | block.controlsBeyondJSON
    if escaped == 0, rest >= ByteBlock.size {  // the next addresses do not depend on the result for this block
      target += ByteBlock.size
      source += ByteBlock.size
      rest -= ByteBlock.size
      continue
    }
    let unescaped = min(escaped.trailingZeroBitCount, rest)  // a mask of 0 gives the size of a block
    target += unescaped
    source += unescaped
    rest -= unescaped
    guard escaped != 0 else { continue }
    if source.pointee == 0xC2, rest > 1 {
      target += writeTwoBytes(source, to: target)
      source += 1
      rest -= 1
    } else {
      target += writeEscape(of: source.pointee, to: target)
    }
    source += 1
    rest -= 1
  }
  return target - start
}

/// Writes a character from U+0080 to U+00BF, as an escape if it is a control character (below U+00A0).
@inline(never)
private func writeTwoBytes(_ text: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int {
  guard 0x80..<0xA0 ~= text[1] else {
    target.update(from: text, count: 2)
    return 2
  }
  return writeHexadecimal(text[1], to: target)
}

@inline(__always)
private func writeHexadecimal(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
  func digit(_ value: UInt8) -> UInt8 { value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
  target[0] = UInt8(ascii: "\\")
  target[1] = UInt8(ascii: "u")
  target[2] = UInt8(ascii: "0")
  target[3] = UInt8(ascii: "0")
  target[4] = digit(byte >> 4)
  target[5] = digit(byte & 15)
  return longestEscape
}

@inline(__always)
private func writeEscape(of byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
  target[0] = UInt8(ascii: "\\")
  switch byte {
  case 0x08: target[1] = UInt8(ascii: "b")
  case 0x09: target[1] = UInt8(ascii: "t")
  case 0x0A: target[1] = UInt8(ascii: "n")
  case 0x0C: target[1] = UInt8(ascii: "f")
  case 0x0D: target[1] = UInt8(ascii: "r")
  case 0..<0x20, 0x7F: return writeHexadecimal(byte, to: target)
  default: target[1] = byte
  }
  return 2
}
