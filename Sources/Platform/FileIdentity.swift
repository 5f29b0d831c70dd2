/// The size in bytes of a regular file; nil where it is something else.
public func fileSize(_ descriptor: Int32) -> Int? {
  var information = stat()
  return fstat(descriptor, &information) == 0 ? regularSize(information) : nil
}

/// The same for a file by its name, which is not opened.
public func fileSize(_ path: Path) -> Int? {
  var information = stat()
  return stat(path.cString, &information) == 0 ? regularSize(information) : nil
}

private func regularSize(_ information: stat) -> Int? {
  information.st_mode & S_IFMT == S_IFREG ? Int(information.st_size) : nil
}

/// What the system knows of a file that changes whenever its contents do: which file it is, its size, and when it was
/// last written.
public func fileIdentity(_ path: Path) -> String {
  var information = stat()
  guard stat(path.cString, &information) == 0 else { return path.description }
  #if canImport(Darwin)
    let (written, changed) = (information.st_mtimespec, information.st_ctimespec)
  #else
    let (written, changed) = (information.st_mtim, information.st_ctim)
  #endif
  return "\(information.st_dev) \(information.st_ino) \(information.st_size) \(written.tv_sec).\(written.tv_nsec) "
    + "\(changed.tv_sec).\(changed.tv_nsec)"
}
