/// A cursor over one JSON text (RFC 8259). It builds no tree: the caller asks for what it expects to stand next, and
/// what it does not need it skips, learning where the source text of that value lies.
///
/// Everything it passes over is checked: grammar, UTF-8, escapes. Nesting costs no stack.
///
/// Unsafe pointers: `bytes` is borrowed and must outlive the scanner; no read happens at or past `bytes.count`
/// (`peek` answers 0 there, a byte that no JSON text contains).
public struct JSONScanner {
  public let bytes: UnsafeBufferPointer<UInt8>
  public internal(set) var position: Int

  /// Starts at `position`; `bytes` is the whole text, so that offsets in errors are offsets in it.
  public init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  public enum Kind { case object, array, string, number, boolean, null }

  /// A string's content between its quotation marks, as it stands in the text.
  public struct Text {
    public let range: Range<Int>
    /// False if there is none; true if there may be some.
    public let hasEscapes: Bool

    public init(range: Range<Int>, hasEscapes: Bool) {
      self.range = range
      self.hasEscapes = hasEscapes
    }
  }

  // MARK: what stands next

  @inline(__always)
  private var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

  public mutating func skipWhiteSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Skips white space and tells what kind of value begins there.
  public mutating func kind() throws(JSONError) -> Kind {
    skipWhiteSpace()
    switch peek {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    default: throw unexpected("a value")
    }
  }

  /// Nothing but white space may be left.
  public mutating func end() throws(JSONError) {
    skipWhiteSpace()
    guard position == bytes.count else { throw failure("something follows the end of the value") }
  }

  public func failure(_ reason: String, at offset: Int? = nil) -> JSONError {
    JSONError(offset: offset ?? position, reason: reason)
  }

  private func unexpected(_ wanted: String) -> JSONError {
    guard position < bytes.count else { return failure("the text ends where \(wanted) should be") }
    let byte = bytes[position]
    let found =
      byte > 0x20 && byte < 0x7F ? "“\(Character(Unicode.Scalar(byte)))”" : "byte 0x\(String(byte, radix: 16))"
    return failure("\(found) stands where \(wanted) should be")
  }

  @inline(__always)
  private mutating func accept(_ byte: UInt8) -> Bool {
    guard peek == byte, position < bytes.count else { return false }
    position += 1
    return true
  }

  // MARK: objects and arrays

