import Platform

/// An error while reading an open input.
public struct ReadError: Error {
  public let file: FileError
}

/// A reader of lines, or of NUL-terminated records, from a file descriptor. Lines are views into the read buffer.
///
/// Unsafe pointers: a line is valid until the next call of `next` or `batch`, which may move or overwrite the buffer.
/// Invariant: `start ≤ searched ≤ end ≤ buffer.count`.
public struct LineReader: ~Copyable {
  private let descriptor: Int32
  private let path: Path
  private let delimiter: UInt8?
  private var buffer = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)  // allocated with malloc
  private var start = 0  // of the bytes that have not been returned
  private var searched = 0  // no delimiter between start and here
  private var end = 0
  private var isAtEnd = false

  /// - Parameters:
  ///   - path: the input's name for error messages.
  ///   - delimiter: the byte that ends a record; nil to read the whole input as one record.
  public init(descriptor: Int32, path: Path, delimiter: UInt8?) {
    self.descriptor = descriptor
    self.path = path
    self.delimiter = delimiter
  }

  deinit { free(buffer.baseAddress) }

  /// Returns the next line without its delimiter; nil at the end of the input. The last line needs no delimiter.
  ///
  /// - Parameter willWait: called before a read that may block, and before an allocation that may fail, so that the
  ///   caller can flush its output first.
  public mutating func next<E>(willWait: () throws(E) -> Void) throws -> UnsafeBufferPointer<UInt8>? {
    try batch(upTo: 1, willWait: willWait).first
  }

  /// The size that `batch` counts for each line in addition to its bytes.
  public static let sizeOfLine = 32

  /// Returns the next line and the lines after it that can be read without blocking, until their bytes and `sizeOfLine`
  /// for each reach `size`. Empty at the end of the input. The lines are valid until the next call.
  public mutating func batch<E>(upTo size: Int, willWait: () throws(E) -> Void) throws -> [UnsafeBufferPointer<UInt8>] {
    var ranges: [Range<Int>] = []  // relative to `start`, which `fill` may change
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
        guard start < end || delimiter == nil && !hasReturnedLast else { return [] }
        hasReturnedLast = true
        ranges.append(0..<end - start)
        next = end - start
        break
      }
      if ranges.isEmpty {
        if isFull || !isReadable() { try willWait() }
        try fill()
      } else {
        // Do not grow the buffer for the next line if it is long: the allocation could fail before these are returned.
        guard !isFull || end - start - next < buffer.count / 2 else { break }
        guard isReadable(), (try? fill()) != nil else { break }  // the error occurs again in the next call
      }
    }
    defer { start += next }
    return ranges.map { UnsafeBufferPointer(rebasing: buffer[start + $0.lowerBound..<start + $0.upperBound]) }
  }

  /// Whether the last line, or the whole input if there is no delimiter, has been returned.
  private var hasReturnedLast = false

  private func firstIndex(of delimiter: UInt8) -> Int? {
    guard searched < end, let base = buffer.baseAddress,
      let found = memchr(base + searched, Int32(delimiter), end - searched)
    else { return nil }
    return found - UnsafeMutableRawPointer(base)
  }

  /// Whether the buffer must grow before more input can be read.
  private var isFull: Bool { start == 0 && end == buffer.count && end > 0 }

  private func isReadable() -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) > 0
  }

  private mutating func fill() throws(ReadError) {
    if start > 0, start == end || end == buffer.count, let base = buffer.baseAddress {  // make room
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

  /// Doubles the buffer. A large buffer is not copied: `realloc` moves its pages to another address.
  private mutating func grow() throws(ReadError) {
    let capacity = max(2 * buffer.count, 1 << 17)
    guard let larger = realloc(buffer.baseAddress, capacity) else { throw failure(errno) }
    buffer = UnsafeMutableBufferPointer(start: larger.assumingMemoryBound(to: UInt8.self), count: capacity)
  }

  private func failure(_ code: Int32) -> ReadError { ReadError(file: FileError(path: path, code: code)) }
}
