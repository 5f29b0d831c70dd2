/// An option of a tool: its spelling, its argument, and its description in `--help`, the manual page and the
/// completions.
public struct Option: Sendable, Equatable {
  /// The long name, without hyphens.
  public let name: String
  public let short: Character?
  /// Another accepted long name.
  let alias: String?
  public let argument: Argument?
  /// One line of at most `longestSummary` characters, without a final period, for `--help` and completion menus.
  public let summary: String
  /// Sentences in plain text for the manual page. Default: the summary and a period.
  public let explanation: String
  /// Example values for the completions.
  let suggestions: [String]

  /// Chosen so that an option and its summary fit in one line of a completion menu on a terminal of 80 columns.
  package static let longestSummary = 60

  /// The argument of an option, and its allowed values.
  public enum Argument: Sendable, Equatable {
    /// An integer; `placeholder` is its name in the help.
    case integer(_ placeholder: String, ClosedRange<Int>)
    /// A decimal number.
    case number(_ placeholder: String, ClosedRange<Double>)
    case text(_ placeholder: String)
    /// One of a few words.
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

  /// The spellings on a command line: `-m` and `--model`, or only the long spelling.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(name)"] }

  init(
    _ name: String, short: Character? = nil, alias: String? = nil, takes argument: Argument? = nil,
    suggesting suggestions: [String] = [],
    _ summary: String, _ explanation: String? = nil
  ) {
    self.name = name
    self.short = short
    self.alias = alias
    self.argument = argument
    self.summary = summary
    self.explanation = explanation ?? summary + "."
    if case .choice(_, let words) = argument { self.suggestions = words } else { self.suggestions = suggestions }
  }
}
