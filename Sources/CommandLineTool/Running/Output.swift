import CPlatform
import JSON
import JSONLines
import Platform

/// Buffered standard output. The buffer is written when it is full, and before the tool waits.
///
/// The end of an output of records lets the next tool of a pipeline detect a truncated stream (lm-records(5), STREAMS):
/// after an error the last record has `"fatal":true`, and the last line of a sealed output is an end record.
public final class Output {
  /// The lines to write: append a line to the buffer, then call `endLine`.
  public let buffer = ByteBuffer(capacity: 1 << 17)
  /// The number of bytes of the buffer that are complete lines.
  private var completeSize = 0
  public let isTerminal = isatty(STDOUT_FILENO) == 1
  private let isFile: Bool
  private let toolName: String
  private let isRecords: Bool

  /// True if a fatal error is also written as a record: the output is records, and not a terminal.
  private let reportsFailure: Bool
  /// True if an end record is written.
  private var isSealed: Bool
  /// The number of lines that have been ended.
  private var lineCount = 0
  /// True once a record with `"fatal":true` has been written. No end record follows it.
  private(set) var hasFailed = false
  /// True once a write has failed. Nothing is written after that.
  private var isBroken = false

  init(_ arguments: Arguments) {
    var information = stat()
    isFile = fstat(STDOUT_FILENO, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    toolName = arguments.tool.name
    isRecords = arguments.writesRecords
    reportsFailure = isRecords && !isTerminal
    isSealed = arguments.sealsOutput
    lmpipe_report_failure_as_record(reportsFailure)
  }

  /// Ends the line that was appended to the buffer.
  public func endLine(_ terminator: UInt8? = UInt8(ascii: "\n")) throws(ToolError) {
    if let terminator { buffer.append(terminator) }
    if buffer.count > completeSize { lineCount += 1 }
    completeSize = buffer.count
    if completeSize >= 1 << 16 { try flush() }
  }

  /// Writes `count` complete lines from another buffer.
  func append(lines: UnsafeBufferPointer<UInt8>, count: Int) throws(ToolError) {
    lineCount += count
    if lines.count < 1 << 16 {
      buffer.append(lines)
      completeSize = buffer.count
      if completeSize >= 1 << 16 { try flush() }
    } else {
      try flush()
      try write(lines)
    }
  }

  /// Removes the bytes after the last complete line from the buffer.
  func discardPartialLine() { buffer.truncate(to: completeSize) }

  /// Writes the contents of the buffer.
  public func flush() throws(ToolError) {
    defer {
      buffer.removeAll()
      completeSize = 0
    }
    try write(buffer.bytes)
  }

  // MARK: - The end of a stream of records

  /// Writes the last record of an output that ends with an error: the members of the bad record, `error` and `fatal`.
  /// Does nothing if the output is not a stream of records, or already has such a record.
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

  /// Writes a record with `"fatal":true` from the input.
  func passOnFailure(_ line: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    buffer.append(line)
    try endLine()
    hasFailed = true
  }

  /// Makes the output end with an end record if it is a stream of records. Called when the input had an end record.
  func seal() { isSealed = isRecords }

  /// Writes the end record, if the output is sealed and no error record with `"fatal":true` was written.
  func writeEnd() throws(ToolError) {
    guard isSealed, !hasFailed else { return }
    buffer.append("{\"end\":\(lineCount)}")
    try endLine()
  }

  // MARK: - Writing

  /// Writes bytes. Termination signals are blocked while a file is written, so that it never ends with a partial line.
  /// For a pipe they are not blocked, because the write can take forever.
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

  /// Flushes and closes standard output. Some file systems report a failed write only when the file is closed.
  func close() throws(ToolError) {
    try flush()
    guard Platform.close(STDOUT_FILENO) == 0 || errno == EBADF else { throw failure(errno) }
  }

  private func failure(_ code: Int32) -> ToolError {
    if code == EPIPE {  // the reader has exited and SIGPIPE is ignored: end as if by SIGPIPE
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    isBroken = true
    return ToolError(.inputOutput, FileError(path: "standard output", code: code).description)
  }
}
