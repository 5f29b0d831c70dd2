import CPlatform
import JSON
import JSONLines
import Platform

/// Standard output: lines are assembled in memory, and written when they are many or before the tool waits.
///
/// An output of records ends so that the next tool of a pipeline can tell a whole stream from a broken one
/// (lm-records(5), STREAMS): after an error with a record that has `"fatal":true`, and if it is sealed, with an end record.
public final class Output {
  /// What is to be written; append to it, then end the line.
  public let buffer = ByteBuffer(capacity: 1 << 17)
  private var complete = 0  // bytes of the buffer that are whole lines
  private let isFile: Bool
  private let toolName: String
  private let isRecords: Bool

  /// Whether an error becomes a record: the output is records, and nobody reads it on a terminal.
  private let reportsFailure: Bool
  /// Whether an end record is written.
  private var isSealed: Bool
  /// How many lines were ended.
  private var lineCount = 0
  /// Whether a record with `"fatal":true` was written. Then there is no end record.
  private(set) var hasFailed = false
  /// Whether standard output refused a write: nothing more is written.
  private var isBroken = false

  init(_ arguments: Arguments) {
    var information = stat()
    isFile = fstat(STDOUT_FILENO, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    toolName = arguments.tool.name
    isRecords = arguments.writesRecords
    reportsFailure = isRecords && isatty(STDOUT_FILENO) == 0
    isSealed = arguments.sealsOutput
    lmpipe_report_failure_as_record(reportsFailure)
  }

  /// Ends a line that was appended to the buffer.
  public func endLine(_ terminator: UInt8? = UInt8(ascii: "\n")) throws(ToolError) {
    if let terminator { buffer.append(terminator) }
    if buffer.count > complete { lineCount += 1 }
    complete = buffer.count
    if complete >= 1 << 16 { try flush() }
  }

  /// Writes `count` whole lines that were assembled elsewhere.
  func append(lines: UnsafeBufferPointer<UInt8>, count: Int) throws(ToolError) {
    lineCount += count
    if lines.count < 1 << 16 {
      buffer.append(lines)
      complete = buffer.count
      if complete >= 1 << 16 { try flush() }
    } else {
      try flush()
      try write(lines)
    }
  }

  /// Forgets what was appended since the last whole line.
  func discardPartialLine() { buffer.truncate(to: complete) }

  /// Writes everything that is in the buffer.
  public func flush() throws(ToolError) {
    defer {
      buffer.removeAll()
      complete = 0
    }
    try write(buffer.bytes)
  }

  // MARK: the end of a stream of records

  /// Writes the last record of an output that an error ends: the members of the bad record, `error` and `fatal`. Nothing
  /// is written if the output is no stream of records, or has such a record already.
  func writeFailure(_ message: String, in record: Record = Record()) {
    guard reportsFailure, !hasFailed, !isBroken else { return }
    record.write(
      to: buffer,
      [
        .set("error") { $0.append(jsonString: shortened("\(self.toolName): \(message)")) },
        .set("fatal") { $0.append("true") },
      ])
    try? endLine()
    hasFailed = true
  }

  /// Writes a record with `"fatal":true` that was read.
  func passOnFailure(_ line: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    buffer.append(line)
    try endLine()
    hasFailed = true
  }

  /// The input had an end record, so an output of records gets one too.
  func seal() { isSealed = isRecords }

  /// Writes the end record, if the output is sealed and nothing failed.
  func writeEnd() throws(ToolError) {
    guard isSealed, !hasFailed else { return }
    buffer.append("{\"end\":\(lineCount)}")
    try endLine()
  }

  // MARK: writing

  /// Who ends us by a signal finds no half of a line in a file. (A pipe may be full for ever, and then we must end.)
  private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    guard isFile else { return try writeAll(bytes) }
    try withTerminationSignalsBlocked { () throws(ToolError) in try writeAll(bytes) }
  }

  private func writeAll(_ bytes: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    var rest = UnsafeRawBufferPointer(bytes)
    while rest.count > 0 {
      let count = Platform.write(STDOUT_FILENO, rest.baseAddress, rest.count)
      if count >= 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(STDOUT_FILENO, for: POLLOUT)
      case let code: throw failure(code)
      }
    }
  }

  /// Flushes and closes, after which the system can no longer hold back bad news.
  func close() throws(ToolError) {
    try flush()
    guard Platform.close(STDOUT_FILENO) == 0 || errno == EBADF else { throw failure(errno) }
  }

  private func failure(_ code: Int32) -> ToolError {
    if code == EPIPE {  // the reader has gone, and whoever started us ignores SIGPIPE: end as SIGPIPE would have us end
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    isBroken = true
    return ToolError(.inputOutput, FileError(path: "standard output", code: code).description)
  }
}
