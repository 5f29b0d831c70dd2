import Platform

/// Excludes other processes, those of Python's library among them: it takes the same lock on the same file (filelock,
/// `flock`). Ends with the object, and with the process however that ends.
final class FileLock {
  private let descriptor: Int32

  /// - Parameter willWait: is called if another process has it.
  init(_ name: Path, in folder: Folder, willWait: () -> Void) throws(HubError) {
    while true {
      let descriptor = try folder.openOrMake(name)
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        willWait()
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      }
      // On a file system without locks we go on: what comes is verified, and written where it belongs in any case.
      var held = stat()
      if fstat(descriptor, &held) == 0, let named = folder.status(name), held.st_ino == named.st_ino {
        self.descriptor = descriptor
        return
      }
      close(descriptor)  // the file was removed while we waited: its lock excludes nobody
    }
  }

  deinit { close(descriptor) }
}
