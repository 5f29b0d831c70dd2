/// Returns whether the folder has an entry of this name, without following a symbolic link: the entry may be
/// unreadable, or a link whose target is missing. Opening it reports the error.
public func lexists(_ path: Path) -> Bool {
  var information = stat()
  return lstat(path.cString, &information) == 0
}

/// Returns the sorted names of a folder's entries, without names that begin with a dot; an empty array if the folder
/// cannot be read.
public func entries(ofFolder path: Path) -> [Path] {
  guard let folder = opendir(path.cString) else { return [] }
  defer { closedir(folder) }
  var names: [Path] = []
  while let entry = readdir(folder) {
    // d_name is a C string in an array, which Swift imports as a tuple.
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { Path($0.prefix { $0 != 0 }) }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names.sorted()
}

/// Returns whether the path is a directory, or a symbolic link to one.
public func isDirectory(_ path: Path) -> Bool {
  var information = stat()
  return stat(path.cString, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
}

/// Returns the absolute path with all symbolic links resolved; nil if the file does not exist.
public func resolved(_ path: Path) -> Path? {
  guard let resolved = realpath(path.cString, nil) else { return nil }
  defer { free(resolved) }
  return Path(cString: resolved)
}

/// Returns the size in bytes of an open regular file; nil for other kinds of files.
public func fileSize(_ descriptor: Int32) -> Int? {
  var information = stat()
  return fstat(descriptor, &information) == 0 ? regularSize(information) : nil
}

/// Returns the size in bytes of a regular file, without opening it; nil for other kinds of files.
public func fileSize(_ path: Path) -> Int? {
  var information = stat()
  return stat(path.cString, &information) == 0 ? regularSize(information) : nil
}

private func regularSize(_ information: stat) -> Int? {
  information.st_mode & S_IFMT == S_IFREG ? Int(information.st_size) : nil
}

/// Returns a text that changes whenever the file's contents change: device, inode, size, and the times of the last
/// modification and status change. If the file does not exist, returns its path.
public func fileIdentity(_ path: Path) -> String {
  var information = stat()
  guard stat(path.cString, &information) == 0 else { return path.description }
  let (written, changed) = information.times
  return "\(information.st_dev) \(information.st_ino) \(information.st_size) \(written.tv_sec).\(written.tv_nsec) "
    + "\(changed.tv_sec).\(changed.tv_nsec)"
}

extension stat {
  /// The times of the last modification and of the last status change, under the names that each system gives them.
  package var times: (modified: timespec, changed: timespec) {
    #if canImport(Darwin)
      (st_mtimespec, st_ctimespec)
    #else
      (st_mtim, st_ctim)
    #endif
  }
}

/// Allocates disk blocks for a range of bytes of a file, including holes in it. New bytes are zeros. Without
/// allocation, a write into a mapped file would kill the process with SIGBUS if the disk is full. (macOS has no call
/// that fills holes, so holes remain there.)
///
/// - Returns: 0, or the system's error number.
public func allocateFile(_ descriptor: Int32, from offset: Int, count: Int) -> Int32 {
  #if canImport(Darwin)
    guard let size = fileSize(descriptor), size < offset + count else { return 0 }
    var store = fstore_t(
      fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0, fst_length: off_t(count),
      fst_bytesalloc: 0)
    guard fcntl(descriptor, F_PREALLOCATE, &store) != -1 else { return errno }
    return ftruncate(descriptor, off_t(offset + count)) == 0 ? 0 : errno
  #else
    return posix_fallocate(descriptor, off_t(offset), off_t(count))
  #endif
}
