extension ByteBuffer {
  /// Appends a JSON string. `text` must be UTF-8; only what JSON obliges to is escaped.
  public func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    append(UInt8(ascii: "\""))
    if let start = text.baseAddress {
      for index in stride(from: 0, to: text.count, by: pieceSize) {
        let count = min(pieceSize, text.count - index)
        append(upTo: longestEscape * count + ByteBlock.size) { target in
          escape(start + index, count: count, to: target)
        }
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

/// So many bytes at once, lest room be made for a long text's worth of escapes.
private let pieceSize = 4096
/// `\u0000`
private let longestEscape = 6

/// Writes the characters and escapes of a JSON string and returns how many bytes they are: `longestEscape` for each of
/// `count` bytes at most. Up to a block more is overwritten.
@inline(__always)
private func escape(_ text: UnsafePointer<UInt8>, count: Int, to start: UnsafeMutablePointer<UInt8>) -> Int {
  var (source, rest, target) = (text, count, start)
  while rest > 0 {
    let block = ByteBlock(source, count: rest)
    block.store(to: target)
    let escaped = block.escapedInJSON
    if escaped == 0, rest >= ByteBlock.size {  // where the next block goes is known before this one has been looked at
      target += ByteBlock.size
      source += ByteBlock.size
      rest -= ByteBlock.size
      continue
    }
    let plain = min(escaped.trailingZeroBitCount, rest)  // of a word without ones it is a block's size
    target += plain
    source += plain
    rest -= plain
    guard escaped != 0 else { continue }
    target += writeEscape(of: source.pointee, to: target)
    source += 1
    rest -= 1
  }
  return target - start
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
  case 0..<0x20:
    target[1] = UInt8(ascii: "u")
    target[2] = UInt8(ascii: "0")
    target[3] = UInt8(ascii: "0")
    target[4] = UInt8(ascii: "0") + byte >> 4
    target[5] = byte & 15 + (byte & 15 < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    return longestEscape
  default: target[1] = byte
  }
  return 2
}
