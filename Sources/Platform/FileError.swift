/// A file operation that the system refused.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file as the person named it, or `standard input` and the like.
  public let path: Path
  /// The system's `errno`.
  public let code: Int32
  public let reason: String

  /// Without a `reason` it is the system's.
  public init(path: Path, code: Int32, reason: String? = nil) {
    self.path = path
    self.code = code
    self.reason = reason ?? String(cString: strerror(code))
  }

  /// Such as `notes.txt: No such file or directory`.
  public var description: String { "\(path): \(reason)" }
}
