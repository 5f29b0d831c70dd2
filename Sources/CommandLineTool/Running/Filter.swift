import JSON
import JSONLines
import Platform

/// Runs records through a tool: reads the operands one after the other, names the place of what is bad, keeps going if
/// it was told to, and flushes the output before it waits for more input.
public final class Filter {
  let arguments: Arguments
  let output: Output
  /// What can be got ready in the time until the first line comes. It must leave errors to whoever needs the thing.
  public var whileWaiting: (() -> Void)?
  /// Which record is being transformed, from 0, counted over all files.
  public private(set) var recordIndex = 0
  private var badRecords = 0
  private var records = 0
  /// Of the batch.
  private var finishedLines = 0
  private var progress: Progress  // not lazy: it would be copied for every line

  public init(_ arguments: Arguments, _ output: Output) {
    self.arguments = arguments
    self.output = output
    progress = Progress(arguments)
  }

  /// 65 where records were bad, else 0.
  public var status: ExitStatus { badRecords > 0 ? .badData : .success }

  /// Calls `transform` for each record of the input. Records with a member `error` go through untouched.
  public func forEachRecord(_ transform: (Record) throws -> Void) throws {
    try forEachLine(delimiter: UInt8(ascii: "\n")) { line in
      let record = try Record(line)
      guard try !record.has("error") else {
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
    record.write(
      to: output.buffer, [.set("error") { $0.append(jsonString: "\(self.arguments.tool.name): \(message)") }])
    try output.endLine()
  }

  /// Says on standard error what was wrong, behind the output so far.
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
    try forEachLine(delimiter: UInt8(ascii: "\n")) { line in
      let record = try Record(line)
      if var value = try record.value(of: "error") {
        throw RecordError((try? value.swiftString()) ?? "an error record")
      }
      try transform(record)
    } orWrite: { _, message in
      try reportError(message)
      try placeholder()
    }
  }

  /// Calls `transform` for each line of the input, or for the whole of each file where there is no delimiter. A line
  /// that turns out to be bad ends the run, or with `--keep-going` is replaced.
  public func forEachLine(
    delimiter: UInt8?, _ transform: (UnsafeBufferPointer<UInt8>) throws -> Void,
    orWrite replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    try forEachBatch(delimiter: delimiter, upTo: 1) { try transformEachLine(of: $0, transform, orWrite: replacement) }
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

  /// Told of tokens that were made, of which a record may have many.
  public func madeTokens(_ count: Int) { progress.make(tokens: count) }

  /// Lines that were waiting together.
  struct Batch {
    let lines: [UnsafeBufferPointer<UInt8>]
    fileprivate let file: Path
    /// Of the first line, from 1; nil where it is a whole file.
    fileprivate let number: Int?
  }

  /// Calls `body` with the lines of the input, as many together as can be had without waiting: `size` bytes, and a line
  /// more. The output is flushed before more is waited for.
  func forEachBatch(delimiter: UInt8?, upTo size: Int, _ body: (Batch) throws -> Void) throws {
    defer { progress.end() }
    for file in arguments.files {
      let input = try open(file)
      defer { if input.descriptor != STDIN_FILENO { close(input.descriptor) } }
      var reader = LineReader(descriptor: input.descriptor, path: input.name, delimiter: delimiter)
      var number = 1
      while true {
        let lines = try reader.batch(upTo: size, willWait: useTheTime)
        guard !lines.isEmpty else { break }
        records += lines.count
        let batch = Batch(lines: lines, file: input.name, number: delimiter == nil ? nil : number)
        finishedLines = 0
        try body(batch)
        finish(upTo: lines.count, of: batch)
        number += lines.count
      }
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
    whileWaiting?()
    whileWaiting = nil
  }

  /// What becomes of a line that `error` was thrown for, after those before it have been written: it ends the run, or
  /// with `--keep-going` is replaced.
  func settle(
    _ error: any Error, _ index: Int, in batch: Batch,
    _ replacement: (UnsafeBufferPointer<UInt8>, _ message: String) throws -> Void
  ) throws {
    output.discardPartialLine()
    guard let reason = Self.reason(error) else { throw error }
    let message = batch.number.map { "\(batch.file):\($0 + index): \(reason)" } ?? "\(batch.file): \(reason)"
    guard arguments.has(.keepGoing) else { throw ToolError(.badData, message) }
    badRecords += 1
    try replacement(batch.lines[index], message)
  }

  /// Whether the error is a record's, and not one that ends the run anyway.
  static func isOfRecord(_ error: any Error) -> Bool { reason(error) != nil }

  /// What is wrong with a record; nil for an error that is not the record's.
  private static func reason(_ error: any Error) -> String? {
    switch error {
    case let error as RecordError: error.message
    case let error as JSONError: error.description
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
