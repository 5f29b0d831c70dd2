/// Exit statuses, as in sysexits(3).
public enum ExitStatus: Int32, Sendable {
  case success = 0
  /// With `--exit-status`: all records were done already.
  case nothingToDo = 1
  case usage = 64
  case badData = 65
  case noInput = 66
  /// A required server or program is unavailable. Retrying may help.
  case unavailable = 69
  case internalError = 70
  case inputOutput = 74
}

/// An error that ends the tool: the message for standard error, without the tool's name, and the exit status.
public struct ToolError: Error, Equatable {
  public let status: ExitStatus
  public let message: String

  public init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}

/// An error of one record. The filter adds the record's place to the message.
public struct RecordError: Error, Equatable {
  public let message: String
  public init(_ message: String) { self.message = message }
}
