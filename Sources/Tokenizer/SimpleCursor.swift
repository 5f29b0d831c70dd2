import JSON

/// A place in a JSON text, from which tokens and merges are read that are simple: simply spelled strings and short
/// integers. Where something else stands, or something wrong, the answer is nil or false, and a `JSONScanner` must read
/// it, from where the element began.
///
/// Unsafe pointers: `skipWhiteSpace` must have answered true before anything else is read, and what is read before the
/// next time must not be longer than `reach`.
struct SimpleCursor {
  static let reach = 64

  private let start: UnsafeRawPointer
  private let last: UnsafeRawPointer
  private var next: UnsafeRawPointer

  /// Nil where the text is too short for it.
  init?(_ scanner: JSONScanner) {
    guard let text = scanner.bytes.baseAddress, scanner.bytes.count >= Self.reach else { return nil }
    start = UnsafeRawPointer(text)
    last = start + (scanner.bytes.count - Self.reach)
    next = start + scanner.position
  }

  /// In the text.
  var position: Int { next - start }

  /// Passes over white space. False where too little of the text is left.
  @inline(__always)
  mutating func skipWhiteSpace() -> Bool {
    while next <= last {
      switch next.load(as: UInt8.self) {
      case 0x20:
        let differences = next.loadUnaligned(as: UInt64.self) ^ 0x2020_2020_2020_2020
        next += differences.trailingZeroBitCount >> 3
      case 0x09, 0x0A, 0x0D: next += 1
      default: return true
      }
    }
    return false
  }

  /// Passes over the byte. False where another stands.
  @inline(__always)
  mutating func skip(_ byte: UInt8) -> Bool {
    guard next.load(as: UInt8.self) == byte else { return false }
    next += 1
    return true
  }

  /// Passes over a spelling and the quotation mark behind it.
  @inline(__always)
  mutating func spelling() -> SimpleSpelling? {
    let spelling = SimpleSpelling(next)
    next += spelling.sourceCount
    return skip(UInt8(ascii: "\"")) ? spelling : nil
  }

  /// Passes over the left half of a merge and the byte behind it. False where it is not that.
  @inline(__always)
  mutating func skipLeftHalf(of merge: inout ExpectedMerge, before separator: UInt8) -> Bool {
    guard let count = merge.leftHalf(next, before: separator, isJSON: true) else { return false }
    next += count + 1
    return true
  }

  /// Passes over the right half of a merge and the quotation mark behind it. False where it is not that.
  @inline(__always)
  mutating func skipRightHalf(of merge: ExpectedMerge) -> Bool {
    guard let count = merge.rightHalf(next, before: UInt8(ascii: "\"")) else { return false }
    next += count + 1
    return true
  }

  @inline(__always)
  mutating func integer() -> Int? {
    guard let integer = SimpleInteger(next) else { return nil }
    next += integer.count
    return integer.value
  }
}
