import Checkpoint
import Platform

/// A progress line on standard error for a long run: `lm-logits: 1,234 records, 27 % of the input`.
///
/// It is shown only if standard error is a terminal and the output is a file. If the output is a pipe, a later tool may
/// write to the same terminal, and the progress line would appear in the middle of its output.
struct Progress {
  private let name: String
  private let isEnabled: Bool
  /// The size of the input in bytes; nil if it is unknown.
  private let inputSize: Int?
  private let start = monotonicSeconds()
  private var lastShown: Double?
  private var (recordCount, byteCount, tokenCount) = (0, 0, 0)

  private static let delay = 0.5  // seconds until the line is first shown
  private static let interval = 0.2  // seconds between updates

  init(_ arguments: Arguments) {
    name = arguments.tool.name
    isEnabled = Self.isPossible && !arguments.has(.quiet)
    inputSize = isEnabled ? Self.size(of: arguments.files) : nil
  }

  /// True if a progress line can be on the screen, so that a message must erase it first.
  static var isPossible: Bool {
    isatty(STDERR_FILENO) == 1 && fileSize(STDOUT_FILENO) != nil
      && environmentVariable("TERM").map { $0 != "dumb" } ?? false
  }

  /// The control sequence that returns to the start of the line and erases it (ECMA-48, EL).
  static let eraseLine = "\r\u{1B}[K"

  /// Counts finished lines.
  mutating func count(_ lines: ArraySlice<UnsafeBufferPointer<UInt8>>) {
    guard isEnabled else { return }
    recordCount += lines.count
    byteCount += lines.reduce(0) { $0 + $1.count + 1 }
    show()
  }

  /// Counts generated tokens.
  mutating func count(tokens count: Int) {
    guard isEnabled else { return }
    tokenCount += count
    show()
  }

  /// Erases the line.
  mutating func end() {
    if lastShown != nil { writeToStandardError(Self.eraseLine) }
    lastShown = nil
  }

  /// Shows the line, at most once per interval.
  private mutating func show() {
    let time = monotonicSeconds()
    guard time - start >= Self.delay, time - (lastShown ?? 0) >= Self.interval else { return }
    lastShown = time
    func counted(_ number: Int, _ noun: String) -> String {
      "\(withThousandsSeparators(number)) \(noun)\(number == 1 ? "" : "s")"
    }
    var parts = [counted(recordCount, "record")]
    if let inputSize, inputSize > 0 { parts.append("\(min(100, byteCount * 100 / inputSize)) % of the input") }
    if tokenCount > 0 { parts.append(counted(tokenCount, "token")) }
    let text = "\(name): " + parts.joined(separator: ", ")
    writeToStandardError(Self.eraseLine + text.prefix((Terminal.width(of: STDERR_FILENO) ?? 80) - 1))
  }

  /// Returns the total size of the files; nil if any of the files is not a regular file.
  private static func size(of files: [Path]) -> Int? {
    let sizes = files.map { $0 == "-" ? fileSize(STDIN_FILENO) : fileSize($0) }
    return sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
  }
}
