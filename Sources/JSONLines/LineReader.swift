import Platform

/// Input that had been opened could not be read on.
public struct ReadError: Error {
  public let file: FileError
}

/// Lines (or NUL-terminated records) of a file descriptor, each as a view into the read buffer.
///
/// Unsafe pointers: a line is valid until the next call of `next` or `batch`, which may move or overwrite the buffer.
public struct LineReader: ~Copyable {
  private let descriptor: Int32
  private let path: Path
  private let delimiter: UInt8?
  private var buffer = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)  // malloc's
  private var start = 0  // of the bytes not yet handed out
  private var searched = 0  // up to here there is no delimiter
  private var end = 0
  private var isAtEnd = false

  /// `path` is for messages. Without a delimiter the whole input is one record.
  public init(descriptor: Int32, path: Path, delimiter: UInt8?) {
    self.descriptor = descriptor
    self.path = path
    self.delimiter = delimiter
  }

  deinit { free(buffer.baseAddress) }

  /// The next line without its delimiter; nil at the end. A last line without a delimiter counts, an empty one does not.
  ///
  /// `willWait` is called before a read that has to wait for input, or for memory that may be refused, so that output can
  /// be flushed first.
  public mutating func next<E>(willWait: () throws(E) -> Void) throws -> UnsafeBufferPointer<UInt8>? {
    try batch(upTo: 1, willWait: willWait).first
  }

  /// What a line in a batch takes beside its bytes.
  public static let sizeOfLine = 32

  /// The next line, and with it the lines that can be had without waiting: up to `size` bytes, each line with its
  /// `sizeOfLine`, and a line more. Empty at the end of the input. The lines are valid until the next call.
  public mutating func batch<E>(upTo size: Int, willWait: () throws(E) -> Void) throws -> [UnsafeBufferPointer<UInt8>] {
    var ranges: [Range<Int>] = []  // counted from `start`, which `fill` may move
    var next = 0
    while next + Self.sizeOfLine * ranges.count < size {
      if let delimiter, let found = firstIndex(of: delimiter) {
        searched = found + 1
        ranges.append(next..<found - start)
        next = searched - start
        continue
      }
      searched = end
      if isAtEnd {
        guard ranges.isEmpty else { break }
        guard start < end || delimiter == nil && !handedOutWhole else { return [] }
        handedOutWhole = true
        ranges.append(0..<end - start)
        next = end - start
        break
      }
      if ranges.isEmpty {
        if isFull || !isReadable() { try willWait() }
        try fill()
      } else {
        guard !isFull || end - start - next < buffer.count / 2 else { break }  // a long one might take these with it
        guard isReadable(), (try? fill()) != nil else { break }  // what went wrong will do so again, after these lines
      }
    }
    defer { start += next }
    return ranges.map { UnsafeBufferPointer(rebasing: buffer[start + $0.lowerBound..<start + $0.upperBound]) }
  }

  /// The whole input was handed out, for want of a delimiter, or its last line.
  private var handedOutWhole = false

  private func firstIndex(of delimiter: UInt8) -> Int? {
    guard searched < end, let base = buffer.baseAddress,
      let found = memchr(base + searched, Int32(delimiter), end - searched)
    else { return nil }
    return found - UnsafeMutableRawPointer(base)
  }

  /// Whether more memory is needed to read on.
  private var isFull: Bool { start == 0 && end == buffer.count && end > 0 }

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
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilReady(descriptor, for: POLLIN)
      case let code: throw failure(code)
      }
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
