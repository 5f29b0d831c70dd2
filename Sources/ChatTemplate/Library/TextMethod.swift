/// The methods of Python's `str` that are implemented.
enum TextMethod: String {
  case capitalize, casefold, center, count, endswith, find, format, index, isalnum, isalpha, isascii, isdecimal,
    isdigit, islower, isnumeric, isspace, istitle, isupper, join, ljust, lower, lstrip, partition, removeprefix,
    removesuffix, replace, rfind, rindex, rjust, rpartition, rsplit, rstrip, split, splitlines, startswith, strip,
    swapcase, title, upper, zfill

  /// Methods that Python has too.
  private static let others: Set = [
    "encode", "expandtabs", "format_map", "isidentifier", "isprintable", "maketrans", "translate",
  ]

  /// Returns a method of a text; nil if Python has none of this name.
  static func function(_ name: String, of value: Value) -> Function? {
    if TextMethod(rawValue: name) != nil { return .method(value, name) }
    return others.contains(name) ? .refused("the method \"\(name)\" of texts is not implemented") : nil
  }
}

extension Interpreter {
  func call(_ method: TextMethod, of text: MarkedText, _ arguments: CallArguments) throws(TemplateError) -> Value {
    try spend(text.count)
    switch method {
    case .capitalize: return .text(text.capitalized)
    case .casefold, .lower: return .text(text.lowercased)
    case .upper: return .text(text.uppercased)
    case .title: return .text(text.titlecased)
    case .swapcase: return .text(text.flatMap { [$0].isUppercase ? [$0].lowercased : [$0].uppercased })
    case .isalnum, .isalpha, .isascii, .isdecimal, .isdigit, .islower, .isnumeric, .isspace, .istitle, .isupper:
      return .boolean(test(method, text))
    case .strip, .lstrip, .rstrip:
      let set = try optionalText(try bind(arguments, "chars", for: "strip")[0], for: "strip")
      try spend(text.count * (set?.count ?? 0))
      return .text(text.stripped(set, left: method != .rstrip, right: method != .lstrip))
    case .split, .rsplit: return try split(text, arguments, fromRight: method == .rsplit)
    case .splitlines:
      let keepsEnds = try bind(arguments, "keepends", for: "splitlines")[0]?.isTrue ?? false
      return try list(.list, text.lines(keepsEnds: keepsEnds).map { .text($0) })
    case .partition, .rpartition: return try partition(text, arguments, fromRight: method == .rpartition)
    case .startswith, .endswith: return .boolean(try hasAffix(text, arguments, atEnd: method == .endswith))
    case .removeprefix, .removesuffix: return .text(try removeAffix(text, arguments, atEnd: method == .removesuffix))
    case .find, .rfind, .index, .rindex: return try find(method, in: text, arguments)
    case .count:
      let pattern = try requiredText(arguments, for: "count")
      let found = try search(text, pattern) { (search, budget) throws(BudgetError) in
        try search.all(limit: .max, &budget).count
      }
      return .integer(found)
    case .replace:
      let values = try bind(arguments, "old", "new", "count", for: "replace")
      return .text(
        try replace(
          requiredText(values[0], for: "replace"), with: requiredText(values[1], for: "replace"), in: text,
          limit: optionalInteger(values[2], for: "replace")))
    case .join: return .text(try join(elements(of: arguments.positional.first ?? .none), with: text, isStrict: true))
    case .center, .ljust, .rjust, .zfill: return .text(try pad(text, method, arguments))
    case .format: return .text(try formattedBraces(text, arguments))
    }
  }

  private func test(_ method: TextMethod, _ text: MarkedText) -> Bool {
    switch method {
    case .isascii: return text.allSatisfy { $0.value < 0x80 }
    case .islower: return text.isLowercase
    case .isupper: return text.isUppercase
    case .istitle: return text.contains { $0.properties.isCased } && text == text.titlecased
    default: break
    }
    return !text.isEmpty
      && text.allSatisfy { scalar in
        let type = scalar.properties.numericType
        return switch method {
        case .isspace: scalar.isWhiteSpace
        case .isalpha: scalar.isLetter
        case .isdecimal: type == .decimal
        case .isdigit: type == .decimal || type == .digit
        case .isnumeric: type != nil
        default: scalar.isLetter || type != nil
        }
      }
  }

