import JSON
import JSONLines

/// The number of bytes of lines that a thread takes at a time: a few tenths of a millisecond of work.
private let partSize = 1 << 15

extension Filter {
  /// Calls `transform` for each line of the input. Lines that are available together are divided among threads. The
  /// output, whole lines that `transform` appends to its buffer, is written in the order of the input.
  ///
  /// - Parameter replacement: writes the output of a bad line, if `--keep-going` is given.
  public func forEachLine<Worker>(
    of content: Content, _ workers: Workers<Worker>,
    _ transform: (Worker, UnsafeBufferPointer<UInt8>, ByteBuffer) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    let usesThreads = workers.count > 1
    var results: [PartialOutput] = []  // reused for all batches, to keep their memory
    try forEachInputBatch(of: content, upTo: usesThreads ? min(workers.count, 8) << 20 : 1) { batch in
      let parts = usesThreads ? batch.parts(ofSize: partSize) : []
      guard parts.count > 1 else {
        return try transformEachLine(of: batch) { line in
          try transform(workers.first, line, output.buffer)
          try output.endLine(nil)
        } orWrite: {
          try replacement($0, $1)
        }
      }
      while results.count < parts.count { results.append(PartialOutput()) }
      let continuesAfterErrors = arguments.replacesBadRecords
      try workers.run(parts.count) { part, worker in
        results[part].fill(parts[part], continuesAfterErrors: continuesAfterErrors) { index, buffer in
          try transform(worker, batch.lines[index], buffer)
        }
      }
      for result in results[..<parts.count] {
        try result.write(to: output) { error, index in try handleRecordError(error, index, in: batch, replacement) }
      }
    }
  }

  /// Calls `transform` for each record of the input, divided among threads as in `forEachLine`. Error records are
  /// passed on unchanged.
  public func forEachRecord<Worker>(
    _ workers: Workers<Worker>, _ transform: (Worker, Record, ByteBuffer) throws -> Void
  ) throws {
    try forEachLine(of: .records, workers) { worker, line, buffer in
      let record = try Record(line)
      guard try record.isErrorRecord() else { return try transform(worker, record, buffer) }
      buffer.append(line)
      buffer.append(UInt8(ascii: "\n"))
    } orWrite: { line, message in
      try writeError(message, inRecordOf: line)
    }
  }
}

extension Filter.Batch {
  /// Divides the lines into ranges of at least `size` bytes each, except for the last.
  fileprivate func parts(ofSize size: Int) -> [Range<Int>] {
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
