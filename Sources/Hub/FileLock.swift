import Platform

/// An exclusive lock on a file (`flock`). huggingface_hub locks the same file in the same way, so that the lock
/// excludes Python processes as well. The lock is released when the object is deinitialized or the process ends.
final class FileLock {
  private let descriptor: Int32

  /// Creates the file if needed and locks it.
  ///
  /// - Parameter willWait: called before waiting if another process holds the lock.
  init(_ name: Path, in folder: Folder, willWait: () -> Void) throws(HubError) {
    while true {
      let descriptor = try folder.openOrMake(name)
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        willWait()
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
      }
      // A file system without locks is not an error: downloads are verified, and written at their offsets in any case.
      var held = stat()
      if fstat(descriptor, &held) == 0, let named = folder.status(name), held.st_ino == named.st_ino {
        self.descriptor = descriptor
        return
      }
      close(descriptor)  // the file was removed while we waited, so other processes lock another file
    }
  }

  deinit { close(descriptor) }
}
