/// One option of a tool: how it is parsed, what `--help`, the manual page and the completions say of it.
public struct Option: Sendable, Equatable {
  /// The long name, without its hyphens.
  public let name: String
  public let short: Character?
  /// Another long name that is understood.
  let alias: String?
  public let argument: Argument?
  /// A sentence or two, plain text, that says what it does.
  public let explanation: String
  /// Values that the completions offer, for a start.
  let suggestions: [String]

  /// What stands behind an option, and what it is allowed to be.
  public enum Argument: Sendable, Equatable {
    /// A whole number; `placeholder` is its name in the help.
    case integer(_ placeholder: String, ClosedRange<Int>)
    /// A decimal number.
    case number(_ placeholder: String, ClosedRange<Double>)
    case text(_ placeholder: String)
    /// One of some words.
    case choice(_ placeholder: String, [String])
    case file(_ placeholder: String)
    /// A model's folder, its `.gguf` file, or its name in the hub cache.
    case model

    public var placeholder: String {
      switch self {
      case .integer(let name, _), .number(let name, _), .text(let name), .file(let name), .choice(let name, _): name
      case .model: "MODEL"
      }
    }
  }

  /// As a person writes it: `-m` and `--model`, or the long one alone.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(name)"] }

  init(
    _ name: String, short: Character? = nil, alias: String? = nil, takes argument: Argument? = nil,
    suggesting suggestions: [String] = [],
    _ explanation: String
  ) {
    self.name = name
    self.short = short
    self.alias = alias
    self.argument = argument
    self.explanation = explanation
    if case .choice(_, let words) = argument { self.suggestions = words } else { self.suggestions = suggestions }
  }
}
