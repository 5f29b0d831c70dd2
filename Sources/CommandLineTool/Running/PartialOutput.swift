import JSON

/// The output and the errors of consecutive lines that one thread has transformed.
final class PartialOutput {
  private let buffer = ByteBuffer()
  /// The number of lines that have output.
  private var lineCount = 0
  /// The errors of the lines without output, in order. `offset` is the size of the buffer, and `lineCount` the number
  /// of lines with output, when the error was thrown.
  private var failures: [(error: any Error, index: Int, offset: Int, lineCount: Int)] = []

  /// Calls `transform` for each of the lines. A line for which it throws has no output, and is the last one unless
  /// `continuesAfterErrors`.
  func fill(_ lines: Range<Int>, continuesAfterErrors: Bool, _ transform: (Int, ByteBuffer) throws -> Void) {
    buffer.removeAll()
    failures.removeAll()
    lineCount = 0
    for index in lines {
      let offset = buffer.count
      do {
        try transform(index, buffer)
        if buffer.count > offset { lineCount += 1 }
      } catch {
        buffer.truncate(to: offset)
        failures.append((error, index, offset, lineCount))
        guard continuesAfterErrors || error is UpstreamFailure else { return }
      }
    }
  }

  /// Writes the output, and calls `handleError` for each line without output when all output before it is written.
  func write(to output: Output, _ handleError: (any Error, Int) throws -> Void) throws {
    var (start, written) = (0, 0)
    func write(to end: Int, _ count: Int) throws {
      try output.append(lines: UnsafeBufferPointer(rebasing: buffer.bytes[start..<end]), count: count - written)
      (start, written) = (end, count)
    }
    for failure in failures {
      try write(to: failure.offset, failure.lineCount)
      try handleError(failure.error, failure.index)
    }
    try write(to: buffer.count, lineCount)
  }
}
