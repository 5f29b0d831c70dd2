/// What the splitting rule tells apart. The raw values are those of the table in `UnicodeClasses`.
enum ScalarClass: UInt8 {
  /// Neither of the three below: punctuation, symbols, marks, controls, and bytes that are not UTF-8.
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

/// The scalar that begins at `index`, which is below `limit`, and how many bytes it takes. A byte that begins no
/// well-formed UTF-8 sequence (Unicode, table 3-7) that ends before `limit` is an item of its own, without a value.
@inline(__always)
func scalar(in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int) -> (value: UInt32?, length: Int) {
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

/// The class and the length of what stands at `index`, which is below `limit`.
@inline(__always)
func item(in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int) -> (class: ScalarClass, length: Int) {
  if text[index] < 0x80 { return (ScalarClass(ascii: text[index]), 1) }
  let (value, length) = scalar(in: text, at: index, limit: limit)
  return (value.map(ScalarClass.init(_:)) ?? .other, length)
}
