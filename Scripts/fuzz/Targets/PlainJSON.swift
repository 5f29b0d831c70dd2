/// A JSON text (RFC 8259) as a tree, parsed in the simplest way: one function for each rule of the grammar. It is slow,
/// and recursive, so it is for short texts.
indirect enum PlainJSON: Equatable {
  case null
  case boolean(Bool)
  /// As it is spelled.
  case number(String)
  /// The UTF-16 code units, which may contain unpaired surrogates from escapes.
  case string([UInt16])
  case array([PlainJSON])
  case object([Member])

  struct Member: Equatable {
    let name: [UInt16]
    let value: PlainJSON
  }

  /// Nil if the text is not JSON.
  init?(_ text: some Sequence<UInt8>) {
    var reader = Reader(text: Array(text))
    guard let value = reader.value() else { return nil }
    reader.skipSpace()
    guard reader.next == reader.text.count else { return nil }
    self = value
  }

  /// Returns the values of all members with this name.
  func values(of name: String) -> [PlainJSON] {
    guard case .object(let members) = self else { return [] }
    return members.filter { $0.name.elementsEqual(name.utf16) }.map(\.value)
  }

  /// The UTF-8 of a string; nil for other values and for unpaired surrogates.
  var characters: [UInt8]? {
    guard case .string(let units) = self else { return nil }
    return PlainJSON.characters(of: units)
  }

  /// Converts UTF-16 to UTF-8; nil if it contains an unpaired surrogate.
  static func characters(of units: [UInt16]) -> [UInt8]? {
    String(validating: units, as: UTF16.self).map { Array($0.utf8) }
  }

  private struct Reader {
    let text: [UInt8]
    var next = 0

    private var peek: UInt8? { next < text.count ? text[next] : nil }

    mutating func skipSpace() {
      while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { next += 1 }
    }

    private mutating func accept(_ word: String) -> Bool {
      guard text[next...].starts(with: word.utf8) else { return false }
      next += word.utf8.count
      return true
    }

    mutating func value() -> PlainJSON? {
      skipSpace()
      switch peek {
      case UInt8(ascii: "{"): return object()
      case UInt8(ascii: "["): return array()
      case UInt8(ascii: "\""): return string().map { .string($0) }
      case UInt8(ascii: "t"): return accept("true") ? .boolean(true) : nil
      case UInt8(ascii: "f"): return accept("false") ? .boolean(false) : nil
      case UInt8(ascii: "n"): return accept("null") ? .null : nil
      default: return number()
      }
    }

    private mutating func object() -> PlainJSON? {
      var members: [Member] = []
      next += 1
      skipSpace()
      if accept("}") { return .object([]) }
      repeat {
        skipSpace()
        guard let name = string() else { return nil }
        skipSpace()
        guard accept(":"), let value = value() else { return nil }
        members.append(Member(name: name, value: value))
        skipSpace()
      } while accept(",")
      return accept("}") ? .object(members) : nil
    }

    private mutating func array() -> PlainJSON? {
      var elements: [PlainJSON] = []
      next += 1
      skipSpace()
      if accept("]") { return .array([]) }
      repeat {
        guard let element = value() else { return nil }
        elements.append(element)
        skipSpace()
      } while accept(",")
      return accept("]") ? .array(elements) : nil
    }

    private mutating func number() -> PlainJSON? {
      let start = next
      func isDigit(_ byte: UInt8?) -> Bool {
        byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
      }
      func skipDigits(_ reader: inout Reader) -> Bool {
        guard isDigit(reader.peek) else { return false }
        while isDigit(reader.peek) { reader.next += 1 }
        return true
      }
      _ = accept("-")
      if !accept("0") { guard skipDigits(&self) else { return nil } }
      if accept(".") { guard skipDigits(&self) else { return nil } }
      if accept("e") || accept("E") {
        if !accept("+") { _ = accept("-") }
        guard skipDigits(&self) else { return nil }
      }
      return .number(String(decoding: text[start..<next], as: UTF8.self))
    }

    private mutating func string() -> [UInt16]? {
      guard accept("\"") else { return nil }
      var units: [UInt16] = []
      var plain: [UInt8] = []
      func takePlain() -> Bool {
        guard let characters = String(validating: plain, as: UTF8.self) else { return false }
        units += characters.utf16
        plain = []
        return true
      }
      while let byte = peek {
        next += 1
        switch byte {
        case UInt8(ascii: "\""): return takePlain() ? units : nil
        case 0..<0x20: return nil
        case UInt8(ascii: "\\"):
          guard takePlain(), let unit = escape() else { return nil }
          units.append(unit)
        default: plain.append(byte)
        }
      }
      return nil
    }

    private mutating func escape() -> UInt16? {
      guard let letter = peek else { return nil }
      next += 1
      switch letter {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(letter)
      case UInt8(ascii: "b"): return 8
      case UInt8(ascii: "f"): return 12
      case UInt8(ascii: "n"): return 10
      case UInt8(ascii: "r"): return 13
      case UInt8(ascii: "t"): return 9
      case UInt8(ascii: "u"):
        let digits = text[next...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }) else {
          return nil
        }
        next += 4
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
      default: return nil
      }
    }
  }
}
