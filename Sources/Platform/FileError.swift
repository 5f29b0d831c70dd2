/// An error of a file operation.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file as the user named it, or a name such as `standard input`.
  public let path: Path
  /// The value of `errno`.
  public let code: Int32
  public let reason: String

  /// The default `reason` is the system's message for `code`.
  public init(path: Path, code: Int32, reason: String? = nil) {
    self.path = path
    self.code = code
    self.reason = reason ?? String(cString: strerror(code))
  }

  /// The path and the reason, such as `notes.txt: No such file or directory`.
  public var description: String { "\(path): \(reason)" }
}
