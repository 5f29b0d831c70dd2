extension Parser {
  /// Parses an expression, or several with commas between them, which form a tuple.
  ///
  /// - Parameters:
  ///   - allowsConditional: whether `a if b else c` is part of it; in `for` and `if`, `if` is a keyword.
  ///   - endsAt: a name that ends the tuple after a comma.
  mutating func parseTuple(
    allowsConditional: Bool = true, endsAt: String? = nil, isInParentheses: Bool = false
  ) throws(TemplateError) -> Expression {
    let line = line
    var elements: [Expression] = []
    var isTuple = false
    while true {
      if [.variableEnd, .blockEnd, .symbol(")")].contains(current.kind) || endsAt.map(isName) ?? false { break }
      elements.append(try parseExpression(allowsConditional: allowsConditional))
      guard skipSymbol(",") else { break }
      isTuple = true
    }
    if !isTuple, let element = elements.first { return element }
    guard isTuple || isInParentheses else { throw failure("expected an expression, found \(current.description)") }
    return try make(.tuple(elements), line: line, elements)
  }

  mutating func parseExpression(allowsConditional: Bool = true) throws(TemplateError) -> Expression {
    try nested { (parser) throws(TemplateError) in
      var value = try parser.parseOr()
      while allowsConditional, parser.isName("if") {
        let line = parser.line
        parser.advance()
        let condition = try parser.parseOr()
        let otherwise = parser.skipName("else") ? try parser.parseExpression() : nil
        value = try parser.make(
          .conditional(condition, then: value, otherwise: otherwise), line: line,
          [value, condition] + (otherwise.map { [$0] } ?? []))
      }
      return value
    }
  }

  // MARK: - Operators, from the weakest to the strongest

  private mutating func parseOr() throws(TemplateError) -> Expression {
    var left = try parseAnd()
    while isName("or") {
      let line = line
      advance()
      let right = try parseAnd()
      left = try make(.or(left, right), line: line, [left, right])
    }
    return left
  }

  private mutating func parseAnd() throws(TemplateError) -> Expression {
    var left = try parseNot()
    while isName("and") {
      let line = line
      advance()
      let right = try parseNot()
      left = try make(.and(left, right), line: line, [left, right])
    }
    return left
  }

  private mutating func parseNot() throws(TemplateError) -> Expression {
    guard isName("not") else { return try parseComparison() }
    let line = line
    advance()
    return try nested { (parser) throws(TemplateError) in
      let value = try parser.parseNot()
      return try parser.make(.not(value), line: line, [value])
    }
  }

  private mutating func parseComparison() throws(TemplateError) -> Expression {
    let (line, left) = (line, try parseSum())
    var comparisons: [(symbol: Comparison, right: Expression)] = []
    while let comparison = skipComparison() { comparisons.append((comparison, try parseSum())) }
    guard !comparisons.isEmpty else { return left }
    return try make(.comparison(left, comparisons), line: line, [left] + comparisons.map(\.right))
  }

  private mutating func skipComparison() -> Comparison? {
    switch current.kind {
    case .symbol(let symbol):
      guard let comparison = Comparison(rawValue: symbol) else { return nil }
      advance()
      return comparison
    case .name("in"):
      advance()
      return .isIn
    case .name("not") where next.kind == .name("in"):
      advance()
      advance()
      return .notIn
    default: return nil
    }
  }

  private mutating func parseSum() throws(TemplateError) -> Expression {
    var left = try parseConcatenation()
    while let symbol = skipOperator(["+", "-"]) {
      let right = try parseConcatenation()
      left = try make(.binary(symbol, left, right), line: right.line, [left, right])
    }
    return left
  }

  private mutating func parseConcatenation() throws(TemplateError) -> Expression {
    var parts = [try parseProduct()]
    while skipSymbol("~") { parts.append(try parseProduct()) }
    return parts.count == 1 ? parts[0] : try make(.concatenation(parts), line: parts[0].line, parts)
  }

  private mutating func parseProduct() throws(TemplateError) -> Expression {
    var left = try parsePower()
    while let symbol = skipOperator(["*", "/", "//", "%"]) {
      let right = try parsePower()
      left = try make(.binary(symbol, left, right), line: right.line, [left, right])
    }
    return left
  }

  private mutating func parsePower() throws(TemplateError) -> Expression {
    var left = try parseUnary()
    while let symbol = skipOperator(["**"]) {
      let right = try parseUnary()
      left = try make(.binary(symbol, left, right), line: right.line, [left, right])
    }
    return left
  }

  private mutating func skipOperator(_ symbols: [String]) -> BinaryOperator? {
    guard case .symbol(let symbol) = current.kind, symbols.contains(symbol) else { return nil }
    advance()
    return BinaryOperator(rawValue: symbol)
  }

  private mutating func parseUnary(allowsFilters: Bool = true) throws(TemplateError) -> Expression {
    let line = line
    var value: Expression
    if isSymbol("-") || isSymbol("+") {
      let isNegated = isSymbol("-")
      advance()
      value = try nested { (parser) throws(TemplateError) in
        let operand = try parser.parseUnary(allowsFilters: false)
        return try parser.make(isNegated ? .negated(operand) : .positive(operand), line: line, [operand])
      }
    } else {
      value = try parsePrimary()
    }
    value = try parsePostfix(value)
    return allowsFilters ? try parseFiltersAndTests(value) : value
  }

  // MARK: - Values

  private mutating func parsePrimary() throws(TemplateError) -> Expression {
    let line = line
    switch current.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return try make(.boolean(true), line: line)
      case "false", "False": return try make(.boolean(false), line: line)
      case "none", "None": return try make(.none, line: line)
      default:
        if let macro = usedNames.indices.last { usedNames[macro].insert(name) }
        return try make(.name(name), line: line)
      }
    case .text(var text):
      advance()
      while case .text(let more) = current.kind {
        text += more
        advance()
      }
      return try make(.text(text), line: line)
    case .integer(let number):
      advance()
      return try make(.integer(number), line: line)
    case .float(let number):
      advance()
      return try make(.float(number), line: line)
    case .symbol("("):
      advance()
      let value = try parseTuple(isInParentheses: true)
      try expect(.symbol(")"))
      return value
    case .symbol("["): return try parseList()
    case .symbol("{"): return try parseDictionary()
    default: throw failure("unexpected \(current.description)")
    }
  }

  private mutating func parseList() throws(TemplateError) -> Expression {
    let line = line
    advance()
    var elements: [Expression] = []
    while !isSymbol("]") {
      elements.append(try parseExpression())
      if !isSymbol("]") { try expect(.symbol(",")) }
    }
    advance()
    return try make(.list(elements), line: line, elements)
  }

  private mutating func parseDictionary() throws(TemplateError) -> Expression {
    let line = line
    advance()
    var members: [(key: Expression, value: Expression)] = []
    while !isSymbol("}") {
      let key = try parseExpression()
      try expect(.symbol(":"))
      members.append((key, try parseExpression()))
      if !isSymbol("}") { try expect(.symbol(",")) }
    }
    advance()
    return try make(.dictionary(members), line: line, members.flatMap { [$0.key, $0.value] })
  }

  // MARK: - Attributes, calls, filters and tests

  private mutating func parsePostfix(_ value: Expression) throws(TemplateError) -> Expression {
    var value = value
    while true {
      switch current.kind {
      case .symbol("."): value = try parseAttribute(of: value)
      case .symbol("["): value = try parseSubscript(of: value)
      case .symbol("("): value = try parseCall(of: value)
      default: return value
      }
    }
  }

  private mutating func parseAttribute(of value: Expression) throws(TemplateError) -> Expression {
    let line = line
    advance()
    switch current.kind {
    case .name(let name):
      advance()
      return try make(.attribute(value, name), line: line, [value])
    case .integer(let number):
      advance()
      let index = try make(.integer(number), line: line)
      return try make(.item(value, index), line: line, [value, index])
    default: throw failure("expected a name or a number after the point, found \(current.description)")
    }
  }

  private mutating func parseSubscript(of value: Expression) throws(TemplateError) -> Expression {
    let line = line
    advance()
    var bounds: [Expression?] = [nil]
    while !isSymbol("]") {
      if skipSymbol(":") {
        bounds.append(nil)
      } else if bounds[bounds.count - 1] == nil {
        bounds[bounds.count - 1] = try parseExpression()
      } else {
        throw failure("expected ], found \(current.description)")
      }
    }
    advance()
    guard bounds.count > 1 else {
      guard let index = bounds[0] else { throw failure("an index is missing", line: line) }
      return try make(.item(value, index), line: line, [value, index])
    }
    guard bounds.count <= 3 else { throw failure("a slice has at most three parts", line: line) }
    return try make(
      .slice(value, start: bounds[0], stop: bounds[1], step: bounds.count > 2 ? bounds[2] : nil), line: line,
      [value] + bounds.compactMap(\.self))
  }

  private mutating func parseCall(of callee: Expression) throws(TemplateError) -> Expression {
    let line = line
    let arguments = try parseArguments()
    return try make(.call(callee, arguments), line: line, [callee] + arguments.expressions)
  }

  private mutating func parseArguments() throws(TemplateError) -> Arguments {
    let line = line
    try expect(.symbol("("))
    var arguments = Arguments()
    while !isSymbol(")") {
      let hasSpread = arguments.spread != nil || arguments.namedSpread != nil
      if skipSymbol("*") {
        guard !hasSpread else { throw failure("invalid arguments", line: line) }
        arguments.spread = try parseExpression()
      } else if skipSymbol("**") {
        guard arguments.namedSpread == nil else { throw failure("invalid arguments", line: line) }
        arguments.namedSpread = try parseExpression()
      } else if case .name(let name) = current.kind, next.kind == .symbol("=") {
        guard arguments.namedSpread == nil else { throw failure("invalid arguments", line: line) }
        advance()
        advance()
        arguments.named.append((name, try parseExpression()))
      } else {
        guard !hasSpread, arguments.named.isEmpty else {
          throw failure("a positional argument follows a named argument", line: line)
        }
        arguments.positional.append(try parseExpression())
      }
      if !isSymbol(")") { try expect(.symbol(",")) }
    }
    advance()
    return arguments
  }

  private mutating func parseFiltersAndTests(_ value: Expression) throws(TemplateError) -> Expression {
    var value = value
    while true {
      switch current.kind {
      case .symbol("|"): value = try parseFilters(of: value)
      case .name("is"): value = try parseTest(of: value)
      case .symbol("("): value = try parseCall(of: value)
      default: return value
      }
    }
  }

  /// Parses filters, from the first `|`, or from the name of the first filter if `isInline` is true.
  mutating func parseFilters(of value: Expression?, isInline: Bool = false) throws(TemplateError) -> Expression {
    var (value, isInline) = (value, isInline)
    while isInline || isSymbol("|") {
      if !isInline { advance() }
      isInline = false
      let line = line
      let name = try expectName()
      let arguments = isSymbol("(") ? try parseArguments() : Arguments()
      value = try make(
        .filter(value, name, arguments), line: line, (value.map { [$0] } ?? []) + arguments.expressions)
    }
    guard let value else { throw failure("expected a filter, found \(current.description)") }
    return value
  }

  private mutating func parseTest(of value: Expression) throws(TemplateError) -> Expression {
    let line = line
    advance()
    let isNegated = skipName("not")
    let name = try expectName()
    var arguments = Arguments()
    switch current.kind {
    case .symbol("("): arguments = try parseArguments()
    case .name("else"), .name("or"), .name("and"): break
    case .name("is"): throw failure("a test follows a test")
    case .name, .text, .integer, .float, .symbol("["), .symbol("{"):
      let argument = try parsePrimary()
      arguments.positional = [try parsePostfix(argument)]
    default: break
    }
    let test = try make(.test(value, name, arguments), line: line, [value] + arguments.expressions)
    return isNegated ? try make(.not(test), line: line, [test]) : test
  }
}
