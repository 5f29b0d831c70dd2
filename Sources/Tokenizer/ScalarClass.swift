/// The class of a scalar in the patterns of the pre-tokenizers. The raw values are the values in the table of
/// `UnicodeClasses`.
enum ScalarClass: UInt8 {
  /// None of the three classes below: punctuation, symbols, marks, controls, and bytes that are not UTF-8.
  case other
  /// General category L*.
  case letter
  /// General category N*.
  case number
  /// White_Space.
  case whiteSpace

  @inline(__always)
  init(ascii byte: UInt8) {
    if byte == 0x20 || byte &- 0x09 < 5 {
      self = .whiteSpace
    } else if (byte | 0x20) &- 0x61 < 26 {
      self = .letter
    } else {
      self = byte &- 0x30 < 10 ? .number : .other
    }
  }

  @inline(__always)
  init(_ scalar: UInt32) {
    guard scalar < UnicodeClasses.limit else {
      self = .other
      return
    }
    let block = Int(UnicodeClasses.blockOf[Int(scalar >> 7)])
    let word = UnicodeClasses.words[block << 2 | Int(scalar >> 5 & 3)]
    self = ScalarClass(rawValue: UInt8(truncatingIfNeeded: word >> UInt64(2 * (scalar & 31))) & 3) ?? .other
  }
}

/// Decodes the scalar at `index`, which is below `limit`, and returns it with its length in bytes. A byte that does not
/// begin a well-formed UTF-8 sequence (Unicode, table 3-7) that ends before `limit` is returned as nil with length 1.
@inline(__always)
func decodeScalar(in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int) -> (value: UInt32?, length: Int) {
  let first = UInt32(text[index])
  guard first >= 0x80 else { return (first, 1) }
  @inline(__always) func continuation(_ offset: Int) -> UInt32? {
    guard index + offset < limit, text[index + offset] & 0xC0 == 0x80 else { return nil }
    return UInt32(text[index + offset] & 0x3F)
  }
  guard first >= 0xC2, let second = continuation(1) else { return (nil, 1) }
  if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
  guard let third = continuation(2) else { return (nil, 1) }
  if first < 0xF0 {
    let value = (first & 0x0F) << 12 | second << 6 | third
    return value >= 0x800 && value & 0xF800 != 0xD800 ? (value, 3) : (nil, 1)
  }
  guard first < 0xF5, let fourth = continuation(3) else { return (nil, 1) }
  let value = (first & 0x07) << 18 | second << 12 | third << 6 | fourth
  return value >= 0x10000 && value < 0x110000 ? (value, 4) : (nil, 1)
}

/// Returns the class and the length of the scalar, or stray byte, at `index`, which is below `limit`.
@inline(__always)
func classifyScalar(in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int) -> (class: ScalarClass, length: Int)
{
  if text[index] < 0x80 { return (ScalarClass(ascii: text[index]), 1) }
  let (value, length) = decodeScalar(in: text, at: index, limit: limit)
  return (value.map(ScalarClass.init(_:)) ?? .other, length)
}
