import JSON
import JSONLines
import Platform

/// Runs the lines of the input files through a tool: reads the files in order, adds the place to error messages,
/// applies `--keep-going`, checks end records, and flushes the output before it waits for more input.
///
/// All entry points (`forEachLine`, `forEachRecord`, `forEachBatch`) run the same state machine. The input is read in
/// batches of lines that are available together, and each line of a batch passes through these states, in this order:
///
///     waiting ──beginLine──▶ begun ──transform──▶ written ──endLines──▶ finished
///                              └────handleRecordError────▶ written
///
/// Invariant: lines are written in the order of the input. When `handleRecordError` is called for a line, the output of
/// all lines before it is in `output`, and `output` contains nothing of that line or of later lines.
///
/// The entry points differ in the number of lines that can be begun and not yet written: one (`forEachLine`), the lines
/// of one part for each thread (`forEachLine` with workers), or as many as are computed together (`forEachBatch`).
///
/// Example: five records are available together, and the third is bad.
/// - With `forEachLine`, records 1 and 2 are written, the error is handled in place of record 3, and then records 4 and
///   5 are written.
/// - With `forEachBatch` and an error in reading record 3 (invalid JSON, an id outside the vocabulary), records 1 and 2
///   are computed together and written, the error is handled, then 4 and 5 are computed together.
/// - With `forEachBatch` and an error in computing record 3 (logits that are not finite), all five are computed
///   together. `transform` writes 1 and 2, calls `reject` with the index 2, and continues with 4 and 5.
///
/// Handling the error means that an error record is written if `--keep-going` is given; otherwise `handleRecordError`
/// throws, and records 4 and 5 are not written.
public final class Filter {
  let arguments: Arguments
  let output: Output
  /// Work to do while the tool waits for its first line, called once. It must not report errors: the code that needs
  /// its result does.
  public var beforeBlockingRead: (() -> Void)?
  /// Changes each line of text before it is transformed, on the thread that reads. `isFirst`: whether the line is the
  /// first of its file and may begin with a byte-order mark. `place` returns the line's place for a message.
  public var prepareText:
    ((_ line: UnsafeBufferPointer<UInt8>, _ isFirst: Bool, _ place: () -> String) -> UnsafeBufferPointer<UInt8>)?
  /// The index of the line that was begun last, from 0, counted over all files.
  public private(set) var recordIndex = 0
  /// The number of lines read so far, over all files, end records excluded.
  private var recordCount = 0
  private var badRecordCount = 0
  /// True once a record with `"fatal":true` has been read.
  private var hasFailedInput = false
  /// The number of finished lines of the current batch.
  private var finishedLineCount = 0
  private var hasNotedEmptyIDs = false
  private var progress: Progress  // not lazy: a lazy property would be copied for every line

  public init(_ arguments: Arguments, _ output: Output) {
    self.arguments = arguments
    self.output = output
    progress = Progress(arguments)
  }

  /// 65 if records were bad or an earlier tool of the pipeline failed, else 0.
  public var status: ExitStatus {
    badRecordCount > 0 && !arguments.ignoresBadRecordsInStatus || hasFailedInput ? .badData : .success
  }

  // MARK: - Entry points

  /// The format of the input lines.
  public enum Content: Equatable {
    case records
    /// Texts that end with `delimiter`. If it is nil, each file is one text.
    case text(delimiter: UInt8?)
  }

  /// Calls `transform` for each line of the input, on the calling thread.
  ///
  /// - Parameter replacement: writes the output of a bad line, if `--keep-going` is given.
  public func forEachLine(
    of content: Content, _ transform: (UnsafeBufferPointer<UInt8>) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    try forEachInputBatch(of: content, upTo: 1) { try transformEachLine(of: $0, transform, orWrite: replacement) }
  }

  /// Calls `transform` for each record of the input. Error records are passed on unchanged.
  public func forEachRecord(_ transform: (Record) throws -> Void) throws {
    try forEachLine(of: .records) { line in
      let record = try Record(line)
      guard try !record.isErrorRecord() else {
        output.buffer.append(line)
        return try output.endLine()
      }
      try transform(record)
    } orWrite: { line, message in
      try writeError(message, inRecordOf: line)
    }
  }

