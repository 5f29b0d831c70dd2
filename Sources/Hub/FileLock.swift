import Platform

/// An exclusive lock on a file (`flock`). huggingface_hub locks the same file in the same way, so that the lock
/// excludes Python processes as well. The lock is released when the object is deinitialized or the process ends.
final class FileLock {
  private let descriptor: Int32

  /// Creates the file if needed and locks it.
  ///
  /// - Parameter waits: whether to wait if another process holds the lock.
  /// - Returns: nil if another process holds the lock and `waits` is false.
  init?(_ name: Path, in folder: Folder, waits: Bool) throws(HubError) {
    while true {
      let descriptor = try folder.openOrMake(name)
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        do throws(HubError) {
          guard waits else {
            close(descriptor)
            return nil
          }
          // flock(2) could wait without end, also after a signal that arrives just before the call.
          while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
            try Interruption.check()
            usleep(50_000)
          }
        } catch {
          close(descriptor)
          throw error
        }
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
