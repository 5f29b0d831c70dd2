/// Returns bytes as text for a message or a table. Characters that are invisible or would control the terminal are
/// escaped: `\n`, `\u{1B}`, or `\xE9` for a byte that is not part of well-formed UTF-8.
///
/// - Parameters:
///   - isUTF8: if false, all characters that are not ASCII are escaped.
///   - marks: characters to escape with a backslash, such as the quotation mark that encloses the text.
public func escaped(_ bytes: some Sequence<UInt8>, isUTF8: Bool = true, marks: String = "") -> String {
  var text = ""
  var parser = Unicode.UTF8.ForwardParser()
  var rest = Array(bytes)[...]
  while true {
    var input = rest.makeIterator()
    switch parser.parseScalar(from: &input) {
    case .valid(let encoded):
      let scalar = Unicode.UTF8.decode(encoded)
      if marks.unicodeScalars.contains(scalar) { text += "\\" }
      text += escaped(scalar, isUTF8: isUTF8)
      rest = rest.dropFirst(encoded.count)
    case .error(let length):
      for byte in rest.prefix(length) { text += "\\x\(hexadecimal(byte, uppercase: true))" }
      rest = rest.dropFirst(length)
    case .emptyInput:
      return text
    }
    parser = Unicode.UTF8.ForwardParser()  // discards the bytes that the parser has read ahead
  }
}

private func escaped(_ scalar: Unicode.Scalar, isUTF8: Bool) -> String {
  switch scalar {
  case "\n": return "\\n"
  case "\t": return "\\t"
  case "\r": return "\\r"
  case " "..."~": return String(scalar)
  default:
    let isVisible =
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
      default: isUTF8
      }
    return isVisible ? String(scalar) : "\\u{\(hexadecimal(scalar.value, uppercase: true))}"
  }
}

/// Returns the hexadecimal digits of a number that is not negative, with leading zeros up to `width` digits:
/// `hexadecimal(UInt8(10), width: 2)` is `0a`.
public func hexadecimal(_ number: some BinaryInteger, width: Int = 1, uppercase: Bool = false) -> String {
  let digits = String(number, radix: 16, uppercase: uppercase)
  return String(repeating: "0", count: max(width - digits.count, 0)) + digits
}
