import JSON
import JSONLines

/// How many bytes of lines a thread takes at a time: some tenths of a millisecond of work.
private let partSize = 1 << 15

extension Filter {
  /// The same as without workers, but lines that are waiting together are shared out among threads. What `transform`
  /// appends, whole lines, is written in the order of the input.
  public func forEachLine<Worker>(
    of content: Content, _ workers: Workers<Worker>,
    _ transform: (Worker, UnsafeBufferPointer<UInt8>, ByteBuffer) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    let isShared = workers.count > 1
    var results: [PartialOutput] = []  // from batch to batch, for their memory
    try forEachBatch(of: content, upTo: isShared ? min(workers.count, 8) << 20 : 1) { batch in
      let parts = isShared ? batch.parts(of: partSize) : []
      guard parts.count > 1 else {
        return try transformEachLine(of: batch) { line in
          try transform(workers.first, line, output.buffer)
          try output.endLine(nil)
        } orWrite: {
          try replacement($0, $1)
        }
      }
      while results.count < parts.count { results.append(PartialOutput()) }
      let goesOn = arguments.keepsGoing
      try workers.run(parts.count) { part, worker in
        results[part].fill(parts[part], goesOn: goesOn) { index, buffer in
          try transform(worker, batch.lines[index], buffer)
        }
      }
      for result in results[..<parts.count] {
        try result.write(to: output) { error, index in try settle(error, index, in: batch, replacement) }
      }
    }
  }

  /// The same for records.
  public func forEachRecord<Worker>(
    _ workers: Workers<Worker>, _ transform: (Worker, Record, ByteBuffer) throws -> Void
  ) throws {
    try forEachLine(of: .records, workers) { worker, line, buffer in
      let record = try Record(line)
      guard try record.isPassedOn() else { return try transform(worker, record, buffer) }
      buffer.append(line)
      buffer.append(UInt8(ascii: "\n"))
    } orWrite: { line, message in
      try writeError(message, inRecordOf: line)
    }
  }
}

extension Filter.Batch {
  /// The lines in runs of `size` bytes or a little more.
  fileprivate func parts(of size: Int) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var (start, bytes) = (0, 0)
    for (index, line) in lines.enumerated() {
      bytes += line.count + LineReader.sizeOfLine
      guard bytes >= size || index == lines.count - 1 else { continue }
      parts.append(start..<index + 1)
      (start, bytes) = (index + 1, 0)
    }
    return parts
  }
}
