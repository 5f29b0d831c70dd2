import Checkpoint
import Platform

/// A line on standard error that says how far a long run has come: `lm-logits: 1,234 records, 27 % of the input`.
///
/// It is there only where standard error is a terminal and the output goes to a file: at the other end of a pipe there
/// may be the same terminal, and the line would stand in the middle of a text.
struct Progress {
  private let name: String
  private let isWanted: Bool
  /// Bytes that there are to read; nil where that cannot be known.
  private let size: Int?
  private let start = monotonicSeconds()
  private var lastShown: Double?
  private var (records, bytes, tokens) = (0, 0, 0)

  private static let patience = 0.5  // seconds until a run is a long one
  private static let interval = 0.2  // seconds between two showings

  init(_ arguments: Arguments) {
    name = arguments.tool.name
    isWanted = Self.isPossible && !arguments.has(.quiet)
    size = isWanted ? Self.size(of: arguments.files) : nil
  }

  /// Whether a line may be there, for those who want to write on standard error.
  static var isPossible: Bool {
    isatty(STDERR_FILENO) == 1 && fileSize(STDOUT_FILENO) != nil
      && environmentVariable("TERM").map { $0 != "dumb" } ?? false
  }

  /// Returns to the line's beginning and erases it (ECMA-48).
  static let erasure = "\r\u{1B}[K"

  /// Counts lines that are finished.
  mutating func finish(_ lines: ArraySlice<UnsafeBufferPointer<UInt8>>) {
    guard isWanted else { return }
    records += lines.count
    bytes += lines.reduce(0) { $0 + $1.count + 1 }
    show()
  }

  /// Counts tokens that were made.
  mutating func make(tokens count: Int) {
    guard isWanted else { return }
    tokens += count
    show()
  }

  /// Takes the line away.
  mutating func end() {
    if lastShown != nil { writeToStandardError(Self.erasure) }
    lastShown = nil
  }

  /// Shows the line, if it is time to.
  private mutating func show() {
    let time = monotonicSeconds()
    guard time - start >= Self.patience, time - (lastShown ?? 0) >= Self.interval else { return }
    lastShown = time
    func count(_ number: Int, _ noun: String) -> String { "\(withThousandsSeparators(number)) \(noun)\(number == 1 ? "" : "s")" }
    var parts = [count(records, "record")]
    if let size, size > 0 { parts.append("\(min(100, bytes * 100 / size)) % of the input") }
    if tokens > 0 { parts.append(count(tokens, "token")) }
    let text = "\(name): " + parts.joined(separator: ", ")
    writeToStandardError(Self.erasure + text.prefix((Terminal.width(of: STDERR_FILENO) ?? 80) - 1))
  }

  /// Of all files together; nil if one of them is not a file.
  private static func size(of files: [Path]) -> Int? {
    let sizes = files.map { $0 == "-" ? fileSize(STDIN_FILENO) : fileSize($0) }
    return sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
  }
}
