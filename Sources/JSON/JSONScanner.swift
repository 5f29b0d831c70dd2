import Platform

/// A pull parser for one JSON text (RFC 8259). It builds no tree: the caller reads the values that it expects and skips
/// all other values; skipping returns the range of a value's source text.
///
/// The grammar, UTF-8 and escapes of everything read or skipped are checked. Nesting does not use the call stack.
///
/// ```swift
/// var scanner = JSONScanner(bytes)
/// try scanner.object { (name, scanner) throws(JSONError) in
///   if scanner.matches(name, "ids") { ids = try scanner.integers() } else { _ = try scanner.skipValue() }
/// }
/// try scanner.end()
/// ```
///
/// Unsafe pointers: `bytes` is borrowed and must outlive the scanner. Nothing at or after `bytes.count` is read (`peek`
/// returns 0 there, a byte that no JSON text contains).
public struct JSONScanner {
  public let bytes: UnsafeBufferPointer<UInt8>
  public internal(set) var position: Int

  /// Creates a scanner that starts at `position`. `bytes` is the whole text: offsets in errors are relative to it.
  public init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  public enum Kind { case object, array, string, number, boolean, null }

  /// The content of a string between its quotation marks, in source form.
  public struct Text {
    public let range: Range<Int>
    /// False if the string has no escapes; true if it may have some.
    public let hasEscapes: Bool

    public init(range: Range<Int>, hasEscapes: Bool) {
      self.range = range
      self.hasEscapes = hasEscapes
    }
  }

  // MARK: Position and errors

  @inline(__always)
  private var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

  /// Skips space, tab, line feed and carriage return.
  public mutating func skipWhiteSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Skips white space and returns the kind of the value that begins there.
  public mutating func kind() throws(JSONError) -> Kind {
    skipWhiteSpace()
    switch peek {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    default: throw expected("a value")
    }
  }

  /// Checks that only white space is left.
  public mutating func end() throws(JSONError) {
    skipWhiteSpace()
    guard position == bytes.count else { throw failure("unexpected text after the value") }
  }

  /// Returns an error at `offset`, by default the current position.
  public func failure(_ reason: String, at offset: Int? = nil) -> JSONError {
    JSONError(offset: offset ?? position, reason: reason)
  }

  private func expected(_ what: String) -> JSONError {
    guard position < bytes.count else { return failure("expected \(what), found the end of the text") }
    let found: String
    switch bytes[position] {
    case UInt8(ascii: "\""): found = "'\"'"
    case let byte where byte > 0x20 && byte < 0x7F: found = "\"\(Character(Unicode.Scalar(byte)))\""
    case let byte: found = "byte 0x\(hexadecimal(byte, width: 2, uppercase: true))"
    }
    return failure("expected \(what), found \(found)")
  }

  @inline(__always)
  private mutating func accept(_ byte: UInt8) -> Bool {
    guard peek == byte, position < bytes.count else { return false }
    position += 1
    return true
  }

  // MARK: Objects and arrays

