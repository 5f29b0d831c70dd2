import CPlatform
import JSON

// Base64 (RFC 4648) of little-endian float32 numbers, which is the byte order of all supported processors.

/// The number of characters in a block, and the number of bytes that they encode.
private let lettersOfBlock = 32
private let bytesOfBlock = 24
/// The number of bytes after the 24 bytes of a block that encoding reads and decoding overwrites.
private let blockPadding = 8

extension ByteBuffer {
  /// Appends a JSON string with the numbers in base64.
  public func append(base64 numbers: UnsafeBufferPointer<Float>) {
    append(UInt8(ascii: "\""))
    numbers.withMemoryRebound(to: UInt8.self) { append(base64: $0) }
    append(UInt8(ascii: "\""))
  }

  private func append(base64 bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress else { return }
    let letterCount = (bytes.count + 2) / 3 * 4
    append(upTo: letterCount) { letters in
      var (read, written) = (0, 0)
      while bytes.count - read >= bytesOfBlock + blockPadding {
        lmpipe_base64_encode(source + read, letters + written)
        read += bytesOfBlock
        written += lettersOfBlock
      }
      // More than one block may be left. Two blocks end at most `ByteBuffer.padding` bytes after the text.
      withPadding(of: 0, after: source + read, count: bytes.count - read) { rest in
        lmpipe_base64_encode(rest, letters + written)
        lmpipe_base64_encode(rest + bytesOfBlock, letters + written + lettersOfBlock)
      }
      let padding = letterCount / 4 * 3 - bytes.count
      (letters + letterCount - padding).update(repeating: UInt8(ascii: "="), count: padding)
      return letterCount
    }
  }
}

/// Returns the float32 numbers of a base64 text; nil if the text is invalid or its length is not a multiple of four
/// bytes.
func floats(base64 text: UnsafeBufferPointer<UInt8>) -> [Float]? {
  guard let source = text.baseAddress else { return [] }
  let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
  let letterCount = text.count - padding
  let byteCount = text.count / 4 * 3 - padding
  guard text.count % 4 == 0, byteCount % MemoryLayout<Float>.size == 0 else { return nil }
  let count = byteCount / MemoryLayout<Float>.size
  var isBase64 = true
  let numbers = [Float](unsafeUninitializedCapacity: count + lettersOfBlock / MemoryLayout<Float>.size) {
    numbers, filled in
    numbers.withMemoryRebound(to: UInt8.self) { bytes in
      guard let target = bytes.baseAddress else { return }
      var (read, written) = (0, 0)
      while letterCount - read >= lettersOfBlock {
        isBase64 = lmpipe_base64_decode(source + read, target + written) && isBase64
        read += lettersOfBlock
        written += bytesOfBlock
      }
      withPadding(of: UInt8(ascii: "A"), after: source + read, count: letterCount - read) { rest in
        isBase64 = lmpipe_base64_decode(rest, target + written) && isBase64
      }
    }
    filled = count
  }
  return isBase64 ? numbers : nil
}

/// Calls `use` with a copy of the last `count` bytes, at most 32, followed by filler bytes up to two blocks.
private func withPadding(
  of filler: UInt8, after source: UnsafePointer<UInt8>, count: Int, _ use: (UnsafePointer<UInt8>) -> Void
) {
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * lettersOfBlock) { bytes in
    guard let start = bytes.baseAddress else { return }
    start.initialize(repeating: filler, count: 2 * lettersOfBlock)
    start.update(from: source, count: count)
    use(start)
  }
}
