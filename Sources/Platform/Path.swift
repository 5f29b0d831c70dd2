/// The name of a file as the system stores it: bytes in any encoding. A `String` cannot replace it: it would repair what is
/// not UTF-8, and the repaired name is the name of another file.
///
/// There is no string interpolation for a path on purpose: `"\(folder)/name"` is text for a message, with escapes.
/// `folder.appending("name")` is a path.
public struct Path: Hashable, Sendable {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  /// Copies the bytes before the NUL.
  public init(cString: UnsafePointer<CChar>) {
    bytes = Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
  }

  /// The bytes for a system call, with a NUL at the end. A path that has a NUL inside names no file: the system gets an
  /// empty name, for which it answers "No such file or directory", instead of the part before the NUL.
  public var cString: [CChar] { bytes.contains(0) ? [0] : bytes.map { CChar(bitPattern: $0) } + [0] }

  /// The path as text: unchanged if it is UTF-8, else with escapes.
  public var text: String { String(validating: bytes, as: UTF8.self) ?? escaped(bytes) }

  /// The bytes between slashes, without empty components.
  public var components: [Path] { bytes.split(separator: slash).map { Path($0) } }

  /// The path of an entry of this folder. The path of the current folder can be empty.
  public func appending(_ component: Path) -> Path {
    bytes.isEmpty || bytes.last == slash ? Path(bytes + component.bytes) : Path(bytes + [slash] + component.bytes)
  }

  /// The path with other bytes after its end, such as a file extension.
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
  /// The path for a message, with escapes for what is not UTF-8 and for control characters.
  public var description: String { bytes.isEmpty ? "\"\"" : escaped(bytes) }
}
