/// The evaluated arguments of a call.
struct CallArguments {
  var positional: [Value] = []
  var named: [(name: String, value: Value)] = []

  init(positional: [Value] = []) { self.positional = positional }

  /// The right operand of `%`: a tuple has several arguments, a dictionary has names.
  init(formatting value: Value) {
    if case .list(let list) = value, list.kind == .tuple { positional = list.elements } else { positional = [value] }
  }
}

extension Interpreter {
  /// Returns the arguments in the order of `names`; nil for those that are missing.
  func bind(_ arguments: CallArguments, _ names: String..., for callee: String) throws(TemplateError) -> [Value?] {
    guard arguments.positional.count <= names.count else {
      throw failure("\(callee) takes at most \(names.count) arguments, found \(arguments.positional.count)")
    }
    var values = [Value?](repeating: nil, count: names.count)
    for (index, value) in arguments.positional.enumerated() { values[index] = value }
    for (name, value) in arguments.named {
      guard let index = names.firstIndex(of: name) else { throw failure("\(callee) has no argument \"\(name)\"") }
      guard values[index] == nil else { throw failure("\(callee) has two values for \"\(name)\"") }
      values[index] = value
    }
    return values
  }

  /// Calls a function, a macro, a method or a recursive loop.
  func call(_ callee: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    try nested { () throws(TemplateError) in
      switch callee {
      case .undefined(let message): throw failure(message)
      case .loop(let loop):
        let values = try bind(arguments, "iterable", for: "loop")
        return try render(loop, over: values[0] ?? .list(List(.list, [])))
      case .function(.global(let function)): return try call(function, arguments)
      case .function(.macro(let macro)): return .text(try call(macro, arguments))
      case .function(.method(let value, let name)): return try call(name, of: value, arguments)
      case .function(.refused(let reason)): throw failure(reason)
      default: throw failure("a value of type \(callee.typeName) cannot be called")
      }
    }
  }

  private func call(_ name: String, of value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    switch value {
    case .text(let text):
      guard let method = TextMethod(rawValue: name) else { break }
      return try call(method, of: text, arguments)
    case .loop(let loop): return try call(name, of: loop, arguments.positional)
    default:
      guard let method = ContainerMethod(rawValue: name) else { break }
      return try call(method, of: value, arguments)
    }
    throw failure("\(value.typeName) has no method \(name)")
  }

  private func call(_ name: String, of loop: LoopState, _ values: [Value]) throws(TemplateError) -> Value {
    if name == "cycle" {
      guard !values.isEmpty else { throw failure("loop.cycle requires arguments") }
      return values[max(loop.index, 0) % values.count]
    }
    let next = try list(.tuple, values)
    if let last = loop.lastValues, try areEqual(last, next) { return .boolean(false) }
    loop.lastValues = next
    return .boolean(true)
  }

  private func call(_ macro: Macro, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    let definition = macro.definition
    let (text, _) = try captured { () throws(TemplateError) in
      try inNewScope(of: macro.scope) { () throws(TemplateError) in
        try assign(arguments, toParametersOf: definition)
        try execute(definition.body)
      }
    }
    return text
  }

  private func assign(
    _ arguments: CallArguments, toParametersOf macro: MacroDefinition
  ) throws(TemplateError) {
    var named = arguments.named
    func takeNamed(_ name: String) -> Value? {
      named.firstIndex { $0.name == name }.map { named.remove(at: $0).value }
    }
    let firstDefault = macro.parameters.count - macro.defaults.count
    for (index, parameter) in macro.parameters.enumerated() {
      let given = index < arguments.positional.count ? arguments.positional[index] : takeNamed(parameter)
      if let given {
        scope.variables[parameter] = given
      } else if index >= firstDefault {
        scope.variables[parameter] = try evaluate(macro.defaults[index - firstDefault])
      } else {
        scope.variables[parameter] = .undefined("parameter '\(parameter)' was not provided")
      }
    }
    if macro.usesCaller, !macro.parameters.contains("caller") {
      scope.variables["caller"] = takeNamed("caller") ?? .undefined("No caller defined")
    }
    if macro.usesKwargs {
      scope.variables["kwargs"] = try dictionary(named.map { (.text($0.name), $0.value) })
    } else if let first = named.first {
      throw failure("the macro \(macro.name) has no parameter \"\(first.name)\"")
    }
    let extra = Array(arguments.positional.dropFirst(macro.parameters.count))
    if macro.usesVarargs {
      scope.variables["varargs"] = try list(.tuple, extra)
    } else if !extra.isEmpty {
      throw failure("the macro \(macro.name) takes at most \(macro.parameters.count) arguments")
    }
  }
}
