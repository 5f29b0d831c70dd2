extension Interpreter {
  func applyToText(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let text = try text(of: value)
    try spend(text.count)
    switch filter {
    case .string: return .text(text)
    case .safe: return .markup(text)
    case .capitalize: return .text(text.capitalized)
    case .lower: return .text(text.lowercased)
    case .upper: return .text(text.uppercased)
    case .title: return .text(title(text))
    case .trim:
      let set = try optionalText(try bind(arguments, "chars", for: "trim")[0], for: "trim")
      try spend(text.count * (set?.count ?? 0))
      return .text(text.stripped(set))
    case .center:
      var arguments = arguments
      if arguments.positional.isEmpty, arguments.named.isEmpty { arguments.positional = [.integer(80)] }
      return try call(.center, of: text, arguments)
    case .replace:
      let values = try bind(arguments, "old", "new", "count", for: "replace")
      guard let old = values[0], let new = values[1] else { throw failure("replace requires two texts") }
      return .text(
        try replace(
          self.text(of: old), with: self.text(of: new), in: text, limit: optionalInteger(values[2], for: "replace")))
    case .indent: return .text(try indent(requiredText(value, for: "indent"), arguments))
    case .format: return .text(try format(text, arguments))
    case .truncate: return .text(try truncate(requiredText(value, for: "truncate"), arguments))
    case .wordcount: return .integer(wordCount(text))
    default: return .markup(escaped(text))
    }
  }

  /// Returns each word with its first letter in upper case and the others in lower case.
  private func title(_ text: MarkedText) -> MarkedText {
    var result: MarkedText = []
    var isFirst = true
    for scalar in text {
      let isSeparator = scalar.isWhiteSpace || "-({[<".unicodeScalars.contains { $0.value == scalar.value }
      result += isFirst ? [scalar].uppercased : [scalar].lowercased
      isFirst = isSeparator
    }
    return result
  }

  private func indent(_ text: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    let values = try bind(arguments, "width", "first", "blank", for: "indent")
    let space: MarkedText =
      if case .text(let text) = values[0] {
        text
      } else {
        try repeated(MarkedText(" "), optionalInteger(values[0], for: "indent") ?? 4)
      }
    let (indentsFirst, indentsBlank) = (values[1]?.isTrue ?? false, values[2]?.isTrue ?? false)
    var result: MarkedText = []
    for (index, line) in (text + MarkedText("\n")).lines().enumerated() {
      try spend(line.count + space.count + 1)
      if index > 0 { result += MarkedText("\n") }
      if index == 0 ? indentsFirst : indentsBlank || !line.isEmpty { result += space }
      result += line
    }
    return result
  }

  private func format(_ text: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    guard !arguments.named.isEmpty else {
      let values = try list(.tuple, arguments.positional)
      return try formatted(text, CallArguments(formatting: values))
    }
    guard arguments.positional.isEmpty else { throw failure("format takes positional or named arguments, not both") }
    let members = try dictionary(arguments.named.map { (.text($0.name), $0.value) })
    return try formatted(text, CallArguments(formatting: members))
  }

  private func truncate(_ text: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    let values = try bind(arguments, "length", "killwords", "end", "leeway", for: "truncate")
    let length = try optionalInteger(values[0], for: "truncate") ?? 255
    let end = try optionalText(values[2], for: "truncate") ?? MarkedText("...")
    let leeway = try optionalInteger(values[3], for: "truncate") ?? 5
    guard end.count...(1 << 32) ~= length, 0...(1 << 32) ~= leeway else {
      throw failure("truncate: length must be at least \(end.count), leeway at least 0")
    }
    guard text.count > length + leeway else { return text }
    var kept = text.prefix(length - end.count)
    if !(values[1]?.isTrue ?? false), let space = kept.lastIndex(of: MarkedScalar(0x20)) { kept = kept[..<space] }
    return MarkedText(kept) + end
  }

  private func wordCount(_ text: MarkedText) -> Int {
    func isWord(_ scalar: MarkedScalar) -> Bool {
      scalar.value == 0x5F || scalar.isLetter || scalar.properties.numericType != nil
    }
    return text.split { !isWord($0) }.count
  }

  /// Returns the text with entities for the characters that have a meaning in HTML.
  func escaped(_ text: MarkedText) -> MarkedText {
    text.flatMap { scalar -> MarkedText in
      let entity: String? =
        switch scalar.value {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x27: "&#39;"
        case 0x22: "&#34;"
        default: nil
        }
      return entity?.unicodeScalars.map { MarkedScalar($0.value, isInput: scalar.isInput) } ?? [scalar]
    }
  }
}
