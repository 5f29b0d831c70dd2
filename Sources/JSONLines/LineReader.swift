import Platform

/// Input that had been opened could not be read on.
public struct ReadError: Error {
  public let file: FileError
}

/// Lines (or NUL-terminated records) of a file descriptor, one at a time, each as a view into the read buffer.
///
/// Unsafe pointers: a line is valid until the next call of `next`, which may move or overwrite the buffer.
public struct LineReader: ~Copyable {
  private let descriptor: Int32
  private let path: String
  private let delimiter: UInt8?
  private var buffer = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)  // malloc's
  private var start = 0  // of the bytes not yet handed out
  private var searched = 0  // up to here there is no delimiter
  private var end = 0
  private var isAtEnd = false

  /// `path` is for messages. Without a delimiter the whole input is one record.
  public init(descriptor: Int32, path: String, delimiter: UInt8?) {
    self.descriptor = descriptor
    self.path = path
    self.delimiter = delimiter
  }

  deinit { free(buffer.baseAddress) }

  /// The next line without its delimiter; nil at the end. A last line without a delimiter counts, an empty one does not.
  ///
  /// `willWait` is called before a read that has to wait for input, so that output can be flushed first.
  public mutating func next<E>(willWait: () throws(E) -> Void) throws -> UnsafeBufferPointer<UInt8>? {
    while true {
      if let delimiter, let found = firstIndex(of: delimiter) {
        defer {
          start = found + 1
          searched = start
        }
        return UnsafeBufferPointer(rebasing: buffer[start..<found])
      }
      searched = end
      if isAtEnd {
        guard start < end || delimiter == nil else { return nil }
        defer { (start, searched, end) = (0, 0, 0) }
        if delimiter == nil, start == end {  // the whole input, and it is empty
          guard !handedOutWhole else { return nil }
        }
        handedOutWhole = true
        return UnsafeBufferPointer(rebasing: buffer[start..<end])
      }
      if !isReadable() { try willWait() }
      try fill()
    }
  }

  private var handedOutWhole = false

  private func firstIndex(of delimiter: UInt8) -> Int? {
    guard searched < end, let base = buffer.baseAddress,
      let found = memchr(base + searched, Int32(delimiter), end - searched)
    else { return nil }
    return found - UnsafeMutableRawPointer(base)
  }

  private func isReadable() -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) > 0
  }

  private mutating func fill() throws(ReadError) {
    if start > 0, start == end || end == buffer.count, let base = buffer.baseAddress {  // make room in front
      memmove(base, base + start, end - start)
      (searched, end, start) = (searched - start, end - start, 0)
    }
    if end == buffer.count { try grow() }
    while true {
      let count = read(descriptor, buffer.baseAddress.map { $0 + end }, buffer.count - end)
      if count >= 0 {
        end += count
        isAtEnd = count == 0
        return
      }
      guard errno == EINTR else { throw failure(errno) }
    }
  }

  /// Doubles the buffer. A large one is not copied: realloc has its pages mapped at another address.
  private mutating func grow() throws(ReadError) {
    let capacity = max(2 * buffer.count, 1 << 17)
    guard let larger = realloc(buffer.baseAddress, capacity) else { throw failure(errno) }
    buffer = UnsafeMutableBufferPointer(start: larger.assumingMemoryBound(to: UInt8.self), count: capacity)
  }

  private func failure(_ code: Int32) -> ReadError { ReadError(file: FileError(path: path, code: code)) }
}
