/// A token of a template.
struct Token {
  enum Kind: Equatable {
    /// Text outside of tags.
    case data(MarkedText)
    /// `{%`, `%}`, `{{` and `}}`
    case blockBegin, blockEnd, variableBegin, variableEnd
    case name(String)
    case text(MarkedText)
    case integer(Int)
    case float(Double)
    /// An operator, bracket or separator.
    case symbol(String)
    case end
  }

  let kind: Kind
  let line: Int

  /// The token in an error message.
  var description: String {
    switch kind {
    case .data: "text"
    case .blockBegin: "{%"
    case .blockEnd: "%}"
    case .variableBegin: "{{"
    case .variableEnd: "}}"
    case .name(let name), .symbol(let name): name
    case .text: "a string"
    case .integer, .float: "a number"
    case .end: "the end of the template"
    }
  }
}
