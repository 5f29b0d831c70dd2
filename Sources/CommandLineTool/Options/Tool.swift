/// A program of the toolset as its user knows it: the one place from which its parsing, its `--help`, its manual page
/// and its completions come.
public struct Tool: Sendable {
  public let name: String
  /// Half a line: "turn text into token ids".
  public let summary: String
  /// What it does, a paragraph each, plain text.
  public let description: [String]
  /// What stands behind the options on its command line; nil where nothing does.
  public let operands: Operands?
  let output: Content
  /// Options of which no two can be given together.
  public let exclusions: [[Option]]
  public let options: [Option]
  public let examples: [Example]
  /// Environment variables and exit statuses that its manual page tells beside those which its options and operands
  /// bring along.
  let variables: [Entry]
  let statuses: [Entry]

  public enum Operands: Sendable, Equatable {
    /// `[FILE]…`: files of `content`, such as "text" or "records"; without any, standard input.
    case files(of: String)
    /// `NAME`: a model on the hub. The completions offer `suggestions`.
    case modelName(suggestions: [String])
    /// `[MODEL]`: a model, named as with `--model`.
    case model
  }

  /// What a tool writes on standard output, and the options that make it write the other of the two.
  enum Content {
    case records(unless: [Option] = [])
    case text(unless: [Option] = [])
  }

  /// What the files hold that it reads; nil where it reads none.
  var content: String? {
    if case .files(of: let content) = operands { content } else { nil }
  }

  public struct Example: Sendable {
    /// What it shows.
    public let caption: String
    public let command: String
    /// False where it needs what a test has not: then it is shown without what it prints.
    let isRun: Bool

    init(_ caption: String, _ command: String, isRun: Bool = true) {
      self.caption = caption
      self.command = command
      self.isRun = isRun
    }
  }

  /// A line of a list in a manual page. A status that all tools have can be given another meaning.
  typealias Entry = (term: String, meaning: String)

  init(
    name: String, summary: String, description: [String], operands: Operands?, output: Content,
    exclusions: [[Option]] = [], options: [Option], examples: [Example], variables: [Entry] = [], statuses: [Entry] = []
  ) {
    self.name = name
    self.summary = summary
    self.description = description
    self.operands = operands
    self.output = output
    self.exclusions = exclusions
    self.options = options
    self.examples = examples
    self.variables = variables
    self.statuses = statuses
  }

  public static let version = "0.1.0"
  /// The day of the version, as manual pages write it.
  static let date = "November 21, 2026"

  /// All programs, in the order of a pipeline.
  public static let all: [Tool] = [.bpeEncode, .bpeDecode, .lmLogits, .lmTopK, .lmStep, .lmInfo, .lmPull]
}
