/// Divides a template into tokens, as jinja2's lexer with `trim_blocks` and `lstrip_blocks` (jinja2/lexer.py): the
/// newline after a block is removed, and so is the white space between the start of a line and a block; `-` in a tag
/// removes all white space on its side, `+` keeps it.
struct Lexer {
  private let source: [UInt32]
  private var position = 0
  private var line = 1
  private(set) var tokens: [Token] = []
  /// True if the last tag ended at the end of a line.
  private var isAtLineStart = true
  /// The closing brackets of the open brackets in a tag.
  private var brackets: [String] = []

  /// Line ends become newlines, and the last newline is removed.
  init(_ text: String) {
    var source: [UInt32] = []
    var isAfterReturn = false
    for scalar in text.unicodeScalars {
      if scalar == "\n", isAfterReturn {
        isAfterReturn = false
        continue
      }
      isAfterReturn = scalar == "\r"
      source.append(isAfterReturn ? 10 : scalar.value)
    }
    if source.last == 10 { source.removeLast() }
    self.source = source
  }

  /// Returns the tokens of the template, with an end token.
  static func tokens(of text: String) throws(TemplateError) -> [Token] {
    var lexer = Lexer(text)
    while lexer.position < lexer.source.count { try lexer.readDataAndTag() }
    lexer.add(.end)
    return lexer.tokens
  }

  private mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

  private func failure(_ reason: String) -> TemplateError { TemplateError(reason: reason, line: line) }

  // MARK: - Characters

  private func peek(_ offset: Int = 0) -> UInt32 { position + offset < source.count ? source[position + offset] : 0 }

  private mutating func advance(_ count: Int = 1) {
    for _ in 0..<count {
      if peek() == 10 { line += 1 }
      position += 1
    }
  }

  private func isSpace(_ scalar: UInt32) -> Bool { MarkedScalar(scalar).isWhiteSpace }

  private mutating func skipSpace() { while position < source.count, isSpace(source[position]) { advance() } }

  // MARK: - Text and tags

  private mutating func readDataAndTag() throws(TemplateError) {
    let start = position
    var end = position
    while end < source.count, !isTagBegin(end) { end += 1 }
    guard end < source.count else {
      addData(source[start...])
      advance(end - start)
      return
    }
    let tag = source[end + 1]  // {, % or #
    let sign = end + 2 < source.count ? source[end + 2] : 0
    addData(stripped(source[start..<end], tag, sign))
    advance(end - start + 2)
    if sign == 0x2D || sign == 0x2B { advance() }
    switch tag {
    case 0x7B: try readTag(isBlock: false)
    case 0x23: try skipComment()
    default:
      if let length = rawTagLength(end) {
        advance(end + length - position)
        try readRaw()
      } else {
        try readTag(isBlock: true)
      }
    }
  }

  private func isTagBegin(_ index: Int) -> Bool {
    guard source[index] == 0x7B, index + 1 < source.count else { return false }
    return source[index + 1] == 0x7B || source[index + 1] == 0x25 || source[index + 1] == 0x23
  }

  /// Returns the text before a tag without the white space that the tag removes.
  private func stripped(_ data: ArraySlice<UInt32>, _ tag: UInt32, _ sign: UInt32) -> ArraySlice<UInt32> {
    var end = data.endIndex
    while end > data.startIndex, isSpace(data[end - 1]), sign == 0x2D || data[end - 1] != 10 { end -= 1 }
    if sign == 0x2D { return data[..<end] }
    guard sign != 0x2B, tag != 0x7B else { return data }
    let isLineStart = end > data.startIndex ? data[end - 1] == 10 : isAtLineStart
    return isLineStart ? data[..<end] : data
  }

  private mutating func addData(_ data: ArraySlice<UInt32>) {
    if !data.isEmpty { add(.data(data.map { MarkedScalar($0) })) }
  }

  private mutating func skipComment() throws(TemplateError) {
    var end = position
    while end + 1 < source.count, source[end] != 0x23 || source[end + 1] != 0x7D { end += 1 }
    guard end + 1 < source.count else { throw failure("the end of the comment, #}, is missing") }
    let sign = end > position ? source[end - 1] : 0
    advance(end - position)
    endTag(sign: sign, trimsNewline: true)
  }

  /// Skips the last two characters of a tag, and the white space after it that it removes.
  private mutating func endTag(sign: UInt32, trimsNewline: Bool) {
    let start = position
    advance(2)
    if sign == 0x2D { skipSpace() } else if trimsNewline, sign != 0x2B, peek() == 10 { advance() }
    isAtLineStart = position > start + 2 && source[position - 1] == 10
  }

