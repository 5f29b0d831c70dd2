import CPlatform
import Checkpoint
import JSONLines
import Platform
import Tokenizer

/// The main function of a tool: parses the command line, calls `body`, and turns errors into messages and exit
/// statuses.
///
/// Example, a tool that copies its records:
///
///     toolMain(.recordCopy) { arguments, output in
///       let filter = Filter(arguments, output)
///       try filter.forEachRecord { record in
///         record.write(to: output.buffer, [])
///         try output.endLine()
///       }
///       return filter.status
///     }
public func toolMain(_ tool: Tool, _ body: (Arguments, Output) throws -> ExitStatus) -> Never {
  installFatalErrorHandlers(ofProgram: tool.name)
  signal(SIGXFSZ, SIG_IGN)  // a write beyond the file size limit then fails like a write to a full disk
  ensureStandardDescriptors()
  let arguments = Arguments.parse(tool, commandLineWords())
  let output = Output(arguments)
  var status = ExitStatus.success
  do {
    switch try arguments.request() {
    case .help: output.buffer.append(helpText(of: tool, width: Terminal.textWidth))
    case .version: output.buffer.append("\(tool.name) (lmpipe) \(Tool.version)\n")
    case .run:
      status = try body(arguments, output)
      try output.writeEnd()
    }
  } catch {
    output.discardPartialLine()
    try? output.flush()  // on a terminal, earlier output appears before the message
    let error = toolError(from: error)
    status = report(error, tool)
    output.writeFailure(error.message)
  }
  do { try output.close() } catch { status = report(error, tool) }
  TokenizerImages.shared.writePending()
  exit(status.rawValue)
}

/// Writes an error to standard error and returns its exit status.
private func report(_ error: ToolError, _ tool: Tool) -> ExitStatus {
  warn("\(tool.name): \(error.message)")
  if error.status == .usage { warn("try: \(tool.name) --help") }
  return error.status
}

/// Converts a library's error to an error with an exit status.
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
  default: ToolError(.internalError, "internal error: \(error)")
  }
}
