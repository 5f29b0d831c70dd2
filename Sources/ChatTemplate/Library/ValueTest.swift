/// The tests of jinja2 (jinja2/tests.py).
enum ValueTest: String {
  case odd, even, divisibleby, defined, undefined, none, boolean, `false`, `true`, integer, float, lower, upper, string,
    mapping, number, sequence, iterable, callable, sameas, escaped, `in`
  case eq, equalto, ne, gt, greaterthan, ge, lt, lessthan, le
  case equal = "=="
  case notEqual = "!="
  case greater = ">"
  case greaterOrEqual = ">="
  case less = "<"
  case lessOrEqual = "<="
}

extension Interpreter {
  /// Returns the test with this name. As in jinja2, a template may name unknown tests if it does not use them.
  func test(_ name: String) throws(TemplateError) -> ValueTest {
    guard let test = ValueTest(rawValue: name) else { throw failure("the test \"\(name)\" is not implemented") }
    return test
  }

  func apply(_ test: ValueTest, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
    func argument() throws(TemplateError) -> Value {
      guard arguments.named.isEmpty, arguments.positional.count == 1 else {
        throw failure("the test \"\(test.rawValue)\" requires one argument")
      }
      return arguments.positional[0]
    }
    func hasRemainder(_ remainder: Int, by divisor: Value) throws(TemplateError) -> Bool {
      try areEqual(apply(.remainder, value, divisor), .integer(remainder))
    }
    switch test {
    case .odd: return try hasRemainder(1, by: .integer(2))
    case .even: return try hasRemainder(0, by: .integer(2))
    case .divisibleby: return try hasRemainder(0, by: argument())
    case .lower: return try text(of: value).isLowercase
    case .upper: return try text(of: value).isUppercase
    case .in: return try contains(argument(), value)
    case .sameas: return isSame(value, try argument())
    case .eq, .equalto, .equal: return try areEqual(value, argument())
    case .ne, .notEqual: return try !areEqual(value, argument())
    case .lt, .lessthan, .less: return try isLess(value, argument())
    case .gt, .greaterthan, .greater: return try isLess(argument(), value)
    case .le, .lessOrEqual: return try isLessOrEqual(value, argument())
    case .ge, .greaterOrEqual: return try isLessOrEqual(argument(), value, ">=")
    default: return hasType(value, test)
    }
  }

  private func hasType(_ value: Value, _ test: ValueTest) -> Bool {
    switch (test, value) {
    case (.defined, .undefined): false
    case (.defined, _), (.undefined, .undefined): true
    case (.none, .none), (.boolean, .boolean), (.true, .boolean(true)), (.false, .boolean(false)): true
    case (.integer, .integer), (.float, .float): true
    case (.number, .boolean), (.number, .integer), (.number, .float): true
    case (.string, .text), (.mapping, .dictionary), (.callable, .function), (.callable, .loop),
      (.callable, .undefined):
      true
    case (.sequence, .text), (.sequence, .dictionary), (.sequence, .undefined): true
    case (.sequence, .list(let list)): list.isIndexed
    case (.iterable, .text), (.iterable, .dictionary), (.iterable, .undefined): true
    case (.iterable, .list), (.iterable, .generator), (.iterable, .loop): true
    default: false
    }
  }

  private func isSame(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.none, .none): true
    case (.boolean(let left), .boolean(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.text(let left), .text(let right)): left == right
    case (.list(let left), .list(let right)): left === right
    case (.dictionary(let left), .dictionary(let right)): left === right
    case (.namespace(let left), .namespace(let right)): left === right
    default: false
    }
  }
}