  /// Calls `transform` for each record of the input, for a tool whose output is not records. An error record is treated
  /// as a bad record, because it has no text to print.
  ///
  /// - Parameter placeholder: writes the output of a bad record, if `--keep-going` is given.
  public func forEachRecord(_ transform: (Record) throws -> Void, orWrite placeholder: @escaping () throws -> Void)
    throws
  {
    try forEachLine(of: .records) { line in
      let record = try Record(line)
      if try record.isErrorRecord() { throw RecordError(record.errorMessage) }
      try transform(record)
    } orWrite: { _, message in
      try reportError(message)
      try placeholder()
    }
  }

  // MARK: - Messages

  /// Writes an error record with the members of `line`, as far as they can be read.
  func writeError(_ message: String, inRecordOf line: UnsafeBufferPointer<UInt8>) throws {
    try writeError(message, in: (try? Record(line)) ?? Record())
  }

  /// Writes an error record: the members of `record`, and `error` with the tool's name and the message.
  public func writeError(_ message: String, in record: Record = Record()) throws {
    let text = shortened("\(arguments.tool.name): \(message)")
    record.write(to: output.buffer, [.set("error") { $0.append(jsonString: text) }])
    try output.endLine()
  }

  /// Flushes the output, then writes the message to standard error.
  public func reportError(_ message: String) throws {
    try output.flush()
    warn("\(arguments.tool.name): \(message)")
  }

  /// Writes a note for the first record without ids. Such a record is passed on unchanged.
  public func noteEmptyIDs() {
    guard !hasNotedEmptyIDs else { return }
    hasNotedEmptyIDs = true
    arguments.note(
      "record \(recordIndex + 1): \"ids\" is empty, so the record is passed on unchanged; bpe-encode --bos adds a token, "
        + "--skip-blank omits blank lines")
  }

  /// Adds generated tokens to the progress line. A record can have many.
  public func countTokens(_ count: Int) { progress.count(tokens: count) }

  // MARK: - The state machine

  /// Lines that were available together.
  struct Batch {
    let lines: [UnsafeBufferPointer<UInt8>]
    let content: Content
    fileprivate let file: Path
    /// The number of the first line in its file, from 1; nil if the line is a whole file.
    fileprivate let firstLineNumber: Int?
    /// The index of the first line, from 0, counted over all files.
    fileprivate let firstIndex: Int

    /// The place of a line for a message: `notes.jsonl:17`, or only the file's name.
    func place(of index: Int) -> String { firstLineNumber.map { "\(file):\($0 + index)" } ?? "\(file)" }

    /// The record of a line, as far as it can be read. A text has no members.
    func record(of index: Int) -> Record { content == .records ? (try? Record(lines[index])) ?? Record() : Record() }
  }

  /// Calls `body` for each batch of the input. A batch has the lines that can be read without waiting, up to `size`
  /// bytes and one more line. End records are checked and left out. The output is flushed before a read that waits.
  ///
  /// `body` calls `beginLine` and `handleRecordError`, and may call `endLines`; all lines are finished when it returns.
  func forEachInputBatch(of content: Content, upTo size: Int, _ body: (Batch) throws -> Void) throws {
    defer { progress.end() }
    let delimiter: UInt8? = if case .text(let delimiter) = content { delimiter } else { UInt8(ascii: "\n") }
    for file in arguments.files {
      let input = try open(file)
      defer { if input.descriptor != STDIN_FILENO { close(input.descriptor) } }
      var reader = LineReader(descriptor: input.descriptor, path: input.name, delimiter: delimiter)
      var lineNumber = 1
      var seal = InputSeal()
      while true {
        var rest = try reader.batch(upTo: size, willWait: prepareToWait)[...]
        guard !rest.isEmpty else { break }
        while !rest.isEmpty {
          let end = content == .records ? rest.firstIndex(where: InputSeal.isEndRecord) : nil
          var lines = end.map { Array(rest[..<$0]) } ?? Array(rest)
          if let prepareText {
            for index in lines.indices {
              lines[index] = prepareText(lines[index], lineNumber + index == 1) {
                "\(input.name):\(lineNumber + index)"
              }
            }
          }
          if !lines.isEmpty {
            let batch = Batch(
              lines: lines, content: content, file: input.name, firstLineNumber: delimiter == nil ? nil : lineNumber,
              firstIndex: recordCount)
            recordCount += lines.count
            seal.count(lines.count)
            finishedLineCount = 0
            try body(batch)
            endLines(before: lines.count, of: batch)
            lineNumber += lines.count
          }
          guard let end else { break }
          try seal.close(rest[end], at: "\(input.name):\(lineNumber)")
          output.seal()
          lineNumber += 1
          rest = rest[(end + 1)...]
        }
      }
      if content == .records, arguments.expectsSeal, !hasFailedInput { try seal.requireClosed(input.name) }
    }
    progress.end()
    if badRecordCount > 0 {
      let noun = recordCount == 1 ? "record" : "records"
      try reportError("\(badRecordCount) of \(recordCount) \(noun) \(badRecordCount == 1 ? "was" : "were") bad")
    }
  }

