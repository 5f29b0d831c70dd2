/// A file name as the system stores it: bytes in any encoding. A `String` would replace invalid UTF-8, and the result
/// would name another file.
///
/// `"\(folder)/name"` is text for a message, with escapes; `folder.appending("name")` is a path.
public struct Path: Hashable, Sendable {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  /// Copies the bytes before the terminating NUL.
  public init(cString: UnsafePointer<CChar>) {
    bytes = Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
  }

  /// The bytes for a system call, terminated by NUL. A path that contains a NUL becomes the empty path, for which the
  /// system returns "No such file or directory", because the part before the NUL would name another file.
  public var cString: [CChar] { bytes.contains(0) ? [0] : bytes.map { CChar(bitPattern: $0) } + [0] }

  /// The path as text: unchanged if it is UTF-8, else with escapes.
  public var text: String { String(validating: bytes, as: UTF8.self) ?? escaped(bytes) }

  /// The components between slashes, without empty ones.
  public var components: [Path] { bytes.split(separator: slash).map { Path($0) } }

  /// Returns the path of an entry of this folder. An empty path is the current folder.
  public func appending(_ component: Path) -> Path {
    bytes.isEmpty || bytes.last == slash ? Path(bytes + component.bytes) : Path(bytes + [slash] + component.bytes)
  }

  /// Returns the path with a suffix appended to its last component, such as a file extension.
  public func appending(suffix: String) -> Path { Path(bytes + suffix.utf8) }

  /// The bytes after the last slash.
  public var lastComponent: Path { Path(bytes[(bytes.lastIndex(of: slash).map { $0 + 1 } ?? 0)...]) }

  /// The path before the last slash: `.` if there is no slash, `/` for an entry of the root.
  public var parent: Path {
    guard let last = bytes.lastIndex(of: slash) else { return "." }
    return last == 0 ? "/" : Path(bytes[..<last])
  }

  public func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

  public func hasSuffix(_ suffix: String) -> Bool { bytes.reversed().starts(with: suffix.utf8.reversed()) }
}

private let slash = UInt8(ascii: "/")

extension Path: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) { self.init(text) }
}

extension Path: Comparable {
  public static func < (a: Path, b: Path) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

extension Path: CustomStringConvertible {
  /// The path for a message, with invalid UTF-8 and control characters escaped; `""` if it is empty.
  public var description: String { bytes.isEmpty ? "\"\"" : escaped(bytes) }
}
