/// The description of a program: the single source of its command-line parsing, `--help`, manual page and completions.
///
///     Tool(
///       name: "lm-info", summary: "show information about a model", description: ["lm-info prints …"],
///       operands: .model(excluding: [.list]), output: .text(unless: [.jsonRecord]), options: [.jsonRecord, .list],
///       commonOptions: [.model, .help, .version], examples: [Tool.Example("The models:", "lm-info --list")])
public struct Tool: Sendable {
  public let name: String
  /// A phrase without a period: "encode text as token ids".
  public let summary: String
  /// The manual page's DESCRIPTION: plain text, one element per paragraph.
  public let description: [String]
  /// The arguments after the options.
  public let operands: Operands
  let output: Content
  /// Sets of options of which at most one can be given.
  public let exclusions: [[Option]]
  /// All options that are accepted.
  public var options: [Option] { ownOptions + commonOptions + ignoredOptions }
  /// The options that the section OPTIONS describes.
  let ownOptions: [Option]
  /// The options that the section COMMON OPTIONS describes.
  let commonOptions: [Option]
  /// Options that are accepted without effect, so that all tools of a pipeline can be given the same options.
  package let ignoredOptions: [Option]
  /// The options that the synopsis names; `[OPTION ...]` stands for all other options.
  let synopsis: [Option]
  /// Sections of the manual page after the options.
  let sections: [Section]
  public let examples: [Example]
  /// Environment variables and exit statuses of the manual page, in addition to the entries that follow from the
  /// options and operands.
  let variables: [Entry]
  let statuses: [Entry]

  public enum Operands: Sendable, Equatable {
    /// `[FILE]...`: files of `content`, such as "text" or "records"; standard input if no file is given.
    case files(of: String)
    /// `NAME`: a model on the hub. The completions offer `suggestions`.
    case modelName(suggestions: [String])
    /// `[MODEL]`: a model, named as with `--model`. It cannot be given together with the options `excluding`.
    case model(excluding: [Option])
  }

  /// The kind of standard output, and the options that select the other kind.
  enum Content {
    case records(unless: [Option] = [])
    case text(unless: [Option] = [])
  }

  /// True if the tool opens the tokenizer of a model. lm-pull, whose operand is a name, does not.
  var opensTokenizer: Bool { if case .modelName = operands { false } else { true } }

  /// The content of the tool's input files; nil if it reads none.
  var content: String? {
    if case .files(of: let content) = operands { content } else { nil }
  }

  /// The options that help, manual page and completions list.
  package var listedOptions: [Option] { ownOptions + commonOptions }

  public struct Example: Sendable {
    /// A heading that ends with a colon.
    public let caption: String
    public let command: String
    /// False if tests cannot run the command, for example without a network. The manual page then shows no output.
    let isRun: Bool

    init(_ caption: String, _ command: String, isRun: Bool = true) {
      self.caption = caption
      self.command = command
      self.isRun = isRun
    }
  }

  /// A section of a manual page: paragraphs of plain text.
  struct Section: Sendable {
    let title: String
    let paragraphs: [String]
  }

  /// An item of a list in a manual page. A tool's own entry replaces the general one with the same term.
  typealias Entry = (term: String, meaning: String)

  /// - Parameter synopsis: nil for all of `options`.
  init(
    name: String, summary: String, description: [String], operands: Operands, output: Content,
    exclusions: [[Option]] = [], options: [Option], synopsis: [Option]? = nil, commonOptions: [Option],
    ignoring ignoredOptions: [Option] = [], sections: [Section] = [], examples: [Example], variables: [Entry] = [],
    statuses: [Entry] = []
  ) {
    self.name = name
    self.summary = summary
    self.description = description
    self.operands = operands
    self.output = output
    self.exclusions = exclusions
    ownOptions = options
    self.synopsis = synopsis ?? options
    self.commonOptions = commonOptions
    self.ignoredOptions = ignoredOptions
    self.sections = sections
    self.examples = examples
    self.variables = variables
    self.statuses = statuses
  }

  public static let version = "0.1.0"
  /// The date of the version in the form of mdoc(7).
  static let date = "November 28, 2026"

  /// All programs, in the order of a pipeline.
  public static let all: [Tool] = [
    .bpeEncode, .bpeDecode, .lmLogits, .lmTopK, .lmStep, .lmScore, .lmInfo, .lmPull,
  ]
}
