import Platform

/// Where the programs that lm-pull runs are looked for.
enum SearchPath {
  /// The absolute folders of a PATH. Others, `.` and empty ones among them, are relative to the current folder, which
  /// may be a stranger's.
  static func absoluteEntries(of path: Path) -> Path {
    Path(path.bytes.split(separator: UInt8(ascii: ":")).filter { Path($0).hasPrefix("/") }.joined(separator: ":".utf8))
  }

  /// Leaves only absolute folders in PATH, for this process and the programs that it starts.
  static func secure() {
    let path = absoluteEntries(of: environmentPath("PATH") ?? "")
    setenv("PATH", (path.bytes.isEmpty ? "/usr/bin:/bin" : path).cString, 1)
    setenv("PWD", "/", 1)  // where they run
  }
}
