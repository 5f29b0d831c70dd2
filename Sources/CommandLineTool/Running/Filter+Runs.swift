import JSONLines

/// How many bytes of lines are read ahead to be computed together.
private let batchSize = 1 << 20

extension Filter {
  /// Runs records through a computation that takes several at once for little more than the time of one: those that are
  /// waiting together, as many as there is room for. Error records are passed on as they are.
  ///
  /// - Parameters:
  ///   - read: makes an item of a record; nil if there is nothing to compute, and the record is passed on as it is.
  ///   - hasRoom: whether an item can join the others.
  ///   - transform: computes and writes the items in their order. For a bad one it calls `refuse` with its index in the
  ///     run, when it has written all before it: that writes an error record in its place, or without `--keep-going`
  ///     throws the error that ends the run.
  public func forEachBatch<Item>(
    _ read: (Record) throws -> Item?, while hasRoom: ([Item], Item) -> Bool,
    _ transform: (_ items: [Item], _ refuse: (_ error: any Error, _ index: Int) throws -> Void) throws -> Void
  ) throws {
    try forEachBatch(of: .records, upTo: batchSize) { batch in
      var run: [Item] = []
      var line = 0
      /// Computes the run, which ends before `line`.
      func finishRun() throws {
        let first = line - run.count
        if !run.isEmpty { try transform(run) { try settleRecord($0, first + $1, in: batch) } }
        run = []
        finish(upTo: line, of: batch)
      }
      while line < batch.lines.count {
        enter(line, of: batch)
        do {
          let record = try Record(batch.lines[line])
          guard try !record.isPassedOn(), let item = try read(record) else {
            try finishRun()
            try write(record)
            line += 1
            continue
          }
          if !run.isEmpty, !hasRoom(run, item) { try finishRun() }
          run.append(item)
          line += 1
        } catch {
          guard Self.isOfRecord(error) else { throw error }
          try finishRun()
          try settleRecord(error, line, in: batch)
          line += 1
        }
        if line == batch.lines.count { try finishRun() }
      }
    }
  }

  /// Writes a record as it is; a bare array becomes an object.
  private func write(_ record: Record) throws {
    if record.memberCount > 0 { output.buffer.append(record.line) } else { record.write(to: output.buffer, []) }
    try output.endLine()
  }

  private func settleRecord(_ error: any Error, _ line: Int, in batch: Batch) throws {
    try settle(error, line, in: batch) { try writeError($1, inRecordOf: $0) }
  }
}
