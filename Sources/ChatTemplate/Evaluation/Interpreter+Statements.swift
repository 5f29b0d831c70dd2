/// How a statement ends.
enum Flow {
  case next
  case breakLoop
  case continueLoop
}

extension Interpreter {
  /// Executes statements in the current scope.
  @discardableResult
  func execute(_ statements: [Statement]) throws(TemplateError) -> Flow {
    try nested { () throws(TemplateError) in
      for statement in statements {
        line = statement.line
        let flow = try execute(statement)
        if flow != .next { return flow }
      }
      return .next
    }
  }

  private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
    try step()
    switch statement.kind {
    case .text(let text): try write(text)
    case .output(let expression): try write(text(of: evaluate(expression)))
    case .if(let branches, let otherwise): return try executeIf(branches, otherwise)
    case .for(let loop): return try executeFor(loop)
    case .set(let target, let expression): try assign(try evaluate(expression), to: target)
    case .setBlock(let target, let filter, let body): return try executeSetBlock(target, filter, body)
    case .macro(let definition): scope.variables[definition.name] = makeMacro(definition)
    case .callBlock(let definition, let callee, let arguments):
      try write(executeCallBlock(definition, callee, arguments))
    case .filterBlock(let filter, let body):
      let (text, flow) = try capture(body)
      guard flow == .next else { return flow }
      try write(self.text(of: evaluate(filter, of: text)))
    case .with(let assignments, let body): return try executeWith(assignments, body)
    case .generation(let body): return try inNewScope { () throws(TemplateError) in try execute(body) }
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .next
  }

  private func write(_ text: MarkedText) throws(TemplateError) {
    try spend(text.count)
    output += text
  }

  /// Calls `body` with a new scope in the current one, or in `parent`.
  func inNewScope<Result>(
    of parent: Scope? = nil, _ body: () throws(TemplateError) -> Result
  ) throws(TemplateError) -> Result {
    let outer = scope
    scope = Scope(in: parent ?? outer)
    defer { scope = outer }
    return try body()
  }

  /// Returns the text of `body`, which is not added to the output.
  func captured<Result>(
    _ body: () throws(TemplateError) -> Result
  ) throws(TemplateError) -> (text: MarkedText, result: Result) {
    let outer = output
    output = []
    defer { output = outer }
    let result = try body()
    return (output, result)
  }

  private func capture(_ body: [Statement]) throws(TemplateError) -> (text: MarkedText, flow: Flow) {
    let (text, flow) = try captured { () throws(TemplateError) in
      try inNewScope { () throws(TemplateError) in try execute(body) }
    }
    return (text, flow)
  }

  private func executeIf(
    _ branches: [(condition: Expression, body: [Statement])], _ otherwise: [Statement]
  ) throws(TemplateError) -> Flow {
    for branch in branches where try evaluate(branch.condition).isTrue { return try execute(branch.body) }
    return try execute(otherwise)
  }

  private func executeSetBlock(
    _ target: Target, _ filter: Expression?, _ body: [Statement]
  ) throws(TemplateError) -> Flow {
    let (text, flow) = try capture(body)
    guard flow == .next else { return flow }
    let value = try filter.map { (filter) throws(TemplateError) in try evaluate(filter, of: text) } ?? .text(text)
    try assign(value, to: target)
    return .next
  }

  private func executeWith(
    _ assignments: [(target: Target, value: Expression)], _ body: [Statement]
  ) throws(TemplateError) -> Flow {
    var values: [Value] = []
    for assignment in assignments { values.append(try evaluate(assignment.value)) }
    return try inNewScope { () throws(TemplateError) in
      for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
      return try execute(body)
    }
  }

  private func executeCallBlock(
    _ definition: MacroDefinition, _ callee: Expression, _ arguments: Arguments
  ) throws(TemplateError) -> MarkedText {
    var arguments = try evaluate(arguments)
    arguments.named.append(("caller", makeMacro(definition)))
    return try text(of: call(try evaluate(callee), arguments))
  }

  /// Assigns a value to a variable of the current scope, to an attribute of a namespace, or to several targets.
  func assign(_ value: Value, to target: Target) throws(TemplateError) {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace) = lookUp(name) else {
        throw failure("\(name) is no namespace: cannot assign to \(name).\(attribute)")
      }
      try assign(value, to: attribute, of: namespace)
    case .tuple(let targets):
      if case .undefined(let message) = value { throw failure(message) }
      let values = try elements(of: value)
      guard values.count == targets.count else {
        throw failure("\(values.count) values cannot be assigned to \(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }
  }

  func assign(_ value: Value, to attribute: String, of namespace: Namespace) throws(TemplateError) {
    guard !attribute.hasPrefix("_") else {
      throw failure("the name of a namespace's attribute must not begin with an underscore")
    }
    try step(namespace.attributes.count)
    namespace[attribute] = value
  }
}
