extension Parser {
  /// Parses a statement, from the name in its tag.
  mutating func parseStatement() throws(TemplateError) -> Statement {
    let line = line
    let name = try expectName()
    return Statement(kind: try parseStatement(name, line: line), line: line)
  }

  private mutating func parseStatement(_ name: String, line: Int) throws(TemplateError) -> Statement.Kind {
    switch name {
    case "if": return try parseIf()
    case "for": return try parseFor()
    case "set": return try parseSet()
    case "macro": return try parseMacro()
    case "call": return try parseCallBlock(line: line)
    case "filter":
      let filter = try parseFilters(of: nil, isInline: true)
      return .filterBlock(filter, try parseBlock(until: "endfilter").body)
    case "with": return try parseWith()
    case "generation":
      return .generation(
        try outsideOfLoops { (parser) throws(TemplateError) in
          try parser.parseBlock(until: "endgeneration").body
        })
    case "break", "continue":
      guard loopDepth > 0 else { throw failure("\"\(name)\" outside of a loop", line: line) }
      return name == "break" ? .breakLoop : .continueLoop
    case "print", "include", "import", "from", "extends", "block", "autoescape":
      throw failure("the statement \"\(name)\" is not implemented", line: line)
    default: throw failure("unknown statement \"\(name)\"", line: line)
    }
  }

  private mutating func outsideOfLoops<Result>(
    _ body: (inout Parser) throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    let outer = loopDepth
    loopDepth = 0
    defer { loopDepth = outer }
    return try body(&self)
  }

  private mutating func parseIf() throws(TemplateError) -> Statement.Kind {
    var branches: [(condition: Expression, body: [Statement])] = []
    while true {
      let condition = try parseTuple(allowsConditional: false)
      let (body, end) = try parseBlock(until: "elif", "else", "endif")
      branches.append((condition, body))
      if end == "endif" { return .if(branches, otherwise: []) }
      if end == "else" { return .if(branches, otherwise: try parseBlock(until: "endif").body) }
    }
  }

  private mutating func parseFor() throws(TemplateError) -> Statement.Kind {
    let target = try parseTarget(allowsAttribute: false)
    guard skipName("in") else { throw failure("expected in, found \(current.description)") }
    let values = try parseTuple(allowsConditional: false, endsAt: "recursive")
    let condition = skipName("if") ? try parseExpression() : nil
    let isRecursive = skipName("recursive")
    loopDepth += 1
    let (body, end) = try parseBlock(until: "endfor", "else")
    loopDepth -= 1
    let otherwise = end == "else" ? try parseBlock(until: "endfor").body : []
    return .for(
      ForLoop(
        target: target, values: values, condition: condition, isRecursive: isRecursive, body: body,
        otherwise: otherwise))
  }

  private mutating func parseSet() throws(TemplateError) -> Statement.Kind {
    let target = try parseTarget(allowsAttribute: true)
    if skipSymbol("=") { return .set(target, try parseTuple()) }
    let filter = isSymbol("|") ? try parseFilters(of: nil) : nil
    return .setBlock(target, filter: filter, try parseBlock(until: "endset").body)
  }

  private mutating func parseWith() throws(TemplateError) -> Statement.Kind {
    var assignments: [(target: Target, value: Expression)] = []
    while current.kind != .blockEnd {
      if !assignments.isEmpty { try expect(.symbol(",")) }
      let target = try parseTarget(allowsAttribute: false)
      try expect(.symbol("="))
      assignments.append((target, try parseExpression()))
    }
    return .with(assignments, try parseBlock(until: "endwith").body)
  }

  private mutating func parseMacro() throws(TemplateError) -> Statement.Kind {
    let name = try expectName()
    return .macro(try parseMacro(name, endsAt: "endmacro"))
  }

  private mutating func parseCallBlock(line: Int) throws(TemplateError) -> Statement.Kind {
    var call: Expression?
    let definition = try parseMacro("caller", endsAt: "endcall") { (parser) throws(TemplateError) in
      call = try parser.parseExpression()
    }
    guard case .call(let callee, let arguments) = call?.kind else { throw failure("expected a call", line: line) }
    return .callBlock(definition, callee: callee, arguments)
  }

  /// Parses parameters in parentheses and a body. A block of `call` may have no parameters, and has `readCall` after
  /// them.
  private mutating func parseMacro(
    _ name: String, endsAt end: String, _ readCall: ((inout Parser) throws(TemplateError) -> Void)? = nil
  ) throws(TemplateError) -> MacroDefinition {
    var parameters: [String] = []
    var defaults: [Expression] = []
    if readCall == nil || isSymbol("(") {
      try expect(.symbol("("))
      while !isSymbol(")") {
        if !parameters.isEmpty { try expect(.symbol(",")) }
        parameters.append(try expectName())
        if skipSymbol("=") {
          defaults.append(try parseExpression())
        } else if !defaults.isEmpty {
          throw failure("a parameter without a default value follows one with a default value")
        }
      }
      advance()
    }
    try readCall?(&self)
    usedNames.append([])
    let body = try outsideOfLoops { (parser) throws(TemplateError) in try parser.parseBlock(until: end).body }
    let used = usedNames.removeLast()
    if let outer = usedNames.indices.last { usedNames[outer].formUnion(used) }
    return MacroDefinition(
      name: name, parameters: parameters, defaults: defaults, body: body, usesCaller: used.contains("caller"),
      usesVarargs: used.contains("varargs"), usesKwargs: used.contains("kwargs"))
  }

  // MARK: - Targets

  /// Parses the left side of an assignment.
  private mutating func parseTarget(allowsAttribute: Bool) throws(TemplateError) -> Target {
    try nested { (parser) throws(TemplateError) in
      var targets: [Target] = []
      var isTuple = false
      while true {
        targets.append(try parser.parseSingleTarget(allowsAttribute: allowsAttribute))
        guard parser.skipSymbol(",") else { break }
        isTuple = true
        if parser.isName("in") || parser.isSymbol("=") || parser.isSymbol(")") { break }
      }
      return isTuple ? .tuple(targets) : targets[0]
    }
  }

  private mutating func parseSingleTarget(allowsAttribute: Bool) throws(TemplateError) -> Target {
    if skipSymbol("(") {
      let target = try parseTarget(allowsAttribute: allowsAttribute)
      try expect(.symbol(")"))
      return target
    }
    let name = try expectName()
    if ["true", "false", "none", "True", "False", "None"].contains(name) { throw failure("cannot assign to \(name)") }
    if allowsAttribute, skipSymbol(".") { return .attribute(namespace: name, try expectName()) }
    return .name(name)
  }
}
