import Platform

/// Why a model could not be fetched, as a person needs to know it.
public struct HubError: Error, Equatable {
  public enum Kind: Sendable {
    /// What was asked for leaves a choice, or is no name.
    case usage
    /// The hub has no such thing, or not for everybody.
    case notFound
    /// What came is not what was promised, or nothing that these tools read.
    case badData
    /// No connection, a server in trouble, a program that is not installed: another time it may work.
    case unavailable
    /// The cache cannot be written.
    case inputOutput
  }

  public let kind: Kind
  public let message: String
  /// Lines to choose from, shown before the message.
  public let choices: [String]

  init(_ kind: Kind, _ message: String, choices: [String] = []) {
    self.kind = kind
    self.message = message
    self.choices = choices
  }

  /// An operation on a file of the cache that the system refused: the value of `errno`.
  init(path: Path, code: Int32 = errno) {
    self.init(.inputOutput, FileError(path: path, code: code).description)
  }
}
