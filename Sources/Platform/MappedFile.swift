/// A file mapped read-only into memory. Nothing is copied, and processes that map the same file share its pages.
///
/// The bytes are valid as long as the object exists; code that keeps a pointer into them must retain the object.
public final class MappedFile: @unchecked Sendable {  // immutable after init, and the mapping is read-only
  public let path: Path
  public let bytes: UnsafeRawBufferPointer

  /// Maps a regular file. Throws `FileError` for other kinds of files, and if the system refuses to open or map it.
  public convenience init(path: Path) throws(FileError) {
    let descriptor = open(path.cString, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // opening a FIFO must not block
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    defer { close(descriptor) }
    try self.init(path: path, descriptor)
  }

  /// Maps an open regular file.
  ///
  /// - Parameters:
  ///   - path: the file's name for messages.
  ///   - readsAll: Maps all pages at once (on Linux), because all of them will be read.
  public init(path: Path, _ descriptor: Int32, readsAll: Bool = false) throws(FileError) {
    self.path = path
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw FileError(path: path, code: errno) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      guard information.st_mode & S_IFMT != S_IFDIR else { throw FileError(path: path, code: EISDIR) }
      throw FileError(path: path, code: EINVAL, reason: "not a regular file; only regular files can be memory-mapped")
    }
    let size = Int(information.st_size)
    guard size > 0 else {  // mmap fails for a size of 0
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    #if os(Linux)
      let populate = readsAll ? MAP_POPULATE : 0
    #else
      let populate: Int32 = 0
    #endif
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE | populate, descriptor, 0), address != MAP_FAILED else {
      guard errno != ENOMEM else { abortOutOfMemory(wanted: size) }
      throw FileError(path: path, code: errno)
    }
    #if os(Linux)
      // Large pages, if the file system supports them: a mapping of half a gigabyte then costs hundreds of page faults
      // instead of a hundred thousand, in this process and in later ones. Otherwise the call has no effect.
      madvise(address, size, MADV_HUGEPAGE)
    #endif
    watchMapping(address, size, ofFile: path)
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  /// Creates a read-only copy of bytes in memory, followed by zeros up to `size`: the beginning of a file that is not
  /// complete yet. The zeros take no memory.
  ///
  /// - Parameter path: the file's name for messages.
  public init(path: Path, beginning: UnsafeRawBufferPointer, size: Int) throws(FileError) {
    self.path = path
    precondition(beginning.count <= size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard
      let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      address != MAP_FAILED
    else { throw FileError(path: path, code: errno) }
    UnsafeMutableRawBufferPointer(start: address, count: size).copyMemory(from: beginning)
    mprotect(address, size, PROT_READ)
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    guard let address = bytes.baseAddress else { return }
    forgetMapping(address)
    munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
  }

  /// Returns true if samples of a range show that it is in memory. Always true on systems other than Linux.
  public func isInMemory(_ range: Range<Int>) -> Bool {
    #if os(Linux)
      guard let (start, count) = pages(of: range) else { return true }
      return (0..<16).allSatisfy { sample in
        var state: UInt8 = 0
        return mincore(start + count / 16 * sample / Self.pageSize * Self.pageSize, 1, &state) == 0 && state & 1 == 1
      }
    #else
      return true
    #endif
  }

  /// Reads a range of the file into memory and maps its pages, in sequential order. On disks this is faster than faults
  /// in the order of use, and it fills only large pages. Pages that are in memory in small pages are mapped in half the
  /// time that faults take; mapping large pages takes a microsecond for each. Errors are ignored here: they occur again
  /// when the bytes are used. No effect on systems other than Linux.
  public func populate(_ range: Range<Int>) {
    #if os(Linux)
      guard let (start, count) = pages(of: range) else { return }
      let populateRead: Int32 = 22  // MADV_POPULATE_READ, since Linux 5.14; older kernels refuse it, which is harmless
      madvise(start, count, populateRead)
    #endif
  }

  #if os(Linux)
    private static var pageSize: Int { sysconf(Int32(_SC_PAGESIZE)) }

    /// Returns the start of the first page of a range and the number of bytes to its end; nil for an empty range.
    private func pages(of range: Range<Int>) -> (start: UnsafeMutableRawPointer, count: Int)? {
      guard let base = bytes.baseAddress, !range.isEmpty else { return nil }
      precondition(range.clamped(to: 0..<bytes.count) == range)
      let firstPage = range.lowerBound / Self.pageSize * Self.pageSize
      return (UnsafeMutableRawPointer(mutating: base) + firstPage, range.upperBound - firstPage)
    }
  #endif

  /// The bytes as a typed buffer, as the JSON scanner and the tokenizer take them.
  public var characters: UnsafeBufferPointer<UInt8> { bytes.bindMemory(to: UInt8.self) }
}
