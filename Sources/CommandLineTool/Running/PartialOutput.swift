import JSON

/// What has been made of some lines that follow each other.
final class PartialOutput {
  private let buffer = ByteBuffer()
  private var lineCount = 0
  /// `offset`: where in the buffer the line's output would be. `lineCount`: how many lines stand before it.
  private var failures: [(error: any Error, index: Int, offset: Int, lineCount: Int)] = []

  /// Calls `transform` for each of the lines. One that it throws for leaves nothing, and, unless it `goesOn`, is the last.
  func fill(_ lines: Range<Int>, goesOn: Bool, _ transform: (Int, ByteBuffer) throws -> Void) {
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
        guard goesOn || error is FailedInput else { return }
      }
    }
  }

  /// Writes it all, with `settle` in the places of the lines that there is no output for.
  func write(to output: Output, _ settle: (any Error, Int) throws -> Void) throws {
    var (start, written) = (0, 0)
    func write(to end: Int, _ count: Int) throws {
      try output.append(lines: UnsafeBufferPointer(rebasing: buffer.bytes[start..<end]), count: count - written)
      (start, written) = (end, count)
    }
    for failure in failures {
      try write(to: failure.offset, failure.lineCount)
      try settle(failure.error, failure.index)
    }
    try write(to: buffer.count, lineCount)
  }
}
