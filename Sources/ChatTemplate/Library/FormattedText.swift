extension Interpreter {
  /// Returns `format % arguments`. Implemented: `%s`, `%r`, `%d`, `%i`, `%x`, `%f`, `%e`, `%g`, `%%` with flags `-` and
  /// `0`, width, precision and names in parentheses.
  func formatted(_ format: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    var result: MarkedText = []
    var rest = format[...]
    var values = arguments.positional[...]
    var usesNames = false
    func skip(_ character: Unicode.Scalar) -> Bool {
      guard rest.first?.value == character.value else { return false }
      rest.removeFirst()
      return true
    }
    func number() -> Int? {
      let digits = rest.prefix { 0x30...0x39 ~= $0.value }
      rest = rest[digits.endIndex...]
      return digits.isEmpty ? nil : Int(digits.string)
    }
    while let percent = rest.firstIndex(of: MarkedScalar(0x25)) {
      result += rest[..<percent]
      rest = rest[(percent + 1)...]
      if skip("%") {
        result.append(format[percent])
        continue
      }
      var value: Value?
      if skip("(") {
        guard let end = rest.firstIndex(of: MarkedScalar(0x29)),
          case .dictionary(let dictionary) = arguments.positional.first
        else { throw failure("% with names requires a dictionary") }
        value = dictionary[.text(MarkedText(rest[..<end]))]
        rest = rest[(end + 1)...]
        usesNames = true
      }
      let isLeft = skip("-")
      let isZero = skip("0")
      let width = number() ?? 0
      let precision = skip(".") ? number() ?? 0 : nil
      guard let letter = rest.popFirst() else { throw failure("% at the end of a format") }
      guard let next = value ?? (usesNames ? nil : values.popFirst()) else {
        throw failure("% requires more arguments")
      }
      let text = try conversion(letter.value, of: next, precision)
      let padding = try repeated(MarkedText(isZero && !isLeft ? "0" : " "), max(0, width - text.count))
      result += isLeft ? text + padding : padding + text
      try spend(text.count)
    }
    guard usesNames || values.isEmpty else {
      // As in Python, a single list or dictionary may remain
      if arguments.positional.count == 1, case .dictionary = values.first { return result + rest }
      if arguments.positional.count == 1, case .list(let list) = values.first, list.kind != .tuple {
        return result + rest
      }
      throw failure("% has more arguments than its format")
    }
    return result + rest
  }

  private func conversion(_ letter: UInt32, of value: Value, _ precision: Int?) throws(TemplateError) -> MarkedText {
    guard precision ?? 0 <= 100 else { throw failure("a precision of more than 100 is not supported") }
    switch Unicode.Scalar(letter) {
    case "s", "r":
      let text = try letter == 0x73 ? text(of: value) : representation(of: value)
      return precision.map { MarkedText(text.prefix($0)) } ?? text
    case "d", "i", "u", "x":
      switch Number(value) {
      case .integer(let number): return MarkedText(String(number, radix: letter == 0x78 ? 16 : 10))
      case .float(let number):
        guard letter != 0x78, let integer = Int(exactly: number.rounded(.towardZero)) else { break }
        return MarkedText("\(integer)")
      case nil: break
      }
    case "f", "F", "e", "g":
      guard let number = Number(value) else { break }
      return MarkedText(
        decimalText(number.double, digits: precision ?? 6, conversion: Character(Unicode.Scalar(letter) ?? "f")))
    default: break
    }
    let name = Unicode.Scalar(letter).map(String.init) ?? "?"
    throw failure("%\(name) of a value of type \(value.typeName) is not implemented")
  }

  /// Returns `format.format(arguments)`. Implemented: `{}`, `{0}`, `{name}`, `{{` and `}}`.
  func formattedBraces(_ format: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    var result: MarkedText = []
    var index = 0
    var position = 0
    while index < format.count {
      let scalar = format[index]
      index += 1
      let isDoubled = index < format.count && format[index] == scalar
      switch scalar.value {
      case 0x7B where !isDoubled:
        guard let end = format[index...].firstIndex(of: MarkedScalar(0x7D)) else {
          throw failure("format: } is missing")
        }
        let field = format[index..<end].string
        index = end + 1
        let value: Value?
        if field.isEmpty {
          value = position < arguments.positional.count ? arguments.positional[position] : nil
          position += 1
        } else if let number = Int(field) {
          value = arguments.positional.indices.contains(number) ? arguments.positional[number] : nil
        } else {
          value = arguments.named.first { $0.name == field }?.value
        }
        guard let value else { throw failure("format: the field {\(field)} has no value, or is not implemented") }
        let text = try text(of: value)
        try spend(text.count)
        result += text
      case 0x7B, 0x7D:
        guard isDoubled else { throw failure("format: a single } is not allowed") }
        index += 1
        result.append(scalar)
      default: result.append(scalar)
      }
    }
    return result
  }
}
