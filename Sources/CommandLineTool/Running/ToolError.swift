/// Exit statuses, as in sysexits(3).
public enum ExitStatus: Int32, Sendable {
  case success = 0
  /// With `--exit-status`: there was nothing left to do.
  case nothingToDo = 1
  case usage = 64
  case badData = 65
  case noInput = 66
  /// A server or a program that is needed is not to be had; it may be another time.
  case unavailable = 69
  case internalError = 70
  case inputOutput = 74
}

/// Why a tool ends before its time: the message for standard error, and the exit status.
public struct ToolError: Error, Equatable {
  public let status: ExitStatus
  public let message: String

  public init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}

/// What is wrong with one record. The filter adds where the record came from.
public struct RecordError: Error, Equatable {
  public let message: String
  public init(_ message: String) { self.message = message }
}
