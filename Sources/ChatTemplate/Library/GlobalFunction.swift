/// The functions that a template can call.
enum GlobalFunction: String {
  case range, dict, namespace, lipsum, cycler, joiner
  // Added by transformers
  case raiseException = "raise_exception"
  case strftimeNow = "strftime_now"
}

extension Interpreter {
  func call(_ function: GlobalFunction, _ arguments: CallArguments) throws(TemplateError) -> Value {
    switch function {
    case .range: return try range(arguments)
    case .dict: return try dictionary(members(arguments))
    case .namespace:
      let namespace = makeNamespace()
      for member in try members(arguments) {
        guard case .text(let name) = member.key else { throw failure("a namespace requires names") }
        try assign(member.value, to: name.string, of: namespace)
      }
      return .namespace(namespace)
    case .raiseException:
      let message = try bind(arguments, "message", for: "raise_exception")[0]
      throw failure(try message.map { (message) throws(TemplateError) in try text(of: message).string } ?? "")
    case .strftimeNow:
      guard case .text(let format) = try bind(arguments, "format", for: "strftime_now")[0] else {
        throw failure("strftime_now requires a text")
      }
      return .text(try currentDate(format))
    case .lipsum, .cycler, .joiner: throw failure("the function \"\(function.rawValue)\" is not implemented")
    }
  }

  /// Returns the members of a dictionary, or of pairs, and the named arguments.
  private func members(_ arguments: CallArguments) throws(TemplateError) -> [(key: Value, value: Value)] {
    guard arguments.positional.count <= 1 else {
      throw failure("dict and namespace take at most one positional argument")
    }
    var members: [(key: Value, value: Value)] = []
    if case .dictionary(let dictionary) = arguments.positional.first {
      members = dictionary.members
    } else if let pairs = arguments.positional.first {
      for pair in try elements(of: pairs) {
        let pair = try elements(of: pair)
        guard pair.count == 2 else { throw failure("a member of a dictionary requires a key and a value") }
        members.append((pair[0], pair[1]))
      }
    }
    return members + arguments.named.map { (.text($0.name), $0.value) }
  }

  private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
    var bounds: [Int] = []
    for value in arguments.positional {
      guard case .integer(let number) = Number(value) else {
        throw failure("range requires integers, found \(value.typeName)")
      }
      bounds.append(number)
    }
    guard arguments.named.isEmpty, 1...3 ~= bounds.count else { throw failure("range takes one to three integers") }
    let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw failure("the step of a range must not be 0") }
    var numbers: [Value] = []
    for number in stride(from: start, to: stop, by: step) {
      guard numbers.count < Limits.rangeLength else {
        throw failure("a range has at most \(Limits.rangeLength) numbers")
      }
      numbers.append(.integer(number))
    }
    let description = bounds.count == 3 && step != 1 ? "range(\(start), \(stop), \(step))" : "range(\(start), \(stop))"
    return try list(.range(description), numbers)
  }
}
