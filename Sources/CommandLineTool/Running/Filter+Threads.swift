import JSON
import JSONLines
import Platform
import Synchronization
import Threads

/// What transforms records, once for each thread.
public final class Workers<Worker> {
  private let make: () throws -> Worker
  /// The first is made at once. The others are made when there is enough to do for them.
  private var workers: [Worker]
  fileprivate let count: Int
  private var pool: ThreadPool?

  public init(_ count: Int, _ make: @escaping () throws -> Worker) rethrows {
    self.count = count
    self.make = make
    workers = [try make()]
  }

  public var first: Worker { workers[0] }

  /// Calls `body` for each of `parts` parts of some work, with a worker that no other thread uses at the time.
  fileprivate func run(_ parts: Int, _ body: (Int, Worker) -> Void) throws {
    let pool = pool ?? ThreadPool(threads: count)
    self.pool = pool
    while workers.count < pool.threads { workers.append(try make()) }
    let next = Atomic<Int>(0)
    pool.run(workers.count, operations: .max) { index in
      while true {
        let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard part < parts else { return }
        body(part, workers[index])
      }
    }
  }
}

extension Filter {
  /// The same as without workers, but lines that are waiting together are shared out among threads. What `transform`
  /// appends, whole lines, is written in the order of the input.
  public func forEachLine<Worker>(
    delimiter: UInt8?, _ workers: Workers<Worker>,
    _ transform: (Worker, UnsafeBufferPointer<UInt8>, ByteBuffer) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    let isShared = workers.count > 1
    var results: [PartialOutput] = []  // from batch to batch, for their memory
    try forEachBatch(delimiter: delimiter, upTo: isShared ? workers.count << 20 : 1) { batch in
      let parts = isShared ? batch.parts(of: 1 << 15) : []
      guard parts.count > 1 else {
        for (index, line) in batch.lines.enumerated() {
          do {
            try transform(workers.first, line, output.buffer)
            try output.endLine(nil)
          } catch {
            try settle(error, index, in: batch, replacement)
          }
        }
        return
      }
      while results.count < parts.count { results.append(PartialOutput()) }
      let goesOn = arguments.has(.keepGoing)
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
    try forEachLine(delimiter: UInt8(ascii: "\n"), workers) { worker, line, buffer in
      let record = try Record(line)
      guard try record.has("error") else { return try transform(worker, record, buffer) }
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
      bytes += line.count
      guard bytes >= size || index == lines.count - 1 else { continue }
      parts.append(start..<index + 1)
      (start, bytes) = (index + 1, 0)
    }
    return parts
  }
}

/// What has been made of some lines that follow each other.
private final class PartialOutput {
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
