extension Interpreter {
  func applyToNumber(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    if case .undefined(let message) = value { throw failure(message) }
    switch filter {
    case .int:
      let values = try bind(arguments, "default", "base", for: "int")
      let base = try optionalInteger(values[1], for: "int") ?? 10
      guard base == 0 || 2...36 ~= base else { throw failure("int: the base must be 0, or from 2 to 36") }
      return try integer(value, base: base) ?? values[0] ?? .integer(0)
    case .float:
      let otherwise = try bind(arguments, "default", for: "float")[0]
      return double(value).map { .float($0) } ?? otherwise ?? .float(0)
    case .round: return try round(value, arguments)
    default:
      switch Number(value) {
      case .integer(let number): return try number < 0 ? negated(value) : .integer(number)
      case .float(let number): return .float(number.magnitude)
      case nil: throw failure("abs requires a number, found \(value.typeName)")
      }
    }
  }

  /// Returns the number, or the number that a text contains, without its fraction; nil if there is none.
  private func integer(_ value: Value, base: Int) throws(TemplateError) -> Value? {
    if case .integer(let number) = Number(value) { return .integer(number) }
    if case .text(let text) = value {
      let digits = text.stripped().string.filter { $0 != "_" }.lowercased()
      let prefixes = ["0x": 16, "0o": 8, "0b": 2]
      if base == 0 || prefixes.values.contains(base), let found = prefixes[String(digits.prefix(2))],
        base == 0 || base == found, let number = Int(digits.dropFirst(2), radix: found)
      {
        return .integer(number)
      }
      if let number = Int(digits, radix: base == 0 ? 10 : base) { return .integer(number) }
    }
    guard let number = double(value), number.isFinite else { return nil }
    guard let integer = Int(exactly: number.rounded(.towardZero)) else { return try self.integer(0, true) }
    return .integer(integer)
  }

  /// Returns the number, or the number that a text contains; nil if there is none.
  private func double(_ value: Value) -> Double? {
    if let number = Number(value) { return number.double }
    guard case .text(let text) = value else { return nil }
    let string = text.stripped().string.lowercased()
    // Python's `float` accepts no hexadecimal numbers and no NaN with a payload, which Swift reads
    guard !string.contains("x"), !string.contains("(") else { return nil }
    return Double(string.filter { $0 != "_" })
  }

  private func round(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let values = try bind(arguments, "precision", "method", for: "round")
    let precision = try optionalInteger(values[0], for: "round") ?? 0
    let method = try optionalText(values[1], for: "round")?.string ?? "common"
    guard let number = Number(value) else { throw failure("round requires a number, found \(value.typeName)") }
    guard -300...300 ~= precision else { throw failure("round: a precision of \(precision) is not supported") }
    let scale = Double("1e\(precision)") ?? 1
    switch method {
    case "common":
      if case .integer(let integer) = number, precision >= 0 { return .integer(integer) }
      guard precision >= 0, number.double.isFinite else {
        return .float((number.double * scale).rounded(.toNearestOrEven) / scale)
      }
      return .float(Double(decimalText(number.double, digits: precision)) ?? number.double)
    case "ceil", "floor":
      return .float((number.double * scale).rounded(method == "ceil" ? .up : .down) / scale)
    default: throw failure("round: the method must be common, ceil or floor")
    }
  }
}
