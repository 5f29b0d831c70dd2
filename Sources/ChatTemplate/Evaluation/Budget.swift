/// The limits of rendering, which end hostile templates in bounded time and memory.
struct Limits {
  /// The number of evaluated expressions, statements and iterations. A second of work.
  static let steps = 20_000_000
  /// How many steps each byte of the input allows beyond that. Some templates iterate over all messages for each one.
  static let stepsPerByte = 64
  /// The steps for each element of a list that is made. An element takes some 24 bytes.
  static let stepsPerElement = 2
  /// The number of Unicode scalars that all operations together may produce or compare. A scalar takes 4 bytes.
  static let scalars = 16 << 20
  /// How often each byte of the input may be copied beyond that. Templates that collect a text in a namespace copy it
  /// for each message.
  static let copiesOfInput = 256
  /// Expressions, statements and calls within each other while a template is rendered.
  static let evaluationDepth = 600
  /// Brackets, operators and blocks within each other in the text of a template.
  static let syntaxDepth = 120
  /// Lists and dictionaries within each other.
  static let valueDepth = 120
  /// The length of a range, as in jinja2's sandbox.
  static let rangeLength = 100_000
  /// The size of a template in bytes. Published templates have at most 30,000.
  static let templateSize = 1 << 20
}

/// The error of an exhausted budget.
enum BudgetError: Error {
  case steps
  case scalars

  var reason: String {
    switch self {
    case .steps: "the template takes too many steps"
    case .scalars: "the template produces too much text"
    }
  }
}

/// What is left of the limits.
struct Budget {
  private var steps: Int
  private var scalars: Int

  /// - Parameter inputSize: the size of the input in bytes.
  init(inputSize: Int) {
    steps = Limits.steps + Limits.stepsPerByte * inputSize
    scalars = Limits.scalars + Limits.copiesOfInput * inputSize
  }

  mutating func spend(steps amount: Int = 1) throws(BudgetError) {
    steps -= amount
    if steps < 0 { throw .steps }
  }

  /// Spends scalars that are produced or compared.
  mutating func spend(scalars amount: Int) throws(BudgetError) {
    scalars -= amount
    if scalars < 0 { throw .scalars }
  }
}
