import Checkpoint
import JSONLines
import Platform
import Tokenizer

/// The main function of a tool: reads the command line, runs `body`, and turns errors into messages and exit statuses.
public func toolMain(_ tool: Tool, _ body: (Arguments, Output) throws -> ExitStatus) -> Never {
  installFatalErrorHandlers(ofProgram: tool.name)
  signal(SIGXFSZ, SIG_IGN)  // a file at its limit of size is then an error like a full disk
  ensureStandardDescriptors()
  let arguments = Arguments.parse(tool, commandLineWords())
  let output = Output(arguments)
  var status = ExitStatus.success
  do {
    switch try arguments.request() {
    case .help: output.buffer.append(helpText(of: tool))
    case .version: output.buffer.append("\(tool.name) (lmpipe) \(Tool.version)\n")
    case .run:
      status = try body(arguments, output)
      try output.writeEnd()
    }
  } catch {
    output.discardPartialLine()
    try? output.flush()  // on a terminal, what came before the error stands before it
    let error = toolError(from: error)
    status = report(error, tool)
    output.writeFailure(error.message)
  }
  do { try output.close() } catch { status = report(error, tool) }
  exit(status.rawValue)
}

/// Writes what went wrong on standard error.
private func report(_ error: ToolError, _ tool: Tool) -> ExitStatus {
  warn("\(tool.name): \(error.message)")
  if error.status == .usage { warn("try: \(tool.name) --help") }
  return error.status
}

/// Gives an error of a library its exit status.
func toolError(from error: any Error) -> ToolError {
  switch error {
  case let error as ToolError: error
  case CheckpointError.notFound(let message): ToolError(.noInput, message)
  case let error as CheckpointError: ToolError(.badData, error.description)
  case let error as TokenizerError:
    switch error.cause {
    case .malformed: ToolError(.badData, error.description)
    case .notFound, .unreadable: ToolError(.noInput, error.description)
    }
  case let error as FileError: ToolError(.noInput, error.description)
  case let error as ReadError: ToolError(.inputOutput, error.file.description)
  default: ToolError(.internalError, "this should not have happened: \(error)")
  }
}

extension Arguments {
  /// Writes on standard error, unless `--quiet` is given, something that is no error.
  public func note(_ message: String) {
    if !has(.quiet) { warn("\(tool.name): \(message)") }
  }
}

/// Writes a line on standard error. What a file or a record put into it cannot break the line or steer the terminal:
/// control characters are escaped.
public func warn(_ message: String) {
  let text = escaped(shortened(message).utf8)
  writeToStandardError((Progress.isPossible ? Progress.erasure : "") + text + "\n")
}

/// The message, or its beginning and its end if it is very long: it may quote a file or a record.
func shortened(_ message: String) -> String {
  let bytes = message.utf8
  guard bytes.count > longestMessage else { return message }
  let (head, tail) = (
    String(decoding: bytes.prefix(600), as: UTF8.self), String(decoding: bytes.suffix(300), as: UTF8.self)
  )
  return "\(head)… (\(bytes.count - 900) bytes left out) …\(tail)"
}

private let longestMessage = 1000  // bytes; the longest of our own sentences have half as many

/// Writes on standard error as it is; whether it arrived is not asked.
public func writeToStandardError(_ text: String) {
  let bytes = Array(text.utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
