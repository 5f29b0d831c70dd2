/// Bytes as text for a message or a table. What does not show, or would control the terminal, is escaped: `\n`, `\u{1B}`,
/// or `\xE9` for a byte that is not part of well-formed UTF-8.
///
/// - Parameters:
///   - isUTF8: false escapes every character that is not ASCII.
///   - marks: characters that get a backslash, such as the quotation mark that encloses the text.
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
      for byte in rest.prefix(length) { text += "\\x\(hexadecimal(byte))" }
      rest = rest.dropFirst(length)
    case .emptyInput:
      return text
    }
    parser = Unicode.UTF8.ForwardParser()  // drops the bytes that it has read ahead
  }
}

private func escaped(_ scalar: Unicode.Scalar, isUTF8: Bool) -> String {
  switch scalar {
  case "\n": return "\\n"
  case "\t": return "\\t"
  case "\r": return "\\r"
  case " "..."~": return String(scalar)
  default:
    let shows =
      switch scalar.properties.generalCategory {
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
      default: isUTF8
      }
    return shows ? String(scalar) : "\\u{\(hexadecimal(scalar.value))}"
  }
}

private func hexadecimal(_ number: some BinaryInteger) -> String { String(number, radix: 16, uppercase: true) }
