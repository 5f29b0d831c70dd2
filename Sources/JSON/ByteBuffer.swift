import CPlatform

/// A growable byte buffer for output.
///
/// A class that owns one allocation instead of an array: the number writers store digits directly, without the
/// uniqueness and bounds checks of an array for each byte.
public final class ByteBuffer {
  public private(set) var count = 0
  private var capacity: Int
  private var storage: UnsafeMutablePointer<UInt8>  // allocated with malloc

  /// Padding: the number of bytes after the appended text that a writer in `append(upTo:)` may overwrite. A whole block
  /// fits, so that writers can store blocks whose last bytes are not part of the text.
  public static let padding = ByteBlock.size

  public init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    storage = reallocated(nil, capacity: self.capacity)
  }

  deinit { free(storage) }

  /// The appended bytes; valid until the next change.
  public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: storage, count: count) }

  public func removeAll() { count = 0 }

  /// Removes all bytes after the first `newCount`.
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
    reserve(bytes.count)
    (storage + count).update(from: source, count: bytes.count)
    count += bytes.count
  }

  public func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

  public func append(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  /// Ensures capacity for `amount` more bytes.
  public func reserve(_ amount: Int) {
    if capacity - count < amount { grow(by: amount) }
  }

  /// Appends what `write` stores at the end of the buffer. `write` returns the number of bytes that it appends, at most
  /// `limit`, and may overwrite up to `padding` bytes after them.
  @inline(__always)
  public func append(upTo limit: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(limit + Self.padding)
    let written = write(storage + count)
    precondition(written <= limit)
    count += written
  }

  @inline(never)  // keeps `append(_ byte:)` small enough to be inlined
  private func grow(by amount: Int) {
    capacity = max(2 * capacity, count + amount)
    storage = reallocated(storage, capacity: capacity)
  }
}

/// Returns memory for at least `capacity` elements with the contents of `block`, which it replaces and frees. Ends the
/// program if memory runs out. Large blocks are not copied: `realloc` moves their pages to another address, so the old
/// and the new block never use memory at the same time.
public func reallocated<Element: BitwiseCopyable>(
  _ block: UnsafeMutablePointer<Element>?, capacity: Int
) -> UnsafeMutablePointer<Element> {
  let size = max(capacity, 1) * MemoryLayout<Element>.stride
  guard let larger = realloc(block, size) else { lmpipe_abort_out_of_memory(size) }
  return larger.assumingMemoryBound(to: Element.self)
}
