/// What the system knows of a file that changes whenever its contents do: which file it is, its size, and when it was
/// last written.
public func fileIdentity(_ path: String) -> String {
  var information = stat()
  guard stat(path, &information) == 0 else { return path }
  #if canImport(Darwin)
    let (written, changed) = (information.st_mtimespec, information.st_ctimespec)
  #else
    let (written, changed) = (information.st_mtim, information.st_ctim)
  #endif
  return "\(information.st_dev) \(information.st_ino) \(information.st_size) \(written.tv_sec).\(written.tv_nsec) "
    + "\(changed.tv_sec).\(changed.tv_nsec)"
}