  /// Returns the length of a tag `{% raw %}` at this index; nil if there is another tag.
  private func rawTagLength(_ start: Int) -> Int? {
    var index = start + 2
    func at(_ index: Int) -> UInt32 { index < source.count ? source[index] : 0 }
    func skipSpace() { while isSpace(at(index)) { index += 1 } }
    if at(index) == 0x2D || at(index) == 0x2B { index += 1 }
    skipSpace()
    for letter in "raw".unicodeScalars {
      guard at(index) == letter.value else { return nil }
      index += 1
    }
    skipSpace()
    let isStripping = at(index) == 0x2D
    if isStripping { index += 1 }
    guard at(index) == 0x25, at(index + 1) == 0x7D else { return nil }
    index += 2
    if isStripping { skipSpace() }
    return index - start
  }

  /// Reads the text up to `{% endraw %}`.
  private mutating func readRaw() throws(TemplateError) {
    let start = position
    isAtLineStart = position > 0 && source[position - 1] == 10
    var index = position
    while index < source.count {
      defer { index += 1 }
      guard source[index] == 0x7B, index + 1 < source.count, source[index + 1] == 0x25 else { continue }
      var end = index + 2
      let sign = end < source.count ? source[end] : 0
      if sign == 0x2D || sign == 0x2B { end += 1 }
      while end < source.count, isSpace(source[end]) { end += 1 }
      guard source[end...].starts(with: "endraw".unicodeScalars.map(\.value)) else { continue }
      end += 6
      while end < source.count, isSpace(source[end]) { end += 1 }
      let endSign = end < source.count ? source[end] : 0
      if endSign == 0x2D || endSign == 0x2B { end += 1 }
      guard end + 1 < source.count, source[end] == 0x25, source[end + 1] == 0x7D else { continue }
      addData(stripped(source[start..<index], 0x25, sign))
      advance(end - position)
      return endTag(sign: endSign, trimsNewline: true)
    }
    throw failure("the end of the raw block, {% endraw %}, is missing")
  }

  // MARK: - Tokens in tags

  private mutating func readTag(isBlock: Bool) throws(TemplateError) {
    add(isBlock ? .blockBegin : .variableBegin)
    brackets = []
    let closing: UInt32 = isBlock ? 0x25 : 0x7D
    while true {
      skipSpace()
      guard position < source.count else { throw failure("the end of the tag is missing") }
      if brackets.isEmpty {
        let hasSign = peek() == 0x2D || isBlock && peek() == 0x2B
        if peek(hasSign ? 1 : 0) == closing, peek(hasSign ? 2 : 1) == 0x7D {
          add(isBlock ? .blockEnd : .variableEnd)
          let sign = hasSign ? peek() : 0
          if hasSign { advance() }
          return endTag(sign: sign, trimsNewline: isBlock)
        }
      }
      try readToken()
    }
  }

  private mutating func readToken() throws(TemplateError) {
    let first = peek()
    if 0x30...0x39 ~= first { return try readNumber() }
    if first == 0x27 || first == 0x22 { return try readText(quote: first) }
    if Self.isNameStart(first) { return readName() }
    for symbol in Self.symbols where source[position...].starts(with: symbol.unicodeScalars.map(\.value)) {
      switch symbol {
      case "{": brackets.append("}")
      case "(": brackets.append(")")
      case "[": brackets.append("]")
      case "}", ")", "]":
        guard let expected = brackets.popLast() else { throw failure("unexpected \"\(symbol)\"") }
        guard expected == symbol else { throw failure("unexpected \"\(symbol)\", expected \"\(expected)\"") }
      default: break
      }
      add(.symbol(symbol))
      advance(symbol.utf8.count)
      return
    }
    throw failure("unexpected character \"\(Unicode.Scalar(first).map(Character.init) ?? "?")\"")
  }

