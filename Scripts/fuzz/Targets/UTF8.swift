import JSON

extension FuzzTarget {
  /// Validation of UTF-8, sequence lengths and incomplete sequences at the end agree with the standard library, and
  /// strings survive a round trip through JSON.
  static let utf8 = FuzzTarget("utf8", longestInput: 300) { input in
    let isText = String(validating: input, as: UTF8.self) != nil
    try expect(isUTF8(input.span) == isText, "UTF-8: \(isText)")
    // The end is incomplete if some bytes after it would complete a character
    let incomplete = (1..<4).last { length in
      length <= input.count && utf8SequenceLength(input.span, at: input.count - length) == nil
        && continuations(length).contains { rest in
          String(validating: Array(input[(input.count - length)...]) + rest, as: UTF8.self)?.unicodeScalars.count == 1
        }
    }
    try expect(
      incompleteUTF8Suffix(input.span) == incomplete ?? 0, "an incomplete sequence of \(incomplete ?? 0) bytes")
    for index in input.indices {
      let length = (1...4).first { length in
        index + length <= input.count && String(validating: input[index..<index + length], as: UTF8.self) != nil
      }
      try expect(utf8SequenceLength(input.span, at: index) == length, "a sequence of \(length ?? 0) at \(index)")
    }
    guard isText else { return }
    let buffer = ByteBuffer()
    buffer.append(jsonString: input)
    try expect(PlainJSON(buffer.bytes)?.characters == Array(input), "a different string")
  }
}

/// Returns byte sequences that may complete a character of which `count` bytes exist. These four second bytes are
/// enough, because the allowed ranges of second bytes begin or end at them.
private func continuations(_ count: Int) -> [[UInt8]] {
  (1...(4 - count)).flatMap { missing in
    [UInt8(0x80), 0x90, 0xA0, 0xBF].map { [$0] + [UInt8](repeating: 0x80, count: missing - 1) }
  }
}
