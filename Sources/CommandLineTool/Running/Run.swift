import Checkpoint
import JSONLines
import Platform
import Tokenizer

/// The whole of a program: reads the command line, runs `body`, and turns errors into messages and exit statuses.
public func run(_ tool: Tool, _ body: (Arguments, Output) throws -> ExitStatus) -> Never {
  prepareLastWords(ofProgram: tool.name)
  signal(SIGXFSZ, SIG_IGN)  // a file at its limit of size is then an error like a full disk
  occupyStandardStreams()
  let output = Output()
  var status = ExitStatus.success
  do {
    switch try Arguments.parse(tool, commandLineWords()) {
    case .help: output.buffer.append(helpText(of: tool))
    case .version: output.buffer.append("\(tool.name) (lmpipe) \(Tool.version)\n")
    case .run(let arguments): status = try body(arguments, output)
    }
  } catch {
    output.discardPartialLine()
    try? output.flush()  // on a terminal, what came before the error stands before it
    status = report(error, tool)
  }
  do { try output.close() } catch { status = report(error, tool) }
  exit(status.rawValue)
}

/// Says on standard error what went wrong.
private func report(_ error: any Error, _ tool: Tool) -> ExitStatus {
  let error = toolError(from: error)
  warn("\(tool.name): \(error.message)")
  if error.status == .usage { warn("try: \(tool.name) --help") }
  return error.status
}

/// Gives an error of one of the rooms its exit status.
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
  /// Tells on standard error, unless `--quiet` is given, something that is no error.
  public func note(_ message: String) {
    if !has(.quiet) { warn("\(tool.name): \(message)") }
  }
}

/// Writes a line on standard error. What a file or a record put into it cannot break the line or steer the terminal:
/// control characters are escaped.
public func warn(_ message: String) {
  var text = ""
  for scalar in message.unicodeScalars {
    if scalar.properties.generalCategory == .control {
      text += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      text.unicodeScalars.append(scalar)
    }
  }
  writeToStandardError((Progress.isPossible ? Progress.erasure : "") + text + "\n")
}

/// Writes on standard error as it is; whether it arrived is not asked.
public func writeToStandardError(_ text: String) {
  let bytes = Array(text.utf8)
  _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
