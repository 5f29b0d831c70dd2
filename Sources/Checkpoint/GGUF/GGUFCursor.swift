import Platform

/// A cursor over a GGUF file's header. It never reads past the end: functions throw an error with the position if the
/// remaining bytes are too few.
struct GGUFCursor {
  let file: MappedFile
  var position = 0

  func damaged(_ reason: String) -> CheckpointError { .unusable(file: file.path, reason: reason) }

  private var remaining: Int { file.bytes.count - position }

  /// Skips bytes and returns the position of the first.
  ///
  /// - Parameter what: a description of the bytes for the message of an error.
  mutating func skip(_ count: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> Int {
    guard count <= UInt64(remaining) else {
      throw damaged(
        "truncated: \(what()) at byte \(withThousandsSeparators(position)) has \(count) bytes, but only "
          + "\(withThousandsSeparators(remaining)) remain; download it again")
    }
    defer { position += Int(count) }
    return position
  }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(CheckpointError) -> Number {
    let start = try skip(UInt64(Number.bitWidth / 8), "a number")
    return Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
  }

  /// Skips a string and returns its range.
  mutating func string(_ what: @autoclosure () -> String) throws(CheckpointError) -> Range<Int> {
    let length = try number(UInt64.self)
    let start = try skip(length, what())
    return start..<position
  }

  /// Skips the strings of an array and returns their range. A fast loop, because a vocabulary can have hundreds of
  /// thousands of strings.
  mutating func strings(_ count: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> Range<Int> {
    let (bytes, start) = (file.bytes, position)
    var (next, skipped) = (start, 0 as UInt64)
    while skipped < count, bytes.count - next >= 8 {
      let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt64.self))
      guard length <= UInt64(bytes.count - next - 8) else { break }
      next += 8 + Int(length)
      skipped += 1
    }
    position = next
    if skipped < count { _ = try string(what()) }  // throws the error for the truncated string
    return start..<position
  }

  /// Returns the text of a range, for names and messages.
  func text(_ range: Range<Int>) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: file.bytes[range]), as: UTF8.self)
  }
}
