import JSON
import JSONLines
import Platform

/// Runs records through a tool: reads the operands one after the other, names the place of what is bad, keeps going if
/// the command line says so, checks end records, and flushes the output before it waits for more input.
public final class Filter {
  let arguments: Arguments
  let output: Output
  /// What can be got ready in the time until the first line comes. It must leave errors to whoever needs the thing.
  public var beforeBlockingRead: (() -> Void)?
  /// What is done with each line of text before it is transformed, on the thread that reads. The first of a file may
  /// begin with a byte-order mark. `place` makes the text that names the line in a note.
  public var prepareText:
    ((_ line: UnsafeBufferPointer<UInt8>, _ isFirst: Bool, _ place: () -> String) -> UnsafeBufferPointer<UInt8>)?
  /// Which record is being transformed, from 0, counted over all files.
  public private(set) var recordIndex = 0
  private var badRecords = 0
  /// Whether a record with `"fatal":true` was read.
  private var hasFailedInput = false
  private var records = 0
  private var notedEmptyText = false
  /// Of the batch.
  private var finishedLines = 0
  private var progress: Progress  // not lazy: it would be copied for every line

  public init(_ arguments: Arguments, _ output: Output) {
    self.arguments = arguments
    self.output = output
    progress = Progress(arguments)
  }

  /// 65 if records were bad or a tool before this one failed, else 0.
  public var status: ExitStatus {
    badRecords > 0 && !arguments.toleratesBadRecords || hasFailedInput ? .badData : .success
  }

  /// Calls `transform` for each record of the input. Error records are passed on as they are.
  public func forEachRecord(_ transform: (Record) throws -> Void) throws {
    try forEachLine(of: .records) { line in
      let record = try Record(line)
      guard try !record.isPassedOn() else {
        output.buffer.append(line)
        return try output.endLine()
      }
      try transform(record)
    } orWrite: { line, message in
      try writeError(message, inRecordOf: line)
    }
  }

  /// Writes a record that says what was wrong, and which tool found it, with the members that the line gave it, where
  /// they can be read.
  func writeError(_ message: String, inRecordOf line: UnsafeBufferPointer<UInt8>) throws {
    try writeError(message, in: (try? Record(line)) ?? Record())
  }

  /// Writes a record that says what was wrong, and which tool found it.
  public func writeError(_ message: String, in record: Record = Record()) throws {
    let text = shortened("\(arguments.tool.name): \(message)")
    record.write(to: output.buffer, [.set("error") { $0.append(jsonString: text) }])
    try output.endLine()
  }

  /// Writes on standard error what was wrong, after the output so far.
  public func reportError(_ message: String) throws {
    try output.flush()
    warn("\(arguments.tool.name): \(message)")
  }

  /// The same for a tool whose output is not records. An error record is bad news there: it has no text.
  ///
  /// - Parameter placeholder: writes what stands in a bad record's place.
  public func forEachRecord(_ transform: (Record) throws -> Void, orWrite placeholder: @escaping () throws -> Void)
    throws
  {
    try forEachLine(of: .records) { line in
      let record = try Record(line)
      if try record.isPassedOn() { throw RecordError(record.errorMessage) }
      try transform(record)
    } orWrite: { _, message in
      try reportError(message)
      try placeholder()
    }
  }

  /// What the lines of the input are.
  public enum Content: Equatable {
    case records
    /// Each line is a text. Without a delimiter each file is one text.
    case text(delimiter: UInt8?)
  }

  /// Calls `transform` for each line of the input. A bad line ends the run, or with `--keep-going` is replaced.
  public func forEachLine(
    of content: Content, _ transform: (UnsafeBufferPointer<UInt8>) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    try forEachBatch(of: content, upTo: 1) { try transformEachLine(of: $0, transform, orWrite: replacement) }
  }

  /// Calls `transform` for each line of a batch, on this thread.
  func transformEachLine(
    of batch: Batch, _ transform: (UnsafeBufferPointer<UInt8>) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    for (index, line) in batch.lines.enumerated() {
      enter(index, of: batch)
      do { try transform(line) } catch { try settle(error, index, in: batch, replacement) }
      finish(upTo: index + 1, of: batch)
    }
  }

  /// Takes up a line of the batch.
  func enter(_ index: Int, of batch: Batch) { recordIndex = records - batch.lines.count + index }

  /// Told when all lines of the batch before `index` are finished.
  func finish(upTo index: Int, of batch: Batch) {
    progress.finish(batch.lines[min(finishedLines, index)..<index])
    finishedLines = index
  }

  /// Writes a note for the first record without ids: such a record is passed on as it is.
  public func noteEmptyText() {
    guard !notedEmptyText else { return }
    notedEmptyText = true
    arguments.note(
      "\"ids\" is empty in record \(recordIndex + 1), which is passed on as it is; bpe-encode --bos gives an empty text a "
        + "token, and --skip-blank leaves blank lines out")
  }

  /// Told of tokens that were made, of which a record may have many.
  public func madeTokens(_ count: Int) { progress.make(tokens: count) }

