/// The variable `loop`, and the values of a loop that have not been used yet.
final class LoopState {
  let loop: ForLoop
  /// The scope of the statement, in which the loop is called again if it is recursive.
  let scope: Scope
  /// How many recursive loops this one is in.
  let depth: Int
  private let values: [Value]
  private var position = 0
  /// Evaluates the condition of the loop.
  private unowned let interpreter: Interpreter
  /// The value after the current one, if it has been read, or `.some(nil)` at the end.
  private var following: Value??
  private(set) var index = -1
  private(set) var current: Value?
  private(set) var previous: Value?
  /// The last arguments of `loop.changed`.
  var lastValues: Value?

  init(_ loop: ForLoop, in scope: Scope, depth: Int, values: [Value], _ interpreter: Interpreter) {
    self.loop = loop
    self.scope = scope
    self.depth = depth
    self.values = values
    self.interpreter = interpreter
  }

  /// Moves to the next value. Returns false at the end.
  func advance() throws(TemplateError) -> Bool {
    guard let next = try peek() else { return false }
    following = nil
    index += 1
    previous = current
    current = next
    return true
  }

  /// Returns the value after the current one; nil at the end.
  func peek() throws(TemplateError) -> Value? {
    if let following { return following }
    let next = try read()
    following = .some(next)
    return next
  }

  private func read() throws(TemplateError) -> Value? {
    while position < values.count {
      let value = values[position]
      position += 1
      if try interpreter.accepts(value, in: self) { return value }
    }
    return nil
  }

  /// The number of values, if it is known without evaluating the condition.
  var knownLength: Int? { loop.condition == nil ? values.count : countedLength }
  private var countedLength: Int?

  /// Returns the number of values that satisfy the condition.
  func length() throws(TemplateError) -> Int {
    if let knownLength { return knownLength }
    var count = index + 1
    if try peek() != nil { count += 1 }
    for value in values[position...] where try interpreter.accepts(value, in: self) { count += 1 }
    countedLength = count
    return count
  }
}

extension Interpreter {
  func executeFor(_ loop: ForLoop) throws(TemplateError) -> Flow {
    try execute(loop, over: evaluate(loop.values), in: scope, depth: 0)
    return .next
  }

  /// Executes a recursive loop again, over other values, and returns its text.
  func render(_ state: LoopState, over values: Value) throws(TemplateError) -> Value {
    guard state.loop.isRecursive else { throw failure("the loop is not recursive, so loop cannot be called") }
    let (text, _) = try captured { () throws(TemplateError) in
      try execute(state.loop, over: values, in: state.scope, depth: state.depth + 1)
    }
    return .text(text)
  }

  private func execute(
    _ loop: ForLoop, over values: Value, in parent: Scope, depth: Int
  ) throws(TemplateError) {
    try nested { () throws(TemplateError) in
      let state = LoopState(loop, in: parent, depth: depth, values: try elements(of: values), self)
      while try state.advance() {
        try step()
        let flow = try inNewScope(of: parent) { () throws(TemplateError) in
          scope.variables["loop"] = .loop(state)
          if let value = state.current { try assign(value, to: loop.target) }
          return try execute(loop.body)
        }
        if flow == .breakLoop { break }
      }
      if state.index < 0 {
        try inNewScope(of: parent) { () throws(TemplateError) in _ = try execute(loop.otherwise) }
      }
    }
  }

  /// Returns whether a value satisfies the condition of a loop.
  fileprivate func accepts(_ value: Value, in state: LoopState) throws(TemplateError) -> Bool {
    guard let condition = state.loop.condition else { return true }
    return try inNewScope(of: state.scope) { () throws(TemplateError) in
      try assign(value, to: state.loop.target)
      return try evaluate(condition).isTrue
    }
  }

  /// Returns an attribute of the variable `loop`; nil if it has no such attribute.
  func attribute(_ name: String, of loop: LoopState) throws(TemplateError) -> Value? {
    switch name {
    case "index": .integer(loop.index + 1)
    case "index0": .integer(loop.index)
    case "first": .boolean(loop.index == 0)
    case "last": .boolean(try loop.peek() == nil)
    case "length": .integer(try loop.length())
    case "revindex": .integer(try loop.length() - loop.index)
    case "revindex0": .integer(try loop.length() - loop.index - 1)
    case "depth": .integer(loop.depth + 1)
    case "depth0": .integer(loop.depth)
    case "previtem": loop.previous ?? .undefined("there is no previous item")
    case "nextitem": try loop.peek() ?? .undefined("there is no next item")
    case "cycle", "changed": .function(.method(.loop(loop), name))
    default: nil
    }
  }
}
