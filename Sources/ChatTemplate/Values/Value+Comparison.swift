extension Interpreter {
  /// Returns whether two values are equal, as in Python.
  func areEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
    try step()
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let left), .text(let right)):
      try spend(min(left.count, right.count))
      return left == right
    case (.list(let left), .list(let right)):
      guard left === right || left.elements.count == right.elements.count, left.hasSameKind(as: right) else {
        return false
      }
      for (left, right) in zip(left.elements, right.elements) {
        guard try areEqual(left, right) else { return false }
      }
      return true
    case (.dictionary(let left), .dictionary(let right)):
      guard left.members.count == right.members.count else { return false }
      for member in left.members {
        guard let key = Key(member.key), let value = right[key], try areEqual(member.value, value) else { return false }
      }
      return true
    case (.namespace(let left), .namespace(let right)): return left === right
    case (.generator(let left), .generator(let right)): return left === right
    case (.loop(let left), .loop(let right)): return left === right
    default:
      guard let left = Number(left), let right = Number(right) else { return false }
      return left.isEqual(to: right)
    }
  }

  /// Returns whether the left value is less than the right one. Values of types without an order are an error.
  func isLess(_ left: Value, _ right: Value, _ symbol: String = "<") throws(TemplateError) -> Bool {
    try step()
    switch (left, right) {
    case (.text(let left), .text(let right)):
      try spend(min(left.count, right.count))
      return left.lexicographicallyPrecedes(right) { $0.value < $1.value }
    case (.list(let left), .list(let right)) where left.hasSameKind(as: right) && left.isOrdered:
      for (left, right) in zip(left.elements, right.elements) {
        if try !areEqual(left, right) { return try isLess(left, right, symbol) }
      }
      return left.elements.count < right.elements.count
    case (.undefined(let message), _), (_, .undefined(let message)): throw failure(message)
    default:
      guard let left = Number(left), let right = Number(right) else {
        throw failure("\"\(symbol)\" is not possible between \(left.typeName) and \(right.typeName)")
      }
      return left.isLess(than: right)
    }
  }

  func isLessOrEqual(_ left: Value, _ right: Value, _ symbol: String = "<=") throws(TemplateError) -> Bool {
    if try isLess(left, right, symbol) { return true }
    return try areEqual(left, right)
  }

  /// Returns whether a container has a value: a text a part, a dictionary a key, a sequence an element.
  func contains(_ container: Value, _ value: Value) throws(TemplateError) -> Bool {
    switch container {
    case .text(let text):
      guard case .text(let part) = value else {
        throw failure("\"in\" is not possible between \(value.typeName) and str")
      }
      return try find(part, in: text) != nil
    case .dictionary(let dictionary): return dictionary[try key(value)] != nil
    case .list, .generator, .undefined, .loop:
      for element in try elements(of: container) {
        if try areEqual(element, value) { return true }
      }
      return false
    default: throw failure("\"in\" is not possible for \(container.typeName)")
    }
  }
}

extension List {
  fileprivate var isOrdered: Bool { kind == .list || kind == .tuple }

  fileprivate func hasSameKind(as other: List) -> Bool {
    switch (kind, other.kind) {
    case (.range, .range): true
    default: kind == other.kind
    }
  }
}

/// A number, or a truth value, which is 0 or 1.
enum Number {
  case integer(Int)
  case float(Double)

  init?(_ value: Value) {
    switch value {
    case .boolean(let flag): self = .integer(flag ? 1 : 0)
    case .integer(let number): self = .integer(number)
    case .float(let number): self = .float(number)
    default: return nil
    }
  }

  var double: Double {
    switch self {
    case .integer(let number): Double(number)
    case .float(let number): number
    }
  }

  func isEqual(to other: Number) -> Bool {
    switch (self, other) {
    case (.integer(let left), .integer(let right)): left == right
    case (.float(let left), .float(let right)): left == right
    case (.integer(let integer), .float(let float)), (.float(let float), .integer(let integer)):
      Int(exactly: float) == integer
    }
  }

  func isLess(than other: Number) -> Bool {
    switch (self, other) {
    case (.integer(let left), .integer(let right)): left < right
    // Exact, although an integer of more than 53 bits is rounded: then the float is an integer too
    case (.integer(let left), .float(let right)):
      Int(exactly: right.rounded(.up)).map { left < $0 } ?? (right > 0)
    case (.float(let left), .integer(let right)):
      Int(exactly: left.rounded(.down)).map { $0 < right } ?? (left < 0)
    case (.float(let left), .float(let right)): left < right
    }
  }
}
