import JSON

extension FuzzTarget {
  /// What is UTF-8, how much of it, what is cut short at its end, and that strings of it come back from JSON.
  static let utf8 = FuzzTarget("utf8", longestInput: 300) { input in
    let isText = String(validating: input, as: UTF8.self) != nil
    try expect(isUTF8(input) == isText, "UTF-8: \(isText)")
    func cut(_ count: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: input[..<count]) }
    // The end is cut short where some bytes behind it would make a character of it.
    let incomplete = (1..<4).last { length in
      length <= input.count && utf8SequenceLength(input, at: input.count - length) == nil
        && continuations(length).contains { rest in
          String(validating: Array(input[(input.count - length)...]) + rest, as: UTF8.self)?.unicodeScalars.count == 1
        }
    }
    try expect(incompleteUTF8Suffix(input) == incomplete ?? 0, "cut short by \(incomplete ?? 0)")
    for index in input.indices {
      let length = (1...4).first { length in
        index + length <= input.count && String(validating: input[index..<index + length], as: UTF8.self) != nil
      }
      try expect(utf8SequenceLength(input, at: index) == length, "a sequence of \(length ?? 0) at \(index)")
    }
    guard isText else { return }
    let buffer = ByteBuffer()
    buffer.append(jsonString: input)
    try expect(PlainJSON(buffer.bytes)?.characters == Array(input), "another string")
  }
}

/// What may complete a character of which so many bytes are there: one try of each kind is enough, for the ranges of
/// second bytes meet in these.
private func continuations(_ count: Int) -> [[UInt8]] {
  (1...(4 - count)).flatMap { missing in
    [UInt8(0x80), 0x90, 0xA0, 0xBF].map { [$0] + [UInt8](repeating: 0x80, count: missing - 1) }
  }
}
