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
  /// waiting together, as many as there is room for. Error records are passed on as they are.
  ///
  /// - Parameters:
  ///   - read: makes an item of a record; nil if there is nothing to compute, and the record is passed on as it is.
  ///   - hasRoom: whether an item can join the others.
  ///   - transform: computes and writes the items in their order. It throws a `RunError` where one of them was bad, after
  ///     it has written all before it and none behind it; these are then read again.
  public func forEachRun<Item>(
    _ read: (Record) throws -> Item?, while hasRoom: ([Item], Item) -> Bool, _ transform: ([Item]) throws -> Void
  ) throws {
    try forEachBatch(of: .records, upTo: batchSize) { batch in
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
          guard try !record.isPassedOn(), let item = try read(record) else {
            guard try finishRun() else { continue }
            try write(record)
            line += 1
            continue
          }
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

  /// Writes a record as it is.
  private func write(_ record: Record) throws {
    record.write(to: output.buffer, [])
    try output.endLine()
  }

  private func settleRecord(_ error: any Error, _ line: Int, in batch: Batch) throws {
    try settle(error, line, in: batch) { try writeError($1, inRecordOf: $0) }
  }
}
