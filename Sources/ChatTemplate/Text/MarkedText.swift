/// A Unicode scalar, and whether it comes from the input or from the template. Marks are not compared.
struct MarkedScalar: Hashable, Sendable {
  private let bits: UInt32

  init(_ value: UInt32, isInput: Bool = false) { bits = value | (isInput ? 1 << 31 : 0) }

  var value: UInt32 { bits & 0x7FFF_FFFF }
  var isInput: Bool { bits >> 31 != 0 }

  static func == (left: Self, right: Self) -> Bool { left.value == right.value }
  func hash(into hasher: inout Hasher) { hasher.combine(value) }

  /// The properties of the scalar. Every value is a scalar.
  var properties: Unicode.Scalar.Properties { (Unicode.Scalar(value) ?? "\u{FFFD}").properties }

  /// True for white space by Python's `str.isspace`.
  var isWhiteSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}

/// A text of a template's language: Unicode scalars, because Python counts and slices by scalars. Every operation
/// keeps the marks of the scalars that it copies.
typealias MarkedText = [MarkedScalar]

extension [MarkedScalar] {
  /// Creates an unmarked text.
  init(_ text: String) { self = text.unicodeScalars.map { MarkedScalar($0.value) } }

  /// Creates a text from UTF-8. Malformed sequences become U+FFFD.
  init(utf8 bytes: some Collection<UInt8>, isInput: Bool) {
    self = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { MarkedScalar($0.value, isInput: isInput) }
  }

  /// The text without marks.
  var string: String {
    var scalars = String.UnicodeScalarView()
    for scalar in self { scalars.append(Unicode.Scalar(scalar.value) ?? "\u{FFFD}") }
    return String(scalars)
  }
}

extension ArraySlice<MarkedScalar> {
  var string: String { MarkedText(self).string }
}

/// A text in UTF-8, and the ranges of its bytes that come from the input.
public struct RenderedText: Sendable {
  public private(set) var bytes: [UInt8] = []
  /// Ascending, not empty, not adjacent.
  public private(set) var inputRanges: [Range<Int>] = []

  init(_ text: MarkedText) {
    bytes.reserveCapacity(text.count)
    var start: Int?  // of the current range of input
    for scalar in text {
      if scalar.isInput {
        start = start ?? bytes.count
      } else if let begun = start {
        inputRanges.append(begun..<bytes.count)
        start = nil
      }
      if scalar.value < 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: scalar.value))
      } else {
        bytes.append(
          contentsOf: UTF8.encode(Unicode.Scalar(scalar.value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
      }
    }
    if let start { inputRanges.append(start..<bytes.count) }
  }
}