  /// Longer symbols first.
  private static let symbols = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
  ]

  private static func isNameStart(_ scalar: UInt32) -> Bool {
    if scalar < 0x80 { return scalar == 0x5F || 0x61...0x7A ~= scalar | 0x20 }
    return MarkedScalar(scalar).properties.isXIDStart
  }

  private mutating func readName() {
    let start = position
    while position < source.count {
      let scalar = source[position]
      let isPart =
        scalar < 0x80
        ? Self.isNameStart(scalar) || 0x30...0x39 ~= scalar : MarkedScalar(scalar).properties.isXIDContinue
      guard isPart else { break }
      position += 1
    }
    add(.name(source[start..<position].map { MarkedScalar($0) }.string))
  }

  private mutating func readNumber() throws(TemplateError) {
    let start = position
    let isAfterPoint = start > 0 && source[start - 1] == 0x2E
    func digits(_ index: Int, _ radix: Int) -> Int {
      var index = index
      while index < source.count {
        let isSeparator = source[index] == 0x5F && index > start
        let digit = Unicode.Scalar(source[index]).flatMap { $0.isASCII ? Character($0).hexDigitValue : nil } ?? 99
        let next =
          index + 1 < source.count ? Unicode.Scalar(source[index + 1]).flatMap { Character($0).hexDigitValue } : nil
        guard digit < radix || isSeparator && next ?? 99 < radix else { break }
        index += 1
      }
      return index
    }
    func text(_ range: Range<Int>) -> String { source[range].filter { $0 != 0x5F }.map { MarkedScalar($0) }.string }
    let radix: Int? =
      switch peek(1) | 0x20 {
      case 0x62 where peek() == 0x30: 2
      case 0x6F where peek() == 0x30: 8
      case 0x78 where peek() == 0x30: 16
      default: nil
      }
    if let radix, digits(start + 2, radix) > start + 2 {
      let end = digits(start + 2, radix)
      guard let value = Int(text(start + 2..<end), radix: radix) else { throw failure("the number is too large") }
      add(.integer(value))
      position = end
      return
    }
    var end = digits(start, 10)
    let integerEnd = end
    if !isAfterPoint {
      if end < source.count, source[end] == 0x2E, digits(end + 1, 10) > end + 1 { end = digits(end + 1, 10) }
      if end < source.count, source[end] | 0x20 == 0x65 {
        var exponent = end + 1
        if exponent < source.count, source[exponent] == 0x2B || source[exponent] == 0x2D { exponent += 1 }
        if digits(exponent, 10) > exponent { end = digits(exponent, 10) }
      }
    }
    position = end
    if end > integerEnd {
      guard let value = Double(text(start..<end)) else { throw failure("invalid number") }
      add(.float(value))
    } else {
      guard let value = Int(text(start..<end)) else { throw failure("the number is too large: 64 bits are supported") }
      guard source[start] != 0x30 || value == 0 else { throw failure("a number begins with 0") }
      add(.integer(value))
    }
  }

  private mutating func readText(quote: UInt32) throws(TemplateError) {
    var text: MarkedText = []
    let begin = line
    advance()
    while true {
      guard position < source.count else {
        throw TemplateError(reason: "the end of the string is missing", line: begin)
      }
      let scalar = peek()
      if scalar == quote { break }
      if scalar == 0x5C {
        text += try readEscape().map { MarkedScalar($0) }
      } else {
        text.append(MarkedScalar(scalar))
        advance()
      }
    }
    tokens.append(Token(kind: .text(text), line: begin))
    advance()
  }

  /// Reads an escape sequence, as Python's codec `unicode-escape`.
  private mutating func readEscape() throws(TemplateError) -> [UInt32] {
    advance()
    let letter = peek()
    if position < source.count { advance() }
    func number(digits: Int, radix: Int) -> (value: UInt32, count: Int) {
      var (value, count): (UInt32, Int) = (0, 0)
      while count < digits, peek(count) < 0x80, let scalar = Unicode.Scalar(peek(count)),
        let digit = Character(scalar).hexDigitValue, digit < radix
      {
        value = value &* UInt32(radix) &+ UInt32(digit)
        count += 1
      }
      return (value, count)
    }
    switch Unicode.Scalar(letter) {
    case "\n": return []
    case "\\", "'", "\"": return [letter]
    case "a": return [7]
    case "b": return [8]
    case "f": return [12]
    case "n": return [10]
    case "r": return [13]
    case "t": return [9]
    case "v": return [11]
    case "0", "1", "2", "3", "4", "5", "6", "7":
      position -= 1
      let (value, count) = number(digits: 3, radix: 8)
      advance(count)
      return [value]
    case "x", "u", "U":
      let length = letter == 0x78 ? 2 : letter == 0x75 ? 4 : 8
      let (value, count) = number(digits: length, radix: 16)
      guard count == length, Unicode.Scalar(value) != nil else {
        throw failure("an escape sequence in a string is no Unicode character")
      }
      advance(count)
      return [value]
    case "N": throw failure("\\N in a string is not implemented")
    default: return [0x5C] + (letter == 0 ? [] : [letter])
    }
  }
}
