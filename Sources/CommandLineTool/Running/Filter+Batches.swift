import JSONLines

/// The number of bytes of lines that are read ahead to be computed together.
private let readAheadSize = 1 << 20

extension Filter {
  /// Calls `transform` with several records at once, for a computation that takes little longer for several records
  /// than for one. A batch has the records that are available without waiting, up to the first that `hasRoom` rejects.
  /// Error records are passed on unchanged.
  ///
  /// - Parameters:
  ///   - placeholder: for output that is not records: writes the output of a record without items and, with
  ///     `--keep-going`, of a bad record. An error record is then a bad record, because it has no text to print.
  ///   - read: makes an item from a record; nil if there is nothing to compute: the record is then passed on unchanged.
  ///   - hasRoom: returns whether an item can be computed in the same batch as the items before it.
  ///   - transform: computes the items and writes them in order. For a bad item it calls `reject` with the item's
  ///     index, after it has written all items before it. `reject` writes an error record, or, without `--keep-going`,
  ///     throws an error that `transform` must rethrow.
  public func forEachBatch<Item>(
    orWrite placeholder: (() throws -> Void)? = nil,
    _ read: (Record) throws -> Item?, while hasRoom: ([Item], Item) -> Bool,
    _ transform: (_ items: [Item], _ reject: (_ error: any Error, _ index: Int) throws -> Void) throws -> Void
  ) throws {
    try forEachInputBatch(of: .records, upTo: readAheadSize) { batch in
      // The items of the most recent lines, in order, which are not computed yet.
      var pending: [Item] = []
      /// Computes and writes the pending items, which belong to the lines directly before `line`.
      func computePending(before line: Int) throws {
        let items = pending
        pending = []
        if !items.isEmpty {
          try transform(items) { try handleRecordError($0, line - items.count + $1, in: batch, placeholder) }
        }
        endLines(before: line, of: batch)
      }
      for (line, bytes) in batch.lines.enumerated() {
        beginLine(line, of: batch)
        switch try Step(bytes, passesOnErrors: placeholder == nil, read) {
        case .compute(let item):
          if !pending.isEmpty, !hasRoom(pending, item) { try computePending(before: line) }
          pending.append(item)
        case .passOn(let record):
          try computePending(before: line)
          if let placeholder { try placeholder() } else { try passOn(record) }
        case .reject(let error):
          try computePending(before: line)
          try handleRecordError(error, line, in: batch, placeholder)
        }
      }
      try computePending(before: batch.lines.count)
    }
  }

  /// The action of `forEachBatch` for a line.
  private enum Step<Item> {
    case compute(Item)
    case passOn(Record)
    case reject(any Error)

    /// - Parameter passesOnErrors: false if an error record is a bad record.
    /// - Throws: an error that is not an error of the record.
    init(
      _ line: UnsafeBufferPointer<UInt8>, passesOnErrors: Bool, _ read: (Record) throws -> Item?
    ) throws {
      do {
        let record = try Record(line)
        let isError = try record.isErrorRecord()
        if isError, !passesOnErrors { throw RecordError(record.errorMessage) }
        guard !isError, let item = try read(record) else {
          self = .passOn(record)
          return
        }
        self = .compute(item)
      } catch {
        guard Filter.isRecordError(error) else { throw error }
        self = .reject(error)
      }
    }
  }

  /// Writes a record unchanged, except that a bare array becomes an object.
  private func passOn(_ record: Record) throws {
    if record.memberCount > 0 { output.buffer.append(record.line) } else { record.write(to: output.buffer, []) }
    try output.endLine()
  }

  private func handleRecordError(
    _ error: any Error, _ line: Int, in batch: Batch, _ placeholder: (() throws -> Void)?
  ) throws {
    try handleRecordError(error, line, in: batch) { line, message in
      guard let placeholder else { return try writeError(message, inRecordOf: line) }
      try reportError(message)
      try placeholder()
    }
  }
}
