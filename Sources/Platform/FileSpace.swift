/// Has the file system set room aside for bytes of a file, also in place of holes; new bytes are zeros. Without it a write
/// into a mapped file on a full disk would end the process. (macOS has no call that fills holes: there they stay.)
///
/// - Returns: 0, or the system's error.
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
