import Platform

/// An arena allocator: zeroed memory that is allocated in parts and freed as a whole.
///
/// Large requests come from huge pages if the system has any. Opening GPT-2's vocabulary fills less than 2 MB: one page
/// fault instead of about 400, which would take longer than the work itself.
final class Slab {
  private static let hugePage = 1 << 21
  private static let minChunk = 4 * hugePage  // pages that are never touched take no memory

  private var chunks: [UnsafeMutableRawBufferPointer] = []
  private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit {
    for chunk in chunks { munmap(chunk.baseAddress, chunk.count) }
  }

  /// Allocates memory for `count` elements, all zero and aligned to 64 bytes. The memory is valid as long as the slab
  /// exists.
  func allocate<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
    let size = (count * MemoryLayout<Element>.stride + 63) & ~63
    if free.count < size { addChunk(size) }
    guard let base = free.baseAddress else { fatalError("unreachable: addChunk allocates or aborts") }
    free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
    return base.bindMemory(to: Element.self, capacity: count)
  }

  private func addChunk(_ size: Int) {
    let isLarge = size >= Self.hugePage / 4
    let usable = isLarge ? max((size + Self.hugePage - 1) & ~(Self.hugePage - 1), Self.minChunk) : size
    let mapped = isLarge ? usable + Self.hugePage : usable  // one more, to align the start to a huge page
    guard let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
    else { abortOutOfMemory(wanted: mapped) }
    chunks.append(UnsafeMutableRawBufferPointer(start: start, count: mapped))
    free = UnsafeMutableRawBufferPointer(start: start, count: mapped)
    guard isLarge else { return }
    free = UnsafeMutableRawBufferPointer(start: start.alignedUp(toMultipleOf: Self.hugePage), count: usable)
    #if os(Linux)
      madvise(free.baseAddress, usable, MADV_HUGEPAGE)
    #endif
  }
}

/// A growable array of trivial values in a slab. It is filled while a tokenizer is being opened and never changes
/// afterwards, so that pointers into it can be kept.
///
/// Padding: byte strings are compared and copied in words of 8 or 16 bytes, which may read, or write, bytes after the
/// end of the string. Each such routine has a constant `padding`: it accesses at most this many bytes (or elements)
/// from the given position, even if the data is shorter. One rule makes this safe: an array that is passed to such a
/// routine has at least `padding` readable elements after its last one. For memory that belongs to a caller, such as
/// the text to encode, the parameter `paddedCount` is the number of bytes from the pointer on that are readable, the
/// data and everything after it; if there are fewer bytes than a routine needs, it copies byte by byte.
///
/// Unsafe pointers: `base[0..<count]` is initialized, and `padding` more elements are readable and have unspecified
/// values. The owner of a copy of `base` must keep the slab alive, and must copy `base` after the last append.
struct SlabArray<Element: BitwiseCopyable> {
  /// Two words of 8 bytes: the head of a `ByteKey`.
  static var padding: Int { 16 }

  let slab: Slab
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int, in slab: Slab) {
    self.slab = slab
    self.capacity = capacity
    base = slab.allocate(Element.self, capacity + Self.padding)
  }

  var last: Element? { count > 0 ? base[count - 1] : nil }

  /// Ensures capacity for `amount` more elements.
  @inline(__always)
  mutating func reserve(_ amount: Int) {
    if capacity - count < amount { grow(by: amount) }
  }

  /// Appends an element; `reserve` must have been called.
  @inline(__always)
  mutating func appendReserved(_ element: Element) {
    base[count] = element
    count += 1
  }

  /// Adds `amount` elements, which the caller has stored after the last one, to the count; `reserve` must have been
  /// called.
  @inline(__always)
  mutating func appendStored(_ amount: Int) { count += amount }

  @inline(__always)
  mutating func append(_ element: Element) {
    reserve(1)
    appendReserved(element)
  }

  mutating func append(_ elements: UnsafeBufferPointer<Element>) {
    guard let source = elements.baseAddress else { return }
    reserve(elements.count)
    (base + count).update(from: source, count: elements.count)
    count += elements.count
  }

  mutating func truncate(to newCount: Int) {
    precondition(newCount <= count)
    count = newCount
  }

  @inline(never)
  private mutating func grow(by amount: Int) {
    capacity = max(2 * capacity, count + amount)
    let larger = slab.allocate(Element.self, capacity + Self.padding)
    larger.update(from: base, count: count)
    base = larger
  }
}
