/// Writes values as Python's `json.dumps` with the arguments of transformers' filter `tojson`. The strings of the input
/// keep their marks; the quotation marks around them are text of the template.
struct JSONText {
  let interpreter: Interpreter
  private(set) var text: MarkedText = []
  private let escapesNonASCII: Bool
  private let sortsKeys: Bool
  /// The white space of one level, or nil for one line.
  private let indent: MarkedText?
  private let itemSeparator: MarkedText
  private let keySeparator: MarkedText
  private var level = 0

  init(
    _ interpreter: Interpreter, escapesNonASCII: Bool, indent: MarkedText?, separators: (MarkedText, MarkedText)?,
    sortsKeys: Bool
  ) {
    self.interpreter = interpreter
    self.escapesNonASCII = escapesNonASCII
    self.indent = indent
    self.sortsKeys = sortsKeys
    (itemSeparator, keySeparator) = separators ?? (MarkedText(indent == nil ? ", " : ","), MarkedText(": "))
  }

  private mutating func append(_ string: String) { text += MarkedText(string) }

  mutating func append(_ value: Value) throws(TemplateError) {
    try interpreter.step()
    switch value {
    case .none: append("null")
    case .boolean(let flag): append(flag ? "true" : "false")
    case .integer(let number): append("\(number)")
    case .float(let number): text += Self.number(number)
    case .text(let text): try append(quoting: text)
    case .list(let list) where list.kind == .list || list.kind == .tuple: try append(list.elements)
    case .dictionary(let dictionary): try append(dictionary)
    case .undefined(let message): throw interpreter.failure("tojson: \(message)")
    default: throw interpreter.failure("tojson: a value of type \(value.typeName) has no JSON form")
    }
  }

  private static func number(_ number: Double) -> MarkedText {
    number.isFinite ? MarkedText(number) : MarkedText(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
  }

  private mutating func append(_ elements: [Value]) throws(TemplateError) {
    guard !elements.isEmpty else { return append("[]") }
    append("[")
    level += 1
    for (index, element) in elements.enumerated() {
      if index > 0 { text += itemSeparator }
      try appendLineBreak()
      try append(element)
    }
    level -= 1
    try appendLineBreak()
    append("]")
  }

  private mutating func append(_ dictionary: Dictionary) throws(TemplateError) {
    guard !dictionary.members.isEmpty else { return append("{}") }
    append("{")
    level += 1
    let members = sortsKeys ? try interpreter.sorted(dictionary.members) { $0.key } : dictionary.members
    for (index, member) in members.enumerated() {
      if index > 0 { text += itemSeparator }
      try appendLineBreak()
      switch member.key {
      case .text(let key): try append(quoting: key)
      case .none: append("\"null\"")
      case .boolean(let flag): append(flag ? "\"true\"" : "\"false\"")
      case .integer(let number): append("\"\(number)\"")
      case .float(let number): text += MarkedText("\"") + Self.number(number) + MarkedText("\"")
      default: throw interpreter.failure("tojson: a key of type \(member.key.typeName) has no JSON form")
      }
      text += keySeparator
      try append(member.value)
    }
    level -= 1
    try appendLineBreak()
    append("}")
  }

  private mutating func appendLineBreak() throws(TemplateError) {
    guard let indent else { return }
    try interpreter.spend(1 + level * indent.count)
    append("\n")
    for _ in 0..<level { text += indent }
  }

  private mutating func append(quoting string: MarkedText) throws(TemplateError) {
    try interpreter.spend(string.count)
    append("\"")
    for scalar in string {
      let escape: String? =
        switch scalar.value {
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        case 0..<0x20: "\\u" + hexadecimal(scalar.value, 4)
        case 0x80..<0x10000 where escapesNonASCII: "\\u" + hexadecimal(scalar.value, 4)
        case 0x10000... where escapesNonASCII:
          Unicode.Scalar(scalar.value).map { "\($0)".utf16.map { "\\u" + hexadecimal(UInt32($0), 4) }.joined() }
        default: nil
        }
      if let escape {
        text += escape.unicodeScalars.map { MarkedScalar($0.value, isInput: scalar.isInput) }
      } else {
        text.append(scalar)
      }
    }
    append("\"")
  }
}
