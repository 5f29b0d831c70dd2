import Platform

/// The reason why a model could not be fetched.
public struct HubError: Error, Equatable {
  public enum Kind: Sendable {
    /// The request is ambiguous, or a name is invalid.
    case usage
    /// The model, revision or file does not exist, or access is restricted.
    case notFound
    /// The download does not match its size or digest, or these tools cannot read it.
    case badData
    /// The server cannot be reached or fails, or a required program is not installed. Retrying may help.
    case unavailable
    /// The cache cannot be written.
    case inputOutput
    /// The user interrupted the pull. What was received is kept.
    case interrupted
  }

  public let kind: Kind
  public let message: String
  /// Lines to show before the message: the possible choices.
  public let choices: [String]
  /// True if the hub gave no answer about the model, so that a complete snapshot in the cache can be used.
  let isAvailabilityProblem: Bool
  /// What to do if the cache does not have the model either, to append to the message; empty if there is no advice.
  public let hint: String

  public init(_ kind: Kind, _ message: String) { self.init(kind, message, hint: "") }

  init(_ kind: Kind, _ message: String, choices: [String] = [], hint: String = "", isAvailabilityProblem: Bool? = nil) {
    self.kind = kind
    self.message = message
    self.choices = choices
    self.hint = hint
    self.isAvailabilityProblem = isAvailabilityProblem ?? (kind == .unavailable)
  }

  /// Creates the error for a failed system call on a file of the cache.
  ///
  /// - Parameter code: the value of `errno`.
  init(path: Path, code: Int32 = errno) {
    self.init(.inputOutput, FileError(path: path, code: code).description)
  }
}