  /// Calls `visit` with each member of an object in order. `visit` receives the name and must read or skip the value.
  @inlinable
  public mutating func object(_ visit: (Text, inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
    guard try beginObject() else { return }
    repeat {
      let name = try memberName()
      try visit(name, &self)
    } while try another(closing: UInt8(ascii: "}"))
  }

  /// Calls `visit` for each element of an array in order. `visit` must read or skip the element.
  @inlinable
  public mutating func array(_ visit: (inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
    guard try beginArray() else { return }
    repeat {
      try visit(&self)
    } while try another(closing: UInt8(ascii: "]"))
  }

  /// Reads the beginning of an object. Returns false if the object is empty; its closing brace is then read as well.
  public mutating func beginObject() throws(JSONError) -> Bool {
    try begin(UInt8(ascii: "{"), "an object", closing: UInt8(ascii: "}"))
  }

  /// Reads the beginning of an array. Returns false if the array is empty; its closing bracket is then read as well.
  public mutating func beginArray() throws(JSONError) -> Bool {
    try begin(UInt8(ascii: "["), "an array", closing: UInt8(ascii: "]"))
  }

  private mutating func begin(_ opening: UInt8, _ what: String, closing: UInt8) throws(JSONError) -> Bool {
    skipWhiteSpace()
    guard accept(opening) else { throw expected(what) }
    skipWhiteSpace()
    return !accept(closing)
  }

  /// Reads the comma or closing bracket after a member or element. Returns whether it was a comma.
  public mutating func another(closing: UInt8) throws(JSONError) -> Bool {
    skipWhiteSpace()
    if accept(UInt8(ascii: ",")) { return true }
    if accept(closing) { return false }
    throw expected("a comma or \"\(Character(Unicode.Scalar(closing)))\"")
  }

  /// Reads a member's name and the colon after it.
  public mutating func memberName() throws(JSONError) -> Text {
    skipWhiteSpace()
    guard peek == UInt8(ascii: "\"") else { throw expected("a member name in quotation marks") }
    let name = try string()
    skipWhiteSpace()
    guard accept(UInt8(ascii: ":")) else { throw expected("a colon") }
    return name
  }

  /// Skips a value and returns the range of its source text.
  ///
  /// - Parameter allowsConstants: accepts `NaN`, `Infinity` and `-Infinity` as numbers. Python's `json` module writes
  ///   them by default.
  public mutating func skipValue(allowsConstants: Bool = false) throws(JSONError) -> Range<Int> {
    skipWhiteSpace()
    let start = position
    var closings: [UInt8] = []  // for the open brackets: an explicit stack instead of recursion
    repeat {
      let kind = allowsConstants && skipConstant() ? nil : try kind()
      switch kind {
      case .object:
        if try beginObject() {
          closings.append(UInt8(ascii: "}"))
          _ = try memberName()
          continue
        }
      case .array:
        if try beginArray() {
          closings.append(UInt8(ascii: "]"))
          skipNumbersOnFastPath()
          continue
        }
      case .string: _ = try string()
      case .number: _ = try number()
      case .boolean: _ = try boolean()
      case .null: try null()
      case nil: break
      }
      while let closing = closings.last {
        if try another(closing: closing) {
          if closing == UInt8(ascii: "}") { _ = try memberName() } else if kind == .number { skipNumbersOnFastPath() }
          break
        }
        closings.removeLast()
      }
    } while !closings.isEmpty
    return start..<position
  }

  /// Skips `NaN`, `Infinity` or `-Infinity`. Returns whether one was found.
  private mutating func skipConstant() -> Bool {
    skipWhiteSpace()
    let rest = bytes[position...]
    for constant in ["NaN", "Infinity", "-Infinity"] where rest.starts(with: constant.utf8) {
      position += constant.utf8.count
      return true
    }
    return false
  }

  // MARK: Literals and strings

  /// Reads `true` or `false`.
  public mutating func boolean() throws(JSONError) -> Bool {
    skipWhiteSpace()
    if peek == UInt8(ascii: "t") {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  /// Reads `null`.
  public mutating func null() throws(JSONError) {
    skipWhiteSpace()
    try literal("null")
  }

  private mutating func literal(_ word: StaticString) throws(JSONError) {
    let matches = word.withUTF8Buffer { word in
      position + word.count <= bytes.count && word.indices.allSatisfy { bytes[position + $0] == word[$0] }
    }
    guard matches else { throw expected("\(word)") }
    position += word.utf8CodeUnitCount
  }

  /// Reads a string: checks its content and returns its range, without decoding escapes.
  public mutating func string() throws(JSONError) -> Text {
    skipWhiteSpace()
    guard accept(UInt8(ascii: "\"")) else { throw expected("a string") }
    let start = position
    var hasEscapes = false
    while true {
      try skipUnescapedCharacters()
      switch peek {
      case UInt8(ascii: "\""):
        position += 1
        return Text(range: start..<position - 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try skipEscape()
      case let byte:
        guard position < bytes.count else { throw failure("unterminated string", at: start - 1) }
        throw failure("control character in a string; write it as \\u\(hexadecimal(byte, width: 4))")
      }
    }
  }

  /// Skips the characters of a string up to a quotation mark, an escape, a control character, or the end of the text.
  private mutating func skipUnescapedCharacters() throws(JSONError) {
    guard let base = bytes.baseAddress else { return }
    let start = position
    var notASCII: UInt64 = 0
    while position < bytes.count {
      let rest = bytes.count - position
      let block = ByteBlock(base + position, count: rest)
      let stops = block.escapedInJSON
      let highs = block.from(0x80)
      if stops == 0, rest >= ByteBlock.size {  // the next address does not depend on the result for this block
        notASCII |= highs
        position += ByteBlock.size
        continue
      }
      notASCII |= highs & ~stops & (stops &- 1)  // only bytes before the first stop
      position += min(stops.trailingZeroBitCount, rest)
      if stops != 0 { break }
    }
    guard notASCII != 0 else { return }
    let wellFormed = utf8Prefix(UnsafeBufferPointer(rebasing: bytes[start..<position]))
    guard wellFormed == position - start else {
      position = start + wellFormed
      throw failure("invalid UTF-8")
    }
  }

  private mutating func skipEscape() throws(JSONError) {
    let start = position
    position += 1
    switch peek {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      guard fourHexadecimalDigits(bytes, at: position + 1) != nil else {
        throw failure("\\u must be followed by four hexadecimal digits", at: start)
      }
      position += 5
    default:
      throw failure("invalid escape sequence", at: start)
    }
  }

  /// Appends the characters of a string as UTF-8, with escapes resolved. Returns false and appends nothing if the
  /// string contains an unpaired surrogate, because it then has no UTF-8 form.
  public func decode(_ text: Text, into output: inout [UInt8]) -> Bool {
    guard text.hasEscapes else {
      output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[text.range]))
      return true
    }
    let originalCount = output.count
    var index = text.range.lowerBound
    while index < text.range.upperBound {
      let unescaped = index
      index = firstIndex(of: UInt8(ascii: "\\"), in: index..<text.range.upperBound)
      output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[unescaped..<index]))
      guard index < text.range.upperBound else { break }
      let escape = bytes[index + 1]
      index += 2
      switch escape {
      case UInt8(ascii: "b"): output.append(0x08)
      case UInt8(ascii: "f"): output.append(0x0C)
      case UInt8(ascii: "n"): output.append(0x0A)
      case UInt8(ascii: "r"): output.append(0x0D)
      case UInt8(ascii: "t"): output.append(0x09)
      case UInt8(ascii: "u"):
        guard let scalar = unicodeEscape(at: &index) else {
          output.removeLast(output.count - originalCount)
          return false
        }
        output.append(contentsOf: UTF8.encode(scalar)!)  // not nil: every scalar has a UTF-8 form
      default: output.append(escape)
      }
    }
    return true
  }

  /// Returns the index of the first occurrence of the byte; the end of the range if the byte does not occur.
  private func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int {
    guard let base = bytes.baseAddress else { return range.upperBound }
    var index = range.lowerBound
    while index < range.upperBound {
      let found = ByteBlock(base + index, count: range.upperBound - index).equal(byte)
      index += found.trailingZeroBitCount  // the size of a block if the byte does not occur
      if found != 0 { break }
    }
    return min(index, range.upperBound)
  }

  /// Returns the scalar of a `\u` escape, or of a pair of them, whose digits begin at `index`; nil for an unpaired
  /// surrogate. Moves `index` to the end of the escape.
  private func unicodeEscape(at index: inout Int) -> Unicode.Scalar? {
    guard var value = fourHexadecimalDigits(bytes, at: index) else { return nil }
    index += 4
    if (0xD800..<0xDC00).contains(value), index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u"), let low = fourHexadecimalDigits(bytes, at: index + 2),
      (0xDC00..<0xE000).contains(low)
    {
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      index += 6
    }
    return Unicode.Scalar(value)
  }

  /// Reads a string and returns it decoded.
  public mutating func swiftString() throws(JSONError) -> String {
    let start = position
    let text = try string()
    var characters: [UInt8] = []
    guard decode(text, into: &characters) else { throw failure("unpaired surrogate", at: start) }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Returns whether the string, with escapes resolved, is equal to `word`.
  public func matches(_ text: Text, _ word: String) -> Bool {
    guard text.hasEscapes else {
      return text.range.count == word.utf8.count && bytes[text.range].elementsEqual(word.utf8)
    }
    var characters: [UInt8] = []
    return decode(text, into: &characters) && characters.elementsEqual(word.utf8)
  }

  // MARK: Numbers

  /// Reads a number and returns the range of its source text.
  public mutating func number() throws(JSONError) -> Range<Int> {
    skipWhiteSpace()
    let start = position
    guard peek == UInt8(ascii: "-") || peek &- UInt8(ascii: "0") < 10 else { throw expected("a number") }
    _ = accept(UInt8(ascii: "-"))
    if !accept(UInt8(ascii: "0")) { try digits() }
    if accept(UInt8(ascii: ".")) { try digits() }
    if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
      if !accept(UInt8(ascii: "+")) { _ = accept(UInt8(ascii: "-")) }
      try digits()
    }
    return start..<position
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    guard position > start else { throw expected("a digit") }
  }

  /// Reads a number without fraction or exponent that fits in an `Int`.
  public mutating func integer() throws(JSONError) -> Int {
    let range = try number()
    let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
    var value = 0
    for index in (range.lowerBound + (isNegative ? 1 : 0))..<range.upperBound {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { throw failure("\(excerpt(bytes[range])) is not an integer", at: range.lowerBound) }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.subtractingReportingOverflow(Int(digit))  // negative: Int.min has no negation
      guard !overflow, !carry else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
      value = sum
    }
    guard !isNegative else { return value }
    guard value != .min else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return -value
  }

  /// Reads a number and returns the nearest `Double`. A number that rounds to infinity is an error.
  public mutating func double() throws(JSONError) -> Double {
    let range = try number()
    let value = readDouble(UnsafeBufferPointer(rebasing: bytes[range]))
    guard value.isFinite else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return value
  }

  /// Reads a number and returns the nearest `Float`. A number that rounds to infinity is an error.
  public mutating func float() throws(JSONError) -> Float {
    let range = try number()
    let value = readFloat(UnsafeBufferPointer(rebasing: bytes[range]))
    guard value.isFinite else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return value
  }

  /// Returns the source text of a range.
  public func source(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

/// Returns the value of the four hexadecimal digits at `index`; nil if there are no four digits.
private func fourHexadecimalDigits(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32? {
  guard index + 4 <= bytes.count else { return nil }
  var value: UInt32 = 0
  for byte in bytes[index..<index + 4] {
    let digit: UInt8
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
    default: return nil
    }
    value = value << 4 | UInt32(digit)
  }
  return value
}
