/// An error in the text of a template or while it is rendered.
public struct TemplateError: Error, CustomStringConvertible, Equatable {
  /// What is wrong, without the place. For `raise_exception` the message of the template.
  public let reason: String
  /// The line of the template, from 1.
  public let line: Int

  /// The line and the reason.
  public var description: String { "line \(line): \(reason)" }
}
