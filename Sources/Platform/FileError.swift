/// A file operation that the system refused.
public struct FileError: Error, Equatable, CustomStringConvertible {
  /// The file as the person named it, or `standard input` and the like.
  public let path: String
  /// The system's `errno`.
  public let code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  /// Such as `notes.txt: No such file or directory`.
  public var description: String { "\(path): \(String(cString: strerror(code)))" }
}
