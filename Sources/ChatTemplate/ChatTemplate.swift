/// A chat template: a program in the template language Jinja that turns the messages of a conversation into the text
/// that a model was trained on.
///
/// Implemented is the language that templates for `apply_chat_template` of transformers use: jinja2 with `trim_blocks`,
/// `lstrip_blocks` and `break` and `continue` in loops, in its sandbox for immutable values. A statement, filter, test
/// or method that is not implemented is an error that names it.
///
/// ```swift
/// let template = try ChatTemplate("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}")
/// let text = try template.render(["messages": messages], inputSize: line.count)
/// ```
///
/// A template is immutable and can be shared by threads.
public struct ChatTemplate: Sendable {
  private let statements: [Statement]
  private let literals: Set<MarkedText>

  /// Parses a template.
  ///
  /// - Throws: `TemplateError` for a template that is not valid, or uses what is not implemented.
  public init(_ source: String) throws(TemplateError) {
    guard source.utf8.count <= Limits.templateSize else {
      throw TemplateError(reason: "the template has more than \(Limits.templateSize) bytes", line: 1)
    }
    var parser = try Parser(source)
    statements = try parser.parse()
    literals = parser.literals
  }

  /// Returns the text of the template for these variables.
  ///
  /// - Parameter inputSize: the size of the variables in bytes, on which the limits depend.
  /// - Throws: `TemplateError`, also for `raise_exception` of the template and for an exceeded limit.
  public func render(_ variables: [String: TemplateValue], inputSize: Int) throws(TemplateError) -> RenderedText {
    let interpreter = Interpreter(variables: variables.mapValues(\.value), inputSize: inputSize)
    try interpreter.execute(statements)
    return RenderedText(interpreter.output)
  }

  /// Returns whether a string of the template, or its text outside of tags, contains `text`.
  public func mentions(_ text: [UInt8]) -> Bool {
    let pattern = MarkedText(utf8: text, isInput: false)
    return literals.contains { literal in
      literal.indices.contains { literal[$0...].starts(with: pattern) }
    }
  }
}
