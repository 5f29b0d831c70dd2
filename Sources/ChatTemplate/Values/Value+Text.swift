extension Interpreter {
  /// Returns the text of a value, as Python's `str`.
  func text(of value: Value) throws(TemplateError) -> MarkedText {
    switch value {
    case .text(let text): return text
    case .undefined: return []
    default: return try representation(of: value)
    }
  }

  /// Returns the text of a value within a list, as Python's `repr`.
  func representation(of value: Value) throws(TemplateError) -> MarkedText {
    var writer = RepresentationWriter(interpreter: self)
    try writer.append(value)
    return writer.text
  }
}

/// Writes values as Python's `repr`.
private struct RepresentationWriter {
  let interpreter: Interpreter
  private(set) var text: MarkedText = []

  init(interpreter: Interpreter) { self.interpreter = interpreter }

  private mutating func append(_ string: String) { text += MarkedText(string) }

  mutating func append(_ value: Value) throws(TemplateError) {
    try interpreter.step()
    switch value {
    case .undefined: append("Undefined")
    case .none: append("None")
    case .boolean(let flag): append(flag ? "True" : "False")
    case .integer(let number): append("\(number)")
    case .float(let number): text += MarkedText(number)
    case .text(let text), .markup(let text): try append(quoting: text)
    case .list(let list): try append(list)
    case .dictionary(let dictionary):
      append("{")
      try append(dictionary.members)
      append("}")
    case .namespace: throw interpreter.failure("a namespace cannot be printed")
    case .generator: throw interpreter.failure("a generator cannot be printed; |list makes a list of it")
    case .function: throw interpreter.failure("a function cannot be printed")
    case .loop: throw interpreter.failure("loop cannot be printed")
    }
  }

  private mutating func append(_ members: [(key: Value, value: Value)]) throws(TemplateError) {
    for (index, member) in members.enumerated() {
      if index > 0 { append(", ") }
      try append(member.key)
      append(": ")
      try append(member.value)
    }
  }

  private mutating func append(_ list: List) throws(TemplateError) {
    let (opening, closing): (String, String)
    switch list.kind {
    case .list: (opening, closing) = ("[", "]")
    case .tuple: (opening, closing) = ("(", list.elements.count == 1 ? ",)" : ")")
    case .keys: (opening, closing) = ("dict_keys([", "])")
    case .values: (opening, closing) = ("dict_values([", "])")
    case .items: (opening, closing) = ("dict_items([", "])")
    case .range(let description): return append(description)
    }
    append(opening)
    for (index, element) in list.elements.enumerated() {
      if index > 0 { append(", ") }
      try append(element)
    }
    append(closing)
  }

  /// Appends a string literal: with double quotation marks if it contains single ones only.
  private mutating func append(quoting string: MarkedText) throws(TemplateError) {
    try interpreter.spend(string.count)
    let single = MarkedScalar(0x27)
    let quote = string.contains(single) && !string.contains(MarkedScalar(0x22)) ? MarkedScalar(0x22) : single
    text.append(quote)
    for scalar in string {
      let escape: String? =
        switch scalar.value {
        case 0x5C: "\\\\"
        case quote.value: "\\" + [quote].string
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case 0..<0x20, 0x7F..<0xA1, 0xAD: "\\x" + hexadecimal(scalar.value, 2)
        case 0x80... where !scalar.isPrintable:
          scalar.value > 0xFFFF
            ? "\\U" + hexadecimal(scalar.value, 8)
            : scalar.value > 0xFF ? "\\u" + hexadecimal(scalar.value, 4) : "\\x" + hexadecimal(scalar.value, 2)
        default: nil
        }
      if let escape {
        text += escape.unicodeScalars.map { MarkedScalar($0.value, isInput: scalar.isInput) }
      } else {
        text.append(scalar)
      }
    }
    text.append(quote)
  }
}

/// Returns the digits of a number in lower case, with zeros before them.
func hexadecimal(_ value: UInt32, _ width: Int) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension MarkedScalar {
  /// True for scalars that Python's `repr` does not escape.
  var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: value == 0x20
    default: true
    }
  }
}
