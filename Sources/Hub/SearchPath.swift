import Platform

/// Where the programs that lm-pull runs are looked for.
enum SearchPath {
  /// The absolute folders of a PATH. Others, `.` and empty ones among them, are relative to the current folder, which
  /// may be a stranger's.
  static func absoluteEntries(of path: String) -> String {
    path.split(separator: ":").filter { $0.hasPrefix("/") }.joined(separator: ":")
  }

  /// Leaves only absolute folders in PATH, for this process and the programs that it starts.
  static func secure() {
    let path = absoluteEntries(of: environmentVariable("PATH") ?? "")
    setenv("PATH", path.isEmpty ? "/usr/bin:/bin" : path, 1)
    setenv("PWD", "/", 1)  // where they run
  }
}
