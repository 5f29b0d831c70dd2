/// An expression of a template.
struct Expression: Sendable {
  let kind: Kind
  /// The line of the template, from 1.
  let line: Int
  /// The number of expressions within each other, at most `Limits.syntaxDepth`.
  let depth: Int

  indirect enum Kind: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case float(Double)
    case text(MarkedText)
    case name(String)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    /// `value.name`
    case attribute(Expression, String)
    /// `value[index]`
    case item(Expression, Expression)
    /// `value[start:stop:step]`
    case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
    case call(Expression, Arguments)
    /// A filter; the value is nil in the statements `filter` and `set`, whose text it filters.
    case filter(Expression?, String, Arguments)
    case test(Expression, String, Arguments)
    case not(Expression)
    case negated(Expression)
    case positive(Expression)
    case binary(BinaryOperator, Expression, Expression)
    /// `a ~ b ~ c`
    case concatenation([Expression])
    case comparison(Expression, [(symbol: Comparison, right: Expression)])
    case and(Expression, Expression)
    case or(Expression, Expression)
    /// `then if condition else otherwise`
    case conditional(Expression, then: Expression, otherwise: Expression?)
  }
}

enum BinaryOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case divideDown = "//"
  case remainder = "%"
  case power = "**"
}

enum Comparison: String, Sendable {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case isIn = "in"
  case notIn = "not in"
}

/// The arguments of a call, a filter or a test.
struct Arguments: Sendable {
  var positional: [Expression] = []
  var named: [(name: String, value: Expression)] = []
  /// `*values`
  var spread: Expression?
  /// `**values`
  var namedSpread: Expression?

  var expressions: [Expression] { positional + named.map(\.value) + [spread, namedSpread].compactMap(\.self) }
}

/// The left side of an assignment.
indirect enum Target: Sendable {
  case name(String)
  /// An attribute of a namespace.
  case attribute(namespace: String, String)
  case tuple([Target])
}

/// A part of a template.
struct Statement: Sendable {
  let kind: Kind
  let line: Int

  indirect enum Kind: Sendable {
    case text(MarkedText)
    case output(Expression)
    case `if`([(condition: Expression, body: [Statement])], otherwise: [Statement])
    case `for`(ForLoop)
    case set(Target, Expression)
    case setBlock(Target, filter: Expression?, [Statement])
    case macro(MacroDefinition)
    /// `{% call(parameters) callee(arguments) %}`
    case callBlock(MacroDefinition, callee: Expression, Arguments)
    case filterBlock(Expression, [Statement])
    case with([(target: Target, value: Expression)], [Statement])
    /// The text of an assistant, which transformers can mark for training.
    case generation([Statement])
    case breakLoop
    case continueLoop
  }
}

struct ForLoop: Sendable {
  let target: Target
  let values: Expression
  let condition: Expression?
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]
}

struct MacroDefinition: Sendable {
  let name: String
  let parameters: [String]
  /// The default values of the last parameters.
  let defaults: [Expression]
  let body: [Statement]
  /// The body uses the variable `caller`, `varargs` or `kwargs`, which accept further arguments.
  let usesCaller: Bool
  let usesVarargs: Bool
  let usesKwargs: Bool
}
