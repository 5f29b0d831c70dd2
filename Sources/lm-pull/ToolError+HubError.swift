import CommandLineTool
import Hub

extension ToolError {
  /// Converts an error of the hub to an exit status and a message. Writes the possible choices to standard error
  /// first, so that the message is the last line on the screen.
  init(_ error: HubError) {
    for choice in error.choices { warn("  \(choice)") }
    let status: ExitStatus =
      switch error.kind {
      case .usage: .usage
      case .notFound: .noInput
      case .badData: .badData
      case .unavailable: .unavailable
      case .inputOutput: .inputOutput
      case .interrupted: .internalError  // handled before
      }
    self.init(status, error.message + error.hint)
  }
}