  /// Calls `transform` for each line of a batch, on the calling thread.
  func transformEachLine(
    of batch: Batch, _ transform: (UnsafeBufferPointer<UInt8>) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    for (index, line) in batch.lines.enumerated() {
      beginLine(index, of: batch)
      do { try transform(line) } catch { try handleRecordError(error, index, in: batch, replacement) }
      endLines(before: index + 1, of: batch)
    }
  }

  /// Begins a line of the batch: `recordIndex` is its index.
  func beginLine(_ index: Int, of batch: Batch) { recordIndex = batch.firstIndex + index }

  /// Finishes all lines of the batch before `index`, and counts them for the progress line.
  func endLines(before index: Int, of batch: Batch) {
    progress.count(batch.lines[min(finishedLineCount, index)..<index])
    finishedLineCount = index
  }

  /// Handles an error that was thrown for a line, after the output of all lines before it has been written.
  ///
  /// - Parameter replacement: writes the output of a bad line, if `--keep-going` is given.
  /// - Throws: the error, if it does not belong to the line; or else, without `--keep-going`, a `ToolError` with the
  ///   place of the line.
  func handleRecordError(
    _ error: any Error, _ index: Int, in batch: Batch,
    _ replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    output.discardPartialLine()
    if let failure = error as? UpstreamFailure {
      hasFailedInput = true
      guard !arguments.writesRecords else { return try output.passOnFailure(batch.lines[index]) }
      return try reportError("\(batch.place(of: index)): \(failure.message)")
    }
    guard let reason = Self.reason(error, batch.content == .records ? batch.lines[index] : nil, arguments.tool) else {
      throw error
    }
    let message = "\(batch.place(of: index)): \(reason)"
    guard arguments.replacesBadRecords else {
      let error = ToolError(.badData, message)
      try output.flush()
      output.writeFailure(message, in: batch.record(of: index))
      throw error
    }
    badRecordCount += 1
    try replacement(batch.lines[index], message)
  }

  /// Returns whether `handleRecordError` handles the error; any other error ends the tool.
  static func isRecordError(_ error: any Error) -> Bool {
    error is RecordError || error is JSONError || error is UpstreamFailure
  }

  /// The message for an error of a record; nil for any other error.
  private static func reason(
    _ error: any Error, _ line: UnsafeBufferPointer<UInt8>?, _ tool: Tool
  ) -> String? {
    switch error {
    case let error as RecordError: error.message
    case let error as JSONError: line.flatMap { commonMistake(in: $0, error, tool) } ?? error.description
    default: nil
    }
  }

  // MARK: - Input

  /// Called before a read that has to wait.
  private func prepareToWait() throws(ToolError) {
    try output.flush()
    beforeBlockingRead?()
    beforeBlockingRead = nil
  }

  private func open(_ file: Path) throws -> (descriptor: Int32, name: Path) {
    guard file == "-" else {
      let descriptor = Platform.open(file.cString, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        let error = FileError(path: file, code: errno)
        guard error.code == ENOENT, let hint = arguments.hintForMissingFile(file) else { throw error }
        throw ToolError(.noInput, error.description + hint)
      }
      guard !isDirectory(file) else { throw FileError(path: file, code: EISDIR) }
      return (descriptor, file)
    }
    if isatty(STDIN_FILENO) == 1, !arguments.has(.quiet) {
      warn("\(arguments.tool.name): reading \(arguments.tool.content ?? "input") from the terminal; Ctrl-D ends it")
    }
    return (STDIN_FILENO, "standard input")
  }
}