  /// Visits the members of an object in order. `visit` is given the name and must consume the value.
  @inlinable
  public mutating func object(_ visit: (Text, inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
    guard try beginObject() else { return }
    repeat {
      let name = try memberName()
      try visit(name, &self)
    } while try another(closing: UInt8(ascii: "}"))
  }

  /// Visits the elements of an array in order. `visit` must consume the element.
  @inlinable
  public mutating func array(_ visit: (inout JSONScanner) throws(JSONError) -> Void) throws(JSONError) {
    guard try beginArray() else { return }
    repeat {
      try visit(&self)
    } while try another(closing: UInt8(ascii: "]"))
  }

  /// Enters an object; false where it is empty, and then it has been left again.
  public mutating func beginObject() throws(JSONError) -> Bool {
    try begin(UInt8(ascii: "{"), "an object", closing: UInt8(ascii: "}"))
  }

  /// Enters an array; false where it is empty, and then it has been left again.
  public mutating func beginArray() throws(JSONError) -> Bool {
    try begin(UInt8(ascii: "["), "an array", closing: UInt8(ascii: "]"))
  }

  private mutating func begin(_ opening: UInt8, _ what: String, closing: UInt8) throws(JSONError) -> Bool {
    skipWhiteSpace()
    guard accept(opening) else { throw unexpected(what) }
    skipWhiteSpace()
    return !accept(closing)
  }

  /// After a member or element: true past a comma, false past the closing bracket.
  public mutating func another(closing: UInt8) throws(JSONError) -> Bool {
    skipWhiteSpace()
    if accept(UInt8(ascii: ",")) { return true }
    if accept(closing) { return false }
    throw unexpected("a comma or “\(Character(Unicode.Scalar(closing)))”")
  }

  /// A member's name and the colon behind it.
  public mutating func memberName() throws(JSONError) -> Text {
    skipWhiteSpace()
    guard peek == UInt8(ascii: "\"") else { throw unexpected("a member's name in quotation marks") }
    let name = try string()
    skipWhiteSpace()
    guard accept(UInt8(ascii: ":")) else { throw unexpected("a colon") }
    return name
  }

  /// Passes over the value that stands next and returns the range of its source text.
  ///
  /// - Parameter allowsConstants: `NaN`, `Infinity` and `-Infinity` are numbers too, as Python's `json` module writes them
  ///   unless it is told not to.
  public mutating func skipValue(allowsConstants: Bool = false) throws(JSONError) -> Range<Int> {
    skipWhiteSpace()
    let start = position
    var closings: [UInt8] = []  // of the brackets that are open: a stack of our own, as deep as the text likes
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
          skipPlainNumbers()
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
          if closing == UInt8(ascii: "}") { _ = try memberName() } else if kind == .number { skipPlainNumbers() }
          break
        }
        closings.removeLast()
      }
    } while !closings.isEmpty
    return start..<position
  }

  /// Passes over one of the numbers without digits that Python's `json` module writes. False if none stands next.
  private mutating func skipConstant() -> Bool {
    skipWhiteSpace()
    let rest = bytes[position...]
    for constant in ["NaN", "Infinity", "-Infinity"] where rest.starts(with: constant.utf8) {
      position += constant.utf8.count
      return true
    }
    return false
  }

  // MARK: literals and strings

  public mutating func boolean() throws(JSONError) -> Bool {
    skipWhiteSpace()
    if peek == UInt8(ascii: "t") {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  public mutating func null() throws(JSONError) {
    skipWhiteSpace()
    try literal("null")
  }

  private mutating func literal(_ word: StaticString) throws(JSONError) {
    let matches = word.withUTF8Buffer { word in
      position + word.count <= bytes.count && word.indices.allSatisfy { bytes[position + $0] == word[$0] }
    }
    guard matches else { throw unexpected("\(word)") }
    position += word.utf8CodeUnitCount
  }

  /// A string: its quotation marks are passed, its content is checked and left where it is.
  public mutating func string() throws(JSONError) -> Text {
    skipWhiteSpace()
    guard accept(UInt8(ascii: "\"")) else { throw unexpected("a string") }
    let start = position
    var hasEscapes = false
    while true {
      try skipPlainCharacters()
      switch peek {
      case UInt8(ascii: "\""):
        position += 1
        return Text(range: start..<position - 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try skipEscape()
      case let byte:
        guard position < bytes.count else { throw failure("the string that begins here has no end", at: start - 1) }
        throw failure(
          "a control character stands in a string; write it as \\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      }
    }
  }

  /// Passes over a string's characters, up to a quotation mark, an escape, what may not stand there, or the end.
  private mutating func skipPlainCharacters() throws(JSONError) {
    guard let base = bytes.baseAddress else { return }
    let start = position
    var notASCII: UInt64 = 0
    while position < bytes.count {
      let rest = bytes.count - position
      let block = ByteBlock(base + position, count: rest)
      let stops = block.escapedInJSON
      let highs = block.from(0x80)
      if stops == 0, rest >= ByteBlock.size {  // the next block's place is known before this one has been looked at
        notASCII |= highs
        position += ByteBlock.size
        continue
      }
      notASCII |= highs & ~stops & (stops &- 1)  // of those before the first stop
      position += min(stops.trailingZeroBitCount, rest)
      if stops != 0 { break }
    }
    guard notASCII != 0 else { return }
    let wellFormed = utf8Prefix(UnsafeBufferPointer(rebasing: bytes[start..<position]))
    guard wellFormed == position - start else {
      position = start + wellFormed
      throw failure("this is not UTF-8")
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
      guard hexadecimal(bytes, at: position + 1) != nil else {
        throw failure("\\u wants four hexadecimal digits", at: start)
      }
      position += 5
    default:
      throw failure("there is no such escape", at: start)
    }
  }

  /// Appends a string's characters, escapes resolved, as UTF-8. False, with nothing appended, where an escape names
  /// half of a surrogate pair: such a string has no UTF-8 form.
  public func decode(_ text: Text, into output: inout [UInt8]) -> Bool {
    guard text.hasEscapes else {
      output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[text.range]))
      return true
    }
    let originalCount = output.count
    var index = text.range.lowerBound
    while index < text.range.upperBound {
      let plain = index
      index = firstIndex(of: UInt8(ascii: "\\"), in: index..<text.range.upperBound)
      output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[plain..<index]))
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
        output.append(contentsOf: UTF8.encode(scalar)!)  // every scalar has a UTF-8 form
      default: output.append(escape)
      }
    }
    return true
  }

  /// Where the byte stands first; the range's end where it does not.
  private func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int {
    guard let base = bytes.baseAddress else { return range.upperBound }
    var index = range.lowerBound
    while index < range.upperBound {
      let found = ByteBlock(base + index, count: range.upperBound - index).equal(byte)
      index += found.trailingZeroBitCount  // a block's size where there is none
      if found != 0 { break }
    }
    return min(index, range.upperBound)
  }

  /// The scalar of the escape (or pair of escapes) whose digits begin at `index`, which moves behind it.
  private func unicodeEscape(at index: inout Int) -> Unicode.Scalar? {
    guard var value = hexadecimal(bytes, at: index) else { return nil }
    index += 4
    if (0xD800..<0xDC00).contains(value), index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
      bytes[index + 1] == UInt8(ascii: "u"), let low = hexadecimal(bytes, at: index + 2),
      (0xDC00..<0xE000).contains(low)
    {
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      index += 6
    }
    return Unicode.Scalar(value)
  }

  /// A string that is wanted as a Swift string.
  public mutating func swiftString() throws(JSONError) -> String {
    let start = position
    let text = try string()
    var characters: [UInt8] = []
    guard decode(text, into: &characters) else { throw failure("half of a surrogate pair is no character", at: start) }
    return String(decoding: characters, as: UTF8.self)
  }

  /// Whether the string reads `word`.
  public func matches(_ text: Text, _ word: String) -> Bool {
    guard text.hasEscapes else {
      return text.range.count == word.utf8.count && bytes[text.range].elementsEqual(word.utf8)
    }
    var characters: [UInt8] = []
    return decode(text, into: &characters) && characters.elementsEqual(word.utf8)
  }

  // MARK: numbers

  /// Passes over a number and returns the range of its source text.
  public mutating func number() throws(JSONError) -> Range<Int> {
    skipWhiteSpace()
    let start = position
    guard peek == UInt8(ascii: "-") || peek &- UInt8(ascii: "0") < 10 else { throw unexpected("a number") }
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
    guard position > start else { throw unexpected("a digit") }
  }

  /// A number without fraction or exponent that fits an `Int`.
  public mutating func integer() throws(JSONError) -> Int {
    let range = try number()
    let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
    var value = 0
    for index in (range.lowerBound + (isNegative ? 1 : 0))..<range.upperBound {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { throw failure("\(excerpt(bytes[range])) is not an integer", at: range.lowerBound) }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.subtractingReportingOverflow(Int(digit))  // downwards: Int.min has no positive twin
      guard !overflow, !carry else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
      value = sum
    }
    guard !isNegative else { return value }
    guard value != .min else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return -value
  }

  public mutating func double() throws(JSONError) -> Double {
    let range = try number()
    let value = readDouble(UnsafeBufferPointer(rebasing: bytes[range]))
    guard value.isFinite else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return value
  }

  public mutating func float() throws(JSONError) -> Float {
    let range = try number()
    let value = readFloat(UnsafeBufferPointer(rebasing: bytes[range]))
    guard value.isFinite else { throw failure("\(excerpt(bytes[range])) is too large", at: range.lowerBound) }
    return value
  }

  /// The text of a range.
  public func source(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

private func hexadecimal(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32? {
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
