import JSON
import JSONLines

extension FuzzTarget {
  /// The input as base64 text of logits, and as numbers to write in base64: decoding agrees with `plainDecoding`, and
  /// encoded numbers are read back.
  static let base64 = FuzzTarget("base64", longestInput: 400) { input in
    try expect(try logits(input) == plainDecoding(input).flatMap(words), "decoded differently")

    let numbers = input.loaded(as: UInt32.self)
    let output = ByteBuffer()
    numbers.map { Float(bitPattern: $0) }.withUnsafeBufferPointer { output.append(base64: $0) }
    let text = UnsafeBufferPointer(rebasing: output.bytes.dropFirst().dropLast())
    try expect(plainDecoding(text).flatMap(words) == numbers, "written: \(String(decoding: text, as: UTF8.self))")
    try expect(try logits(text) == numbers, "not decoded to the same numbers")
  }
}

/// Returns the logits of a record with this text in `logits`, or nil if it is rejected.
private func logits(_ text: UnsafeBufferPointer<UInt8>) throws -> [UInt32]? {
  guard isUTF8(text.span) else { return nil }
  let line = ByteBuffer()
  line.append("{\"logits\":")
  line.append(jsonString: text)
  line.append("}")
  let logits = try? Record(line.bytes).logits()
  return logits.map { $0.map(\.bitPattern) }
}

private func words(_ bytes: [UInt8]) -> [UInt32]? {
  bytes.count % 4 == 0 ? bytes.withUnsafeBufferPointer { $0.loaded(as: UInt32.self) } : nil
}

/// Decodes base64 letter by letter; nil if the text is invalid. Unused bits of the last letter are ignored.
private func plainDecoding(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  guard text.count % 4 == 0 else { return nil }
  var letters = Array(text)
  for _ in 0..<2 where letters.last == UInt8(ascii: "=") { letters.removeLast() }
  var (bits, count): (UInt32, Int) = (0, 0)
  var bytes: [UInt8] = []
  for letter in letters {
    guard let value = alphabet.firstIndex(of: letter) else { return nil }
    (bits, count) = (bits << 6 | UInt32(value), count + 6)
    if count >= 8 {
      count -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
  }
  return bytes
}
