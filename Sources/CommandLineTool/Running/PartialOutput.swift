import JSON

/// What has been made of some lines that follow each other.
final class PartialOutput {
  private let buffer = ByteBuffer()
  /// `offset`: where in the buffer the line's output would be.
  private var failures: [(error: any Error, index: Int, offset: Int)] = []

  /// Calls `transform` for each of the lines. One that it throws for leaves nothing, and, unless it `goesOn`, is the last.
  func fill(_ lines: Range<Int>, goesOn: Bool, _ transform: (Int, ByteBuffer) throws -> Void) {
    buffer.removeAll()
    failures.removeAll()
    for index in lines {
      let offset = buffer.count
      do {
        try transform(index, buffer)
      } catch {
        buffer.truncate(to: offset)
        failures.append((error, index, offset))
        guard goesOn else { return }
      }
    }
  }

  /// Writes it all, with `settle` in the places of the lines that there is no output for.
  func write(to output: Output, _ settle: (any Error, Int) throws -> Void) throws {
    var start = 0
    for failure in failures {
      try output.append(lines: UnsafeBufferPointer(rebasing: buffer.bytes[start..<failure.offset]))
      start = failure.offset
      try settle(failure.error, failure.index)
    }
    try output.append(lines: UnsafeBufferPointer(rebasing: buffer.bytes[start...]))
  }
}
