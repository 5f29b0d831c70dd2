import CPlatform

/// A growing run of bytes that output is assembled in.
///
/// A class around one allocation rather than `[UInt8]`: the number writer stores digits straight into it, without the
/// uniqueness and bounds checks that an array makes for every byte.
public final class ByteBuffer {
  public private(set) var count = 0
  private var capacity: Int
  private var storage: UnsafeMutablePointer<UInt8>  // malloc's

  public init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    storage = reallocated(nil, capacity: self.capacity)
  }

  deinit { free(storage) }

  /// What has been appended so far; valid until the next change.
  public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: storage, count: count) }

  public func removeAll() { count = 0 }

  /// Forgets everything after the first `newCount` bytes.
  public func truncate(to newCount: Int) {
    precondition(newCount <= count)
    count = newCount
  }

  public func append(_ byte: UInt8) {
    if count == capacity { grow(by: 1) }
    storage[count] = byte
    count += 1
  }

  public func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress else { return }
    append(upTo: bytes.count) { target in
      target.update(from: source, count: bytes.count)
      return bytes.count
    }
  }

  public func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

  public func append(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  /// Makes room for so many bytes at once.
  public func reserve(_ amount: Int) {
    if capacity - count < amount { grow(by: amount) }
  }

  /// Lets `write` store at most `limit` bytes at the end; it returns how many it stored.
  @inline(__always)
  public func append(upTo limit: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(limit)
    let written = write(storage + count)
    precondition(written <= limit)
    count += written
  }

  @inline(never)  // so that appending a byte is short enough to be inlined
  private func grow(by amount: Int) {
    capacity = max(2 * capacity, count + amount)
    storage = reallocated(storage, capacity: capacity)
  }
}

/// A block of malloc's that holds at least `capacity` elements, and those of `block`, which it replaces. A large one is
/// not copied: `realloc` maps its pages at another address, so the two never take memory at the same time.
public func reallocated<Element: BitwiseCopyable>(
  _ block: UnsafeMutablePointer<Element>?, capacity: Int
) -> UnsafeMutablePointer<Element> {
  let size = max(capacity, 1) * MemoryLayout<Element>.stride
  guard let larger = realloc(block, size) else { lmpipe_abort_out_of_memory(size) }
  return larger.assumingMemoryBound(to: Element.self)
}
