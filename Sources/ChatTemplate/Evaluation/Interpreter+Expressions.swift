extension Interpreter {
  func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
    try evaluateOperand(expression).plain
  }

  /// Evaluates an operand of `+`, whose value can be `Value.markup`.
  private func evaluateOperand(_ expression: Expression) throws(TemplateError) -> Value {
    try nested { () throws(TemplateError) in
      line = expression.line
      return try value(of: expression)
    }
  }

  private func value(of expression: Expression) throws(TemplateError) -> Value {
    switch expression.kind {
    case .none: return .none
    case .boolean(let flag): return .boolean(flag)
    case .integer(let number): return .integer(number)
    case .float(let number): return .float(number)
    case .text(let text): return .text(text)
    case .name(let name): return lookUp(name)
    case .list(let elements): return try list(.list, values(of: elements))
    case .tuple(let elements): return try list(.tuple, values(of: elements))
    case .dictionary(let members): return try dictionary(of: members)
    case .attribute(let object, let name): return try attribute(name, of: evaluate(object))
    case .item(let object, let index): return try item(evaluate(object), at: evaluate(index))
    case .slice(let object, let start, let stop, let step):
      return try slice(evaluate(object), bound(start), bound(stop), bound(step))
    case .call(let callee, let arguments): return try call(evaluate(callee), evaluate(arguments))
    case .filter, .test: return try filteredOrTested(expression)
    case .not(let operand): return .boolean(try !evaluate(operand).isTrue)
    case .negated(let operand): return try negated(evaluate(operand))
    case .positive(let operand): return try positive(evaluate(operand))
    case .binary(.add, let left, let right): return try add(evaluateOperand(left), evaluateOperand(right))
    case .binary(let symbol, let left, let right): return try apply(symbol, evaluate(left), evaluate(right))
    case .concatenation(let parts): return try concatenation(of: parts)
    case .comparison(let left, let comparisons): return .boolean(try compare(left, comparisons))
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluateOperand(then) }
      guard let otherwise else { return .undefined("the condition is false, and the expression has no else") }
      return try evaluateOperand(otherwise)
    }
  }

  /// Returns the value of a variable or a global function.
  func lookUp(_ name: String) -> Value {
    if let value = scope.value(of: name) { return value }
    if let function = GlobalFunction(rawValue: name) { return .function(.global(function)) }
    return .undefined("'\(name)' is undefined")
  }

  private func values(of expressions: [Expression]) throws(TemplateError) -> [Value] {
    var values: [Value] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return values
  }

  private func dictionary(of members: [(key: Expression, value: Expression)]) throws(TemplateError) -> Value {
    var values: [(key: Value, value: Value)] = []
    for member in members { values.append((try evaluate(member.key), try evaluate(member.value))) }
    return try dictionary(values)
  }

  private func concatenation(of parts: [Expression]) throws(TemplateError) -> Value {
    var text: MarkedText = []
    for part in parts {
      let next = try self.text(of: evaluate(part))
      try spend(next.count)
      text += next
    }
    return .text(text)
  }

  private func compare(
    _ left: Expression, _ comparisons: [(symbol: Comparison, right: Expression)]
  ) throws(TemplateError) -> Bool {
    var left = try evaluate(left)
    for (symbol, expression) in comparisons {
      let right = try evaluate(expression)
      let result =
        switch symbol {
        case .equal: try areEqual(left, right)
        case .notEqual: try !areEqual(left, right)
        case .less: try isLess(left, right)
        case .greater: try isLess(right, left, ">")
        case .lessOrEqual: try isLessOrEqual(left, right, "<=")
        case .greaterOrEqual: try isLessOrEqual(right, left, ">=")
        case .isIn: try contains(right, left)
        case .notIn: try !contains(right, left)
        }
      guard result else { return false }
      left = right
    }
    return true
  }

  private func filteredOrTested(_ expression: Expression) throws(TemplateError) -> Value {
    guard case .test(let operand, let name, let arguments) = expression.kind else {
      return try filtered(expression, nil)
    }
    return .boolean(try apply(test(name), to: evaluate(operand), evaluate(arguments)))
  }

  /// Applies the filters of an expression to the text of a block.
  func evaluate(_ filters: Expression, of text: MarkedText) throws(TemplateError) -> Value {
    try filtered(filters, .text(text)).plain
  }

  /// - Parameter input: the text of a block; nil if the expression has a value.
  private func filtered(_ expression: Expression, _ input: Value?) throws(TemplateError) -> Value {
    guard case .filter(let operand, let name, let arguments) = expression.kind else {
      return try evaluateOperand(expression)
    }
    return try nested { () throws(TemplateError) in
      let value: Value
      if let operand { value = try filtered(operand, input) } else { value = input ?? .none }
      let arguments = try evaluate(arguments)
      line = expression.line
      let filter = try filter(name)
      if case .markup = value, filter == .e || filter == .escape { return value }
      return try apply(filter, to: value.plain, arguments)
    }
  }

  func evaluate(_ arguments: Arguments) throws(TemplateError) -> CallArguments {
    var result = CallArguments(positional: try values(of: arguments.positional))
    for argument in arguments.named { result.named.append((argument.name, try evaluate(argument.value))) }
    if let spread = arguments.spread { result.positional += try elements(of: evaluate(spread)) }
    if let spread = arguments.namedSpread {
      guard case .dictionary(let dictionary) = try evaluate(spread) else { throw failure("** requires a dictionary") }
      for member in dictionary.members {
        guard case .text(let name) = member.key else { throw failure("the name of an argument must be a text") }
        result.named.append((name.string, member.value))
      }
    }
    return result
  }

  private func bound(_ expression: Expression?) throws(TemplateError) -> Int? {
    guard let expression else { return nil }
    switch try evaluate(expression) {
    case .none: return nil
    case .integer(let number): return number
    case .boolean(let flag): return flag ? 1 : 0
    case let value: throw failure("a slice requires integers, found \(value.typeName)")
    }
  }
}
