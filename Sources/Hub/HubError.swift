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
  }

  public let kind: Kind
  public let message: String
  /// Lines to show before the message: the possible choices.
  public let choices: [String]

  init(_ kind: Kind, _ message: String, choices: [String] = []) {
    self.kind = kind
    self.message = message
    self.choices = choices
  }

  /// Creates the error for a failed system call on a file of the cache.
  ///
  /// - Parameter code: the value of `errno`.
  init(path: Path, code: Int32 = errno) {
    self.init(.inputOutput, FileError(path: path, code: code).description)
  }
}