  private func split(
    _ text: MarkedText, _ arguments: CallArguments, fromRight: Bool
  ) throws(TemplateError) -> Value {
    let values = try bind(arguments, "sep", "maxsplit", for: "split")
    let count = try optionalInteger(values[1], for: "split") ?? -1
    let limit = count < 0 ? Int.max : count
    guard let separator = try optionalText(values[0], for: "split") else {
      return try list(
        .list, (fromRight ? text.wordsFromRight(limit: limit) : text.words(limit: limit)).map { .text($0) })
    }
    guard !separator.isEmpty else { throw failure("split: the separator is empty") }
    let matches = try search(text, separator) { (search, budget) throws(BudgetError) in
      fromRight ? try search.allFromRight(limit: limit, &budget) : try search.all(limit: limit, &budget)
    }
    return try list(.list, parts(of: text, between: matches, length: separator.count).map { .text($0) })
  }

  private func parts(of text: MarkedText, between matches: [Int], length: Int) -> [MarkedText] {
    var parts: [MarkedText] = []
    var start = 0
    for match in matches {
      parts.append(MarkedText(text[start..<match]))
      start = match + length
    }
    return parts + [MarkedText(text[start...])]
  }

  private func partition(
    _ text: MarkedText, _ arguments: CallArguments, fromRight: Bool
  ) throws(TemplateError) -> Value {
    let separator = try requiredText(arguments, for: "partition")
    guard !separator.isEmpty else { throw failure("partition: the separator is empty") }
    let found = try search(text, separator) { (search, budget) throws(BudgetError) in
      fromRight ? try search.last(&budget) : try search.next(from: 0, &budget)
    }
    guard let found else {
      return try list(.tuple, fromRight ? [.text([]), .text([]), .text(text)] : [.text(text), .text([]), .text([])])
    }
    let end = found + separator.count
    return try list(
      .tuple,
      [.text(MarkedText(text[..<found])), .text(MarkedText(text[found..<end])), .text(MarkedText(text[end...]))])
  }

  private func hasAffix(_ text: MarkedText, _ arguments: CallArguments, atEnd: Bool) throws(TemplateError) -> Bool {
    let values = try bind(arguments, "prefix", "start", "end", for: "startswith")
    let start = try optionalInteger(values[1], for: "startswith")
    let end = try optionalInteger(values[2], for: "startswith")
    guard case .text(let part) = try slice(.text(text), start, end, nil), let affix = values[0] else {
      throw failure("startswith requires a text")
    }
    var affixes: [MarkedText] = []
    if case .list(let list) = affix, list.kind == .tuple {
      for element in list.elements { affixes.append(try requiredText(element, for: "startswith")) }
    } else {
      affixes = [try requiredText(affix, for: "startswith")]
    }
    return affixes.contains { atEnd ? part.suffix($0.count) == $0[...] : part.starts(with: $0) }
  }

  private func removeAffix(
    _ text: MarkedText, _ arguments: CallArguments, atEnd: Bool
  ) throws(TemplateError) -> MarkedText {
    let affix = try requiredText(arguments, for: atEnd ? "removesuffix" : "removeprefix")
    guard atEnd ? text.suffix(affix.count) == affix[...] : text.starts(with: affix) else { return text }
    return MarkedText(atEnd ? text.dropLast(affix.count) : text.dropFirst(affix.count))
  }

  private func find(
    _ method: TextMethod, in text: MarkedText, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    let values = try bind(arguments, "sub", "start", "end", for: method.rawValue)
    let pattern = try requiredText(values[0], for: method.rawValue)
    func bound(_ value: Value?) throws(TemplateError) -> Int? {
      try optionalInteger(value, for: method.rawValue).map { max(0, $0 < 0 ? $0 + text.count : $0) }
    }
    let (start, end) = (try bound(values[1]) ?? 0, min(try bound(values[2]) ?? text.count, text.count))
    let found = try search(text, pattern) { (search, budget) throws(BudgetError) in
      method == .find || method == .index
        ? try search.next(from: start, before: end, &budget) : try search.last(from: start, before: end, &budget)
    }
    if found == nil, method == .index || method == .rindex {
      throw failure("\(method.rawValue): the text is not found")
    }
    return .integer(found ?? -1)
  }

