/// A file mapped read-only into memory: nothing is copied, and processes that map the same file share its pages.
///
/// The bytes stay valid for as long as the object lives; whoever keeps a pointer into them keeps the object as well.
public final class MappedFile: @unchecked Sendable {  // immutable after init, and the mapping is read-only
  public let path: Path
  public let bytes: UnsafeRawBufferPointer

  public init(path: Path) throws(FileError) {
    self.path = path
    let descriptor = open(path.cString, O_RDONLY | O_CLOEXEC | O_NONBLOCK)  // a FIFO must not make us wait
    guard descriptor >= 0 else { throw FileError(path: path, code: errno) }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else { throw FileError(path: path, code: errno) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      guard information.st_mode & S_IFMT != S_IFDIR else { throw FileError(path: path, code: EISDIR) }
      throw FileError(path: path, code: EINVAL, reason: "this is no regular file, and cannot be mapped into memory")
    }
    let size = Int(information.st_size)
    guard size > 0 else {  // mmap refuses to map nothing
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      guard errno != ENOMEM else { abortOutOfMemory(wanted: size) }
      throw FileError(path: path, code: errno)
    }
    #if os(Linux)
      // Large files are read into large pages where the file system can: then a mapping of half a gigabyte costs hundreds
      // of page faults, not a hundred thousand, in this process and in all that follow. No harm where it can't.
      madvise(address, size, MADV_HUGEPAGE)
    #endif
    watchMapping(address, size, ofFile: path)
    bytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    guard let address = bytes.baseAddress else { return }
    forgetMapping(address)
    munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
  }

  /// Has a range of the file that is not in memory read from its beginning to its end: for disks that is faster than in
  /// the order in which it will be used, and fills large pages only. What goes wrong goes wrong again when the bytes are
  /// used.
  public func readAhead(_ range: Range<Int>) {
    #if os(Linux)
      guard let base = bytes.baseAddress, !range.isEmpty else { return }
      precondition(range.clamped(to: 0..<bytes.count) == range)
      let pageSize = sysconf(Int32(_SC_PAGESIZE))
      let firstPage = range.lowerBound / pageSize * pageSize
      let start = UnsafeMutableRawPointer(mutating: base) + firstPage
      let count = range.upperBound - firstPage
      let samples = (0..<16).map { count / 16 * $0 / pageSize * pageSize }
      let isInMemory = samples.allSatisfy { offset in
        var state: UInt8 = 0
        return mincore(start + offset, 1, &state) == 0 && state & 1 == 1
      }
      let populateRead: Int32 = 22  // MADV_POPULATE_READ, Linux 5.14; older ones refuse it, and nothing is lost
      if !isInMemory { madvise(start, count, populateRead) }
    #endif
  }

  /// The bytes as the JSON scanner and the tokenizer like them.
  public var characters: UnsafeBufferPointer<UInt8> { bytes.bindMemory(to: UInt8.self) }
}
