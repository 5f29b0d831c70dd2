import Platform

extension Interpreter {
  func negated(_ value: Value) throws(TemplateError) -> Value {
    switch try number(value, for: "-") {
    case .integer(let number):
      let (result, overflow) = 0.subtractingReportingOverflow(number)
      return try integer(result, overflow)
    case .float(let number): return .float(-number)
    }
  }

  func positive(_ value: Value) throws(TemplateError) -> Value {
    switch try number(value, for: "+") {
    case .integer(let number): .integer(number)
    case .float(let number): .float(number)
    }
  }

  func add(_ left: Value, _ right: Value) throws(TemplateError) -> Value {
    func joined(_ left: MarkedText, _ right: MarkedText) throws(TemplateError) -> Value {
      try spend(left.count + right.count)
      return .markup(left + right)
    }
    switch (left, right) {
    case (.markup(let left), .markup(let right)): return try joined(left, right)
    case (.markup(let left), .text(let right)): return try joined(left, escaped(right))
    case (.text(let left), .markup(let right)): return try joined(escaped(left), right)
    default: return try apply(.add, left, right)
    }
  }

  func apply(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
    switch (symbol, left, right) {
    case (.multiply, .text, .boolean(let flag)), (.multiply, .list, .boolean(let flag)):
      return try apply(.multiply, left, .integer(flag ? 1 : 0))
    case (.multiply, .boolean, .text), (.multiply, .boolean, .list): return try apply(.multiply, right, left)
    case (_, .undefined(let message), _): throw failure(message)
    case (.remainder, .text(let format), _): return .text(try formatted(format, CallArguments(formatting: right)))
    case (_, _, .undefined(let message)): throw failure(message)
    case (.add, .text(let left), .text(let right)):
      try spend(left.count + right.count)
      return .text(left + right)
    case (.add, .list(let left), .list(let right)) where left.kind == right.kind && left.isConcatenable:
      try step((left.elements.count + right.elements.count) / 8)
      return try list(left.kind, left.elements + right.elements)
    case (.multiply, .text(let text), .integer(let count)), (.multiply, .integer(let count), .text(let text)):
      return .text(try repeated(text, count))
    case (.multiply, .list(let list), .integer(let count)) where list.isConcatenable,
      (.multiply, .integer(let count), .list(let list)) where list.isConcatenable:
      let (total, overflow) = list.elements.count.multipliedReportingOverflow(by: max(count, 0))
      try step(overflow ? .max : total)
      return try self.list(list.kind, (0..<max(count, 0)).flatMap { _ in list.elements })
    default:
      return try calculate(symbol, left, right)
    }
  }

  func repeated(_ text: MarkedText, _ count: Int) throws(TemplateError) -> MarkedText {
    let (total, overflow) = text.count.multipliedReportingOverflow(by: max(count, 0))
    try spend(overflow ? .max : total)
    guard total > 0 else { return [] }
    return (0..<count).flatMap { _ in text }
  }

  private func calculate(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
    guard let leftNumber = Number(left), let rightNumber = Number(right) else {
      throw failure("\"\(symbol.rawValue)\" is not possible between \(left.typeName) and \(right.typeName)")
    }
    if case .integer(let left) = leftNumber, case .integer(let right) = rightNumber {
      return try calculate(symbol, left, right)
    }
    let (left, right) = (leftNumber.double, rightNumber.double)
    switch symbol {
    case .add: return .float(left + right)
    case .subtract: return .float(left - right)
    case .multiply: return .float(left * right)
    case .power: return .float(try power(left, right))
    case .divide, .divideDown, .remainder:
      guard right != 0 else { throw failure("division by zero") }
      if symbol == .divide { return .float(left / right) }
      var remainder = left.truncatingRemainder(dividingBy: right)
      if remainder != 0, (remainder < 0) != (right < 0) { remainder += right }
      return .float(symbol == .remainder ? remainder : ((left - remainder) / right).rounded())
    }
  }

  private func calculate(_ symbol: BinaryOperator, _ left: Int, _ right: Int) throws(TemplateError) -> Value {
    switch symbol {
    case .add:
      let (result, overflow) = left.addingReportingOverflow(right)
      return try integer(result, overflow)
    case .subtract:
      let (result, overflow) = left.subtractingReportingOverflow(right)
      return try integer(result, overflow)
    case .multiply:
      let (result, overflow) = left.multipliedReportingOverflow(by: right)
      return try integer(result, overflow)
    case .divide:
      guard right != 0 else { throw failure("division by zero") }
      return .float(Double(left) / Double(right))
    case .divideDown, .remainder:
      guard right != 0 else { throw failure("division by zero") }
      if right == -1 { return symbol == .remainder ? .integer(0) : try negated(.integer(left)) }
      let (quotient, remainder) = left.quotientAndRemainder(dividingBy: right)
      let isLower = remainder != 0 && (remainder < 0) != (right < 0)  // Python rounds down, and not towards zero
      return .integer(symbol == .remainder ? remainder + (isLower ? right : 0) : quotient - (isLower ? 1 : 0))
    case .power:
      guard right >= 0 else { return .float(try power(Double(left), Double(right))) }
      var result = 1
      // A base other than 0, 1 and -1 overflows after at most 63 multiplications
      for _ in 0..<(abs(Double(left)) > 1 ? min(right, 64) : left == -1 ? right % 2 : min(right, 1)) {
        let (product, overflow) = result.multipliedReportingOverflow(by: left)
        guard case .integer(let next) = try integer(product, overflow) else { break }
        result = next
      }
      return .integer(result)
    }
  }

  private func power(_ base: Double, _ exponent: Double) throws(TemplateError) -> Double {
    let result = pow(base, exponent)
    guard result.isFinite else { throw failure("the result of \"**\" is not finite") }
    return result
  }

  func integer(_ result: Int, _ overflow: Bool) throws(TemplateError) -> Value {
    guard !overflow else { throw failure("an integer of more than 64 bits is not supported") }
    return .integer(result)
  }

  private func number(_ value: Value, for symbol: String) throws(TemplateError) -> Number {
    if case .undefined(let message) = value { throw failure(message) }
    guard let number = Number(value) else { throw failure("\"\(symbol)\" is not possible for \(value.typeName)") }
    return number
  }
}

extension List {
  fileprivate var isConcatenable: Bool { kind == .list || kind == .tuple }
}
