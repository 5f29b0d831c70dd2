/// Variables, and the scope around them.
final class Scope {
  var variables: [String: Value] = [:]
  let parent: Scope?

  init(in parent: Scope?) { self.parent = parent }

  func value(of name: String) -> Value? {
    var scope: Scope? = self
    while let current = scope {
      if let value = current.variables[name] { return value }
      scope = current.parent
    }
    return nil
  }
}

/// Renders a template once: evaluates its statements in order and collects their text.
///
/// The semantics are those of jinja2, and of Python for the operations on values. Every evaluation, and every scalar
/// that an operation produces or compares, is counted against a budget, so that rendering ends.
final class Interpreter {
  var output: MarkedText = []
  var scope: Scope
  /// The line of the statement or expression that is evaluated.
  var line = 1
  private var budget: Budget
  private var depth = 0
  // A namespace can refer to itself, and a macro refers to the scope that it is in. These objects are kept until the
  // end, and emptied then: so cycles are freed, and long chains of objects are not freed recursively.
  private var namespaces: [Namespace] = []
  private var macroScopes: [Scope] = []

  /// - Parameter inputSize: the size of the variables in bytes.
  init(variables: [String: Value], inputSize: Int) {
    scope = Scope(in: nil)
    scope.variables = variables
    budget = Budget(inputSize: inputSize)
  }

  deinit {
    for namespace in namespaces { namespace.attributes = [] }
    for scope in macroScopes { scope.variables = [:] }
  }

  // MARK: - Errors and limits

  func failure(_ reason: String) -> TemplateError { TemplateError(reason: reason, line: line) }

  /// Counts steps of work.
  func step(_ count: Int = 1) throws(TemplateError) {
    do throws(BudgetError) { try budget.spend(steps: count) } catch { throw failure(error.reason) }
  }

  /// Counts scalars that are produced or compared.
  func spend(_ scalars: Int) throws(TemplateError) {
    do throws(BudgetError) { try budget.spend(scalars: scalars) } catch { throw failure(error.reason) }
  }

  /// Calls `body` one level deeper. The limit keeps the call stack within its size.
  func nested<Result>(_ body: () throws(TemplateError) -> Result) throws(TemplateError) -> Result {
    try step()
    depth += 1
    defer { depth -= 1 }
    guard depth <= Limits.evaluationDepth else {
      throw failure("calls and expressions are nested more than \(Limits.evaluationDepth) levels deep")
    }
    return try body()
  }

  /// Calls `search` with the budget, to which it adds the work of its comparisons.
  func search<Result>(
    _ text: MarkedText, _ pattern: MarkedText,
    _ search: (TextSearch, inout Budget) throws(BudgetError) -> Result
  ) throws(TemplateError) -> Result {
    do throws(BudgetError) {
      return try search(TextSearch(text: text, pattern: pattern), &budget)
    } catch { throw failure(error.reason) }
  }

  func find(_ pattern: MarkedText, in text: MarkedText) throws(TemplateError) -> Int? {
    try search(text, pattern) { (search, budget) throws(BudgetError) in try search.next(from: 0, &budget) }
  }

  // MARK: - Values

  func makeNamespace() -> Namespace {
    let namespace = Namespace()
    namespaces.append(namespace)
    return namespace
  }

  func makeMacro(_ definition: MacroDefinition) -> Value {
    macroScopes.append(scope)
    return .function(.macro(Macro(definition, in: scope)))
  }

  /// Returns a list, unless it is nested too deeply.
  func list(_ kind: List.Kind = .list, _ elements: [Value]) throws(TemplateError) -> Value {
    try step(1 + Limits.stepsPerElement * elements.count)
    let list = List(kind, elements)
    try checkDepth(list.depth)
    return .list(list)
  }

  /// Returns a dictionary, unless it is nested too deeply or a key cannot be hashed.
  func dictionary(_ members: [(key: Value, value: Value)]) throws(TemplateError) -> Value {
    try step(1 + Limits.stepsPerElement * members.count)
    var hashed: [(key: Value, hash: Key, value: Value)] = []
    for member in members { hashed.append((member.key, try key(member.key), member.value)) }
    let dictionary = Dictionary(hashed)
    try checkDepth(dictionary.depth)
    return .dictionary(dictionary)
  }

  func generator(_ elements: [Value]) throws(TemplateError) -> Value {
    try step(1 + Limits.stepsPerElement * elements.count)
    let generator = Generator(elements)
    try checkDepth(generator.depth)
    return .generator(generator)
  }

  func checkDepth(_ depth: Int) throws(TemplateError) {
    guard depth <= Limits.valueDepth else {
      throw failure("lists and dictionaries are nested more than \(Limits.valueDepth) levels deep")
    }
  }

  func key(_ value: Value) throws(TemplateError) -> Key {
    if case .text(let text) = value { try spend(text.count / 8) }
    guard let key = Key(value) else { throw failure("a value of type \(value.typeName) cannot be a key") }
    return key
  }

  /// Returns the elements of a sequence, the scalars of a text or the keys of a dictionary.
  func elements(of value: Value) throws(TemplateError) -> [Value] {
    switch value {
    case .undefined: return []
    case .list(let list):
      try step(list.elements.count / 8)
      return list.elements
    case .dictionary(let dictionary):
      try step(dictionary.members.count / 8)
      return dictionary.members.map(\.key)
    case .text(let text):
      try step(Limits.stepsPerElement * text.count)
      return text.map { .text([$0]) }
    case .generator(let generator): return generator.rest()
    default: throw failure("a value of type \(value.typeName) cannot be iterated")
    }
  }

  /// Returns the number of elements, as Python's `len`.
  func count(of value: Value) throws(TemplateError) -> Int {
    switch value {
    case .undefined: 0
    case .text(let text): text.count
    case .list(let list): list.elements.count
    case .dictionary(let dictionary): dictionary.members.count
    case .loop(let loop): try loop.length()
    default: throw failure("a value of type \(value.typeName) has no length")
    }
  }

  /// Returns the values in ascending order of their keys; equal ones keep their order.
  func sorted<Element>(
    _ values: [Element], reverse: Bool = false, by key: (Element) -> Value
  ) throws(TemplateError) -> [Element] {
    do {
      return try values.sorted { left, right in
        reverse ? try isLess(key(right), key(left)) : try isLess(key(left), key(right))
      }
    } catch let error as TemplateError {
      throw error
    } catch { throw failure("\(error)") }
  }
}
