import CPlatform

/// The value of an environment variable; nil where it is not set or empty, which by custom mean the same.
public func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// A file name in an environment variable; nil if it is not set or empty.
public func environmentPath(_ name: String) -> Path? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return Path(cString: value)
}

/// Whether the folder has an entry of this name: a file that may or may not be readable, or a link that may lead
/// nowhere. Opening it tells what is wrong.
public func lexists(_ path: Path) -> Bool {
  var information = stat()
  return lstat(path.cString, &information) == 0
}

/// The names of what is in a folder, sorted, those that begin with a dot left out; none where it cannot be read.
public func entries(ofFolder path: Path) -> [Path] {
  guard let folder = opendir(path.cString) else { return [] }
  defer { closedir(folder) }
  var names: [Path] = []
  while let entry = readdir(folder) {
    // d_name is a C string inside the entry, which Swift sees as a tuple.
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { Path($0.prefix { $0 != 0 }) }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names.sorted()
}

public func isDirectory(_ path: Path) -> Bool {
  var information = stat()
  return stat(path.cString, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
}

/// The absolute path with its symbolic links resolved; nil if there is no such file.
public func resolved(_ path: Path) -> Path? {
  guard let resolved = realpath(path.cString, nil) else { return nil }
  defer { free(resolved) }
  return Path(cString: resolved)
}

/// The absolute path of the running program with its symbolic links resolved; nil if the system does not have it.
public func executablePath() -> Path? {
  #if canImport(Darwin)
    var size = UInt32(PATH_MAX)
    var buffer = [CChar](repeating: 0, count: Int(size))
    return _NSGetExecutablePath(&buffer, &size) == 0 ? resolved(Path(cString: buffer)) : nil
  #else
    // Without /proc, the path that the program was started by.
    return resolved("/proc/self/exe") ?? lmpipe_started_path().flatMap { resolved(Path(cString: $0)) }
  #endif
}
