import Platform

/// The search path for the programs that lm-pull runs.
enum SearchPath {
  /// Returns the absolute folders of a PATH. Other entries, such as `.` and empty entries, are relative to the current
  /// folder, in which another user may have put programs.
  static func absoluteEntries(of path: Path) -> Path {
    Path(path.bytes.split(separator: UInt8(ascii: ":")).filter { Path($0).hasPrefix("/") }.joined(separator: ":".utf8))
  }

  /// Removes relative folders from PATH, for this process and its subprocesses.
  static func secure() {
    let path = absoluteEntries(of: environmentPath("PATH") ?? "")
    setenv("PATH", (path.bytes.isEmpty ? "/usr/bin:/bin" : path).cString, 1)
    setenv("PWD", "/", 1)  // the working directory of subprocesses
  }
}
