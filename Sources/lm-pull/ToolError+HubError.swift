import CommandLineTool
import Hub

extension ToolError {
  /// What went wrong with the hub as the program ends with it. What there is to choose from is written first, so that the
  /// message is the last thing on the screen.
  init(_ error: HubError) {
    for choice in error.choices { warn("  \(choice)") }
    let status: ExitStatus =
      switch error.kind {
      case .usage: .usage
      case .notFound: .noInput
      case .badData: .badData
      case .unavailable: .unavailable
      case .inputOutput: .inputOutput
      }
    self.init(status, error.message)
  }
}
