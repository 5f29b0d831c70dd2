/// Reads the fields of one message in the wire format of Protocol Buffers
/// (https://protobuf.dev/programming-guides/encoding). Groups, which are deprecated, are an error.
struct ProtobufReader {
  /// The value of a field: a number, or the range of a string, of bytes or of a message.
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Range<Int>)
  }

  private let bytes: ArraySlice<UInt8>
  private(set) var position: Int

  /// Creates a reader of the message `bytes`, a part of the file.
  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Returns the number and the value of the next field, or nil at the end of the message.
  mutating func next() throws(VocabularyError) -> (number: Int, value: Value)? {
    guard position < bytes.endIndex else { return nil }
    let start = position
    let tag = try varint()
    guard tag >> 3 > 0, tag < 1 << 32 else { throw failure("the field number \(tag >> 3) is invalid", at: start) }
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(try fixed(8)))
    case 2:
      let length = try varint()
      guard length <= UInt64(bytes.endIndex - position) else {
        throw failure(
          "field \(number) has \(length) bytes, but its message has only \(bytes.endIndex - position) more", at: start)
      }
      let range = position..<position + Int(length)
      position = range.upperBound
      return (number, .bytes(range))
    case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw failure("field \(number) has the unsupported wire type \(tag & 7)", at: start)
    }
  }

  private mutating func varint() throws(VocabularyError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard position < bytes.endIndex else { throw failure("the message ends within a number", at: start) }
      let byte = UInt64(bytes[position])
      position += 1
      value |= (byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw failure("a number has more than ten bytes", at: start)
  }

  /// Reads a little-endian number of `size` bytes.
  private mutating func fixed(_ size: Int) throws(VocabularyError) -> UInt64 {
    guard bytes.endIndex - position >= size else { throw failure("the message ends within a number", at: position) }
    defer { position += size }
    return (0..<size).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64(8 * $1) }
  }

  /// Returns an error at an offset in the file.
  func failure(_ reason: String, at offset: Int) -> VocabularyError {
    VocabularyError(reason: "byte \(offset + 1): \(reason)")
  }
}