  /// Lines that were waiting together.
  struct Batch {
    let lines: [UnsafeBufferPointer<UInt8>]
    let content: Content
    fileprivate let file: Path
    /// The number of the first line, from 1; nil if the line is a whole file.
    fileprivate let number: Int?

    /// `notes.jsonl:17`, or the file alone.
    func place(of index: Int) -> String { number.map { "\(file):\($0 + index)" } ?? "\(file)" }

    /// The record of a line, as far as it can be read. A text has no members.
    func record(of index: Int) -> Record { content == .records ? (try? Record(lines[index])) ?? Record() : Record() }
  }

  /// Calls `body` with the lines of the input, as many together as can be had without waiting: `size` bytes, and a line
  /// more. End records are checked and left out. The output is flushed before more is waited for.
  func forEachBatch(of content: Content, upTo size: Int, _ body: (Batch) throws -> Void) throws {
    defer { progress.end() }
    let delimiter: UInt8? = if case .text(let delimiter) = content { delimiter } else { UInt8(ascii: "\n") }
    for file in arguments.files {
      let input = try open(file)
      defer { if input.descriptor != STDIN_FILENO { close(input.descriptor) } }
      var reader = LineReader(descriptor: input.descriptor, path: input.name, delimiter: delimiter)
      var number = 1
      var seal = InputSeal()
      while true {
        var rest = try reader.batch(upTo: size, willWait: useTheTime)[...]
        guard !rest.isEmpty else { break }
        while !rest.isEmpty {
          let end = content == .records ? rest.firstIndex(where: InputSeal.isEndRecord) : nil
          var lines = end.map { Array(rest[..<$0]) } ?? Array(rest)
          if let prepareText {
            for index in lines.indices {
              lines[index] = prepareText(lines[index], number + index == 1) { "\(input.name):\(number + index)" }
            }
          }
          if !lines.isEmpty {
            records += lines.count
            seal.count(lines.count)
            let batch = Batch(
              lines: lines, content: content, file: input.name, number: delimiter == nil ? nil : number)
            finishedLines = 0
            try body(batch)
            finish(upTo: lines.count, of: batch)
            number += lines.count
          }
          guard let end else { break }
          try seal.close(rest[end], at: "\(input.name):\(number)")
          output.seal()
          number += 1
          rest = rest[(end + 1)...]
        }
      }
      if content == .records, arguments.expectsSeal, !hasFailedInput { try seal.requireClosed(input.name) }
    }
    progress.end()
    if badRecords > 0 {
      let noun = records == 1 ? "record" : "records"
      try reportError("\(badRecords) of \(records) \(noun) \(badRecords == 1 ? "was" : "were") bad")
    }
  }

  /// Called before a read that has to wait.
  private func useTheTime() throws(ToolError) {
    try output.flush()
    beforeBlockingRead?()
    beforeBlockingRead = nil
  }

  /// Handles the error that was thrown for a line, after the lines before it have been written: it ends the run, or
  /// with `--keep-going` the line is replaced.
  func settle(
    _ error: any Error, _ index: Int, in batch: Batch,
    _ replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    output.discardPartialLine()
    if let failure = error as? FailedInput {
      hasFailedInput = true
      guard !arguments.writesRecords else { return try output.passOnFailure(batch.lines[index]) }
      return try reportError("\(batch.place(of: index)): \(failure.message)")
    }
    guard let reason = Self.reason(error, batch.content == .records ? batch.lines[index] : nil, arguments.tool) else {
      throw error
    }
    let message = "\(batch.place(of: index)): \(reason)"
    guard arguments.keepsGoing else {
      let error = ToolError(.badData, message)
      try output.flush()
      output.writeFailure(message, in: batch.record(of: index))
      throw error
    }
    badRecords += 1
    try replacement(batch.lines[index], message)
  }

  /// Whether the error is a record's, and not one that ends the run anyway.
  static func isOfRecord(_ error: any Error) -> Bool {
    error is RecordError || error is JSONError || error is FailedInput
  }

  /// What is wrong with a record; nil for an error that is not the record's.
  private static func reason(
    _ error: any Error, _ line: UnsafeBufferPointer<UInt8>?, _ tool: Tool
  ) -> String? {
    switch error {
    case let error as RecordError: error.message
    case let error as JSONError: line.flatMap { mistake(in: $0, error, tool) } ?? error.description
    default: nil
    }
  }

  private func open(_ file: Path) throws -> (descriptor: Int32, name: Path) {
    guard file == "-" else {
      let descriptor = Platform.open(file.cString, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileError(path: file, code: errno) }
      guard !isDirectory(file) else { throw FileError(path: file, code: EISDIR) }
      return (descriptor, file)
    }
    if isatty(STDIN_FILENO) == 1, !arguments.has(.quiet) {
      warn("\(arguments.tool.name): reading \(arguments.tool.content ?? "input") from the terminal; Ctrl-D ends it")
    }
    return (STDIN_FILENO, "standard input")
  }
}
