import Platform

/// A cursor over a GGUF file's header. Nothing is read at or past the end: whoever asks for more than is left gets an
/// error that names the place.
struct GGUFCursor {
  let file: MappedFile
  var position = 0

  func damaged(_ reason: String) -> CheckpointError { .unusable(file: file.path, reason: reason) }

  private var left: Int { file.bytes.count - position }

  /// Passes over some bytes, and returns where they begin.
  mutating func skip(_ count: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> Int {
    guard count <= UInt64(left) else {
      throw damaged(
        "\(what()) at byte \(withThousandsSeparators(position)) takes \(count) bytes, and only \(withThousandsSeparators(left)) are left: "
          + "download it again")
    }
    defer { position += Int(count) }
    return position
  }

  mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(CheckpointError) -> Number {
    let start = try skip(UInt64(Number.bitWidth / 8), "a number")
    return Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
  }

  /// A string, left where it lies.
  mutating func string(_ what: @autoclosure () -> String) throws(CheckpointError) -> Range<Int> {
    let length = try number(UInt64.self)
    let start = try skip(length, what())
    return start..<position
  }

  /// Passes over the strings of an array: there may be hundreds of thousands.
  mutating func strings(_ count: UInt64, _ what: @autoclosure () -> String) throws(CheckpointError) -> Range<Int> {
    let (bytes, start) = (file.bytes, position)
    var (next, passed) = (start, 0 as UInt64)
    while passed < count, bytes.count - next >= 8 {
      let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt64.self))
      guard length <= UInt64(bytes.count - next - 8) else { break }
      next += 8 + Int(length)
      passed += 1
    }
    position = next
    if passed < count { _ = try string(what()) }  // it says what is wrong
    return start..<position
  }

  /// The text of a range, for names and messages.
  func text(_ range: Range<Int>) -> String {
    String(decoding: UnsafeRawBufferPointer(rebasing: file.bytes[range]), as: UTF8.self)
  }
}
