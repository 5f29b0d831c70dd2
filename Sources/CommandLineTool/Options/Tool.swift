/// A program of the toolset as its user knows it: the one place from which its parsing, its `--help`, its manual page
/// and its completions come.
public struct Tool: Sendable {
  public let name: String
  /// Half a line: "turn text into token ids".
  public let summary: String
  /// What it does, a paragraph each, plain text.
  public let description: [String]
  /// What its FILE operands hold: "text", "records"; nil where it takes none.
  public let input: String?
  /// Options of which no two can be given together.
  public let exclusions: [[Option]]
  public let options: [Option]
  public let examples: [Example]

  public struct Example: Sendable {
    /// What it shows.
    public let caption: String
    public let command: String
    /// What the command prints with the model that comes with the toolset; nil where that is not told.
    public let output: String?

    init(_ caption: String, _ command: String, output: String? = nil) {
      self.caption = caption
      self.command = command
      self.output = output
    }
  }

  init(
    name: String, summary: String, description: [String], input: String?, exclusions: [[Option]] = [],
    options: [Option],
    examples: [Example]
  ) {
    self.name = name
    self.summary = summary
    self.description = description
    self.input = input
    self.exclusions = exclusions
    self.options = options
    self.examples = examples
  }

  public static let version = "0.1.0"
  /// The day of the version, as manual pages write it.
  static let date = "November 21, 2026"

  /// All programs, in the order of a pipeline.
  public static let all: [Tool] = [.bpeEncode, .bpeDecode, .lmLogits, .lmTopK, .lmStep, .lmInfo]
}
