import JSON
import Platform

/// Standard output: assembled in memory, written when it is much or when the reader may be waiting for it.
public final class Output {
  /// What is to be written; append to it, then end the line.
  public let buffer = ByteBuffer(capacity: 1 << 17)
  private var complete = 0  // bytes of the buffer that are whole lines
  private let isFile: Bool

  public init() {
    var information = stat()
    isFile = fstat(STDOUT_FILENO, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
  }

  /// Ends a line that was appended to the buffer.
  public func endLine(_ terminator: UInt8? = UInt8(ascii: "\n")) throws(ToolError) {
    if let terminator { buffer.append(terminator) }
    complete = buffer.count
    if complete >= 1 << 16 { try flush() }
  }

  /// Writes whole lines that were assembled elsewhere.
  func append(lines: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    guard lines.count >= 1 << 16 else {
      buffer.append(lines)
      return try endLine(nil)
    }
    try flush()
    try write(lines)
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

  /// Who ends us by a signal finds no half of a line in a file. (A pipe may be full for ever, and then we must end.)
  private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(ToolError) {
    guard isFile else { return try writeAll(bytes) }
    try holdingTermination { () throws(ToolError) in try writeAll(bytes) }
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
      case let code: throw Self.failure(code)
      }
    }
  }

  /// Flushes and closes, after which the system can no longer hold back bad news.
  func close() throws(ToolError) {
    try flush()
    guard Platform.close(STDOUT_FILENO) == 0 || errno == EBADF else { throw Self.failure(errno) }
  }

  private static func failure(_ code: Int32) -> ToolError {
    if code == EPIPE {  // the reader has gone, and whoever started us ignores SIGPIPE: end as SIGPIPE would have us end
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    return ToolError(.inputOutput, FileError(path: "standard output", code: code).description)
  }
}
