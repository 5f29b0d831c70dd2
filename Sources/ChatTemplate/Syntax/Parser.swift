/// Parses the tokens of a template into statements and expressions, by the grammar of jinja2 (jinja2/parser.py).
struct Parser {
  private let tokens: [Token]
  private var index = 0
  /// Blocks and brackets that are open.
  private var depth = 0
  /// Loops that are open in the current macro.
  var loopDepth = 0
  /// The variables read in the macros that are open.
  var usedNames: [Set<String>] = []
  /// The texts of string literals and of the template.
  private(set) var literals: Set<MarkedText> = []

  init(_ source: String) throws(TemplateError) { tokens = try Lexer.tokens(of: source) }

  /// Parses the whole template.
  mutating func parse() throws(TemplateError) -> [Statement] { try parseBody(until: []) }

  // MARK: - Tokens

  var current: Token { tokens[index] }
  var next: Token { tokens[min(index + 1, tokens.count - 1)] }
  var line: Int { current.line }

  mutating func advance() { index = min(index + 1, tokens.count - 1) }

  func failure(_ reason: String, line: Int? = nil) -> TemplateError {
    TemplateError(reason: reason, line: line ?? current.line)
  }

  func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
  func isName(_ name: String) -> Bool { current.kind == .name(name) }

  mutating func skip(_ kind: Token.Kind) -> Bool {
    guard current.kind == kind else { return false }
    advance()
    return true
  }

  mutating func skipSymbol(_ symbol: String) -> Bool { skip(.symbol(symbol)) }
  mutating func skipName(_ name: String) -> Bool { skip(.name(name)) }

  mutating func expect(_ kind: Token.Kind) throws(TemplateError) {
    guard skip(kind) else {
      throw failure("expected \(Token(kind: kind, line: 0).description), found \(current.description)")
    }
  }

  mutating func expectName() throws(TemplateError) -> String {
    guard case .name(let name) = current.kind else { throw failure("expected a name, found \(current.description)") }
    advance()
    return name
  }

  // MARK: - Limits

  /// Calls `body` one level deeper.
  mutating func nested<Result>(_ body: (inout Parser) throws(TemplateError) -> Result) throws(TemplateError) -> Result {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Limits.syntaxDepth else { throw tooDeep }
    return try body(&self)
  }

  private var tooDeep: TemplateError {
    failure("the template is nested too deeply: at most \(Limits.syntaxDepth) levels are supported")
  }

  /// Returns an expression with these parts.
  mutating func make(_ kind: Expression.Kind, line: Int, _ parts: [Expression] = []) throws(TemplateError) -> Expression
  {
    if case .text(let text) = kind { literals.insert(text) }
    let depth = 1 + (parts.map(\.depth).max() ?? 0)
    guard depth <= Limits.syntaxDepth else { throw tooDeep }
    return Expression(kind: kind, line: line, depth: depth)
  }

  // MARK: - Text

  /// Parses statements up to a tag that begins with one of `ends`, which it leaves as the current token; without
  /// `ends`, up to the end of the template.
  mutating func parseBody(until ends: [String]) throws(TemplateError) -> [Statement] {
    try nested { (parser) throws(TemplateError) in
      var statements: [Statement] = []
      while true {
        let line = parser.line
        switch parser.current.kind {
        case .data(let text):
          parser.literals.insert(text)
          statements.append(Statement(kind: .text(text), line: line))
          parser.advance()
        case .variableBegin:
          parser.advance()
          statements.append(Statement(kind: .output(try parser.parseTuple()), line: line))
          try parser.expect(.variableEnd)
        case .blockBegin:
          parser.advance()
          if case .name(let name) = parser.current.kind, ends.contains(name) { return statements }
          statements.append(try parser.parseStatement())
          try parser.expect(.blockEnd)
        default:
          guard ends.isEmpty else {
            throw parser.failure("the template ends before \(ends.joined(separator: " or "))")
          }
          return statements
        }
      }
    }
  }

  /// Parses the rest of a tag and the statements up to a tag that begins with one of `ends`, whose name it reads.
  mutating func parseBlock(until ends: String...) throws(TemplateError) -> (body: [Statement], end: String) {
    _ = skipSymbol(":")
    try expect(.blockEnd)
    let body = try parseBody(until: ends)
    return (body, try expectName())
  }
}