  /// Returns the text with occurrences of `old` replaced, at most `limit` from the left.
  func replace(
    _ old: MarkedText, with new: MarkedText, in text: MarkedText, limit: Int?
  ) throws(TemplateError) -> MarkedText {
    let limit = limit.map { $0 < 0 ? Int.max : $0 } ?? .max
    let matches: [Int]
    if old.isEmpty {  // matches before each scalar and at the end
      matches = Array((0...text.count).prefix(limit))
    } else {
      matches = try search(text, old) { (search, budget) throws(BudgetError) in
        try search.all(limit: limit, &budget)
      }
    }
    let (size, overflow) = matches.count.multipliedReportingOverflow(by: new.count)
    try spend(overflow ? .max : size)
    return try join(parts(of: text, between: matches, length: old.count).map { .text($0) }, with: new)
  }

  /// Returns the texts of the values with a separator between them.
  ///
  /// - Parameter isStrict: whether only texts are allowed, as in Python's `join`.
  func join(
    _ values: [Value], with separator: MarkedText, isStrict: Bool = false
  ) throws(TemplateError) -> MarkedText {
    var result: MarkedText = []
    for (index, value) in values.enumerated() {
      let next = isStrict ? try requiredText(value, for: "join") : try text(of: value)
      try spend(separator.count + next.count)
      if index > 0 { result += separator }
      result += next
    }
    return result
  }

  private func pad(
    _ text: MarkedText, _ method: TextMethod, _ arguments: CallArguments
  ) throws(TemplateError) -> MarkedText {
    let values = try bind(arguments, "width", "fillchar", for: method.rawValue)
    guard let width = try optionalInteger(values[0], for: method.rawValue) else {
      throw failure("\(method.rawValue) requires a width")
    }
    let fill = try optionalText(values[1], for: method.rawValue) ?? MarkedText(method == .zfill ? "0" : " ")
    guard fill.count == 1 else { throw failure("\(method.rawValue): the second argument must be one character") }
    let count = width > text.count ? width - text.count : 0
    switch method {
    case .ljust: return text + (try repeated(fill, count))
    case .rjust: return try repeated(fill, count) + text
    case .zfill:
      let sign = text.prefix { $0.value == 0x2B || $0.value == 0x2D }.prefix(1)
      return MarkedText(sign) + (try repeated(fill, count)) + MarkedText(text.dropFirst(sign.count))
    default:  // as in CPython, an odd space is on the left if the width is odd
      let left = count / 2 + (count & width & 1)
      return try repeated(fill, left) + text + repeated(fill, count - left)
    }
  }

  // MARK: - Arguments

  private func requiredText(_ arguments: CallArguments, for name: String) throws(TemplateError) -> MarkedText {
    guard arguments.named.isEmpty, arguments.positional.count == 1 else { throw failure("\(name) takes one text") }
    return try requiredText(arguments.positional[0], for: name)
  }

  func requiredText(_ value: Value?, for name: String) throws(TemplateError) -> MarkedText {
    switch value {
    case .text(let text): return text
    case .undefined(let message): throw failure(message)
    case nil: throw failure("\(name): an argument is missing")
    case let value?: throw failure("\(name) requires a text, found \(value.typeName)")
    }
  }

  func optionalText(_ value: Value?, for name: String) throws(TemplateError) -> MarkedText? {
    switch value {
    case nil, Value.none?: nil
    case let value?: try requiredText(value, for: name)
    }
  }

  func optionalInteger(_ value: Value?, for name: String) throws(TemplateError) -> Int? {
    switch value {
    case nil, Value.none?: return nil
    case .undefined(let message): throw failure(message)
    case .integer(let number): return number
    case .boolean(let flag): return flag ? 1 : 0
    case let value?: throw failure("\(name) requires an integer, found \(value.typeName)")
    }
  }
}

extension MarkedScalar {
  var isLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
