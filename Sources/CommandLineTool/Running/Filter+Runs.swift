import JSONLines

/// How many bytes of lines are read ahead to be computed together.
private let batchSize = 1 << 20

/// What was wrong with one item of a run.
public struct RunError: Error {
  /// Of the item in the run.
  public let index: Int
  let error: any Error

  public init(_ error: any Error, at index: Int) {
    self.error = error
    self.index = index
  }
}

extension Filter {
  /// Runs records through a computation that takes several at once for little more than the time of one: those that are
  /// waiting together, as many as there is room for. Records with a member `error` go through untouched.
  ///
  /// - Parameters:
  ///   - read: makes an item of a record.
  ///   - hasRoom: whether an item can join the others.
  ///   - transform: computes and writes the items in their order. It throws a `RunError` where one of them was bad, after
  ///     it has written all before it and none behind it; these are then read again.
  public func forEachRun<Item>(
    _ read: (Record) throws -> Item, while hasRoom: ([Item], Item) -> Bool, _ transform: ([Item]) throws -> Void
  ) throws {
    try forEachBatch(delimiter: UInt8(ascii: "\n"), upTo: batchSize) { batch in
      var run: [Item] = []
      var line = 0
      /// Computes the run, which ends before `line`. False where it was bad, and `line` is now the one behind the fault.
      func finishRun() throws -> Bool {
        let first = line - run.count
        defer {
          run = []
          finish(upTo: line, of: batch)
        }
        do {
          if !run.isEmpty { try transform(run) }
          return true
        } catch let fault as RunError {
          line = first + fault.index
          try settleRecord(fault.error, line, in: batch)
          line += 1
          return false
        }
      }
      while line < batch.lines.count {
        enter(line, of: batch)
        do {
          let record = try Record(batch.lines[line])
          if try record.has("error") {
            guard try finishRun() else { continue }
            output.buffer.append(record.line)
            try output.endLine()
            line += 1
            continue
          }
          let item = try read(record)
          if !run.isEmpty, !hasRoom(run, item) {
            guard try finishRun() else { continue }
          }
          run.append(item)
          line += 1
        } catch {
          guard Self.isOfRecord(error) else { throw error }
          guard try finishRun() else { continue }
          try settleRecord(error, line, in: batch)
          line += 1
        }
        if line == batch.lines.count { _ = try finishRun() }
      }
    }
  }

  private func settleRecord(_ error: any Error, _ line: Int, in batch: Batch) throws {
    try settle(error, line, in: batch) { try writeError($1, inRecordOf: $0) }
  }
}
