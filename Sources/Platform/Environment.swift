/// The value of an environment variable; nil where it is not set or empty, which by custom mean the same.
public func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// Whether the folder has an entry of this name: a file that may or may not be readable, or a link that may lead
/// nowhere. Opening it tells what is wrong.
public func hasEntry(_ path: String) -> Bool {
  var information = stat()
  return lstat(path, &information) == 0
}

/// The names of what is in a folder, sorted, those that begin with a dot left out; none where it cannot be read.
public func entries(ofFolder path: String) -> [String] {
  guard let folder = opendir(path) else { return [] }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    // d_name is a C string inside the entry, which Swift sees as a tuple.
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names.sorted()
}

public func isDirectory(_ path: String) -> Bool {
  var information = stat()
  return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
}

/// The absolute path of the running program with its symbolic links resolved; nil where the system won't tell.
public func executablePath() -> String? {
  #if canImport(Darwin)
    var size = UInt32(PATH_MAX)
    var buffer = [CChar](repeating: 0, count: Int(size))
    guard _NSGetExecutablePath(&buffer, &size) == 0, let resolved = realpath(buffer, nil) else { return nil }
  #else
    guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
  #endif
  defer { free(resolved) }
  return String(cString: resolved)
}
