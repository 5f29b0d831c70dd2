import Platform

/// Zeroed memory, handed out piece by piece and given back as a whole.
///
/// The more is asked for, the more it comes from huge pages, where the system has some to give. Opening GPT-2's
/// vocabulary fills less than two megabytes: that is one page fault instead of some four hundred, and those would take
/// longer than the work itself.
final class Slab {
  private static let hugePage = 1 << 21
  private static let leastChunk = 4 * hugePage  // what is never touched costs nothing

  private var chunks: [UnsafeMutableRawBufferPointer] = []
  private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit {
    for chunk in chunks { munmap(chunk.baseAddress, chunk.count) }
  }

  /// Memory for `count` elements, all zero, aligned to 64 bytes, which lives as long as the slab.
  func allocate<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
    let size = (count * MemoryLayout<Element>.stride + 63) & ~63
    if free.count < size { addChunk(size) }
    guard let base = free.baseAddress else { fatalError("no memory was asked for") }
    free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
    return base.bindMemory(to: Element.self, capacity: count)
  }

  private func addChunk(_ size: Int) {
    let isLarge = size >= Self.hugePage / 4
    let room = isLarge ? max((size + Self.hugePage - 1) & ~(Self.hugePage - 1), Self.leastChunk) : size
    let mapped = isLarge ? room + Self.hugePage : room  // so that a huge page begins where we begin
    guard let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED
    else { abortOutOfMemory(wanted: mapped) }
    chunks.append(UnsafeMutableRawBufferPointer(start: start, count: mapped))
    free = UnsafeMutableRawBufferPointer(start: start, count: mapped)
    guard isLarge else { return }
    free = UnsafeMutableRawBufferPointer(start: start.alignedUp(toMultipleOf: Self.hugePage), count: room)
    #if os(Linux)
      madvise(free.baseAddress, room, MADV_HUGEPAGE)
    #endif
  }
}

/// A growing run of plain values in a slab. It is filled while a tokenizer is being opened and never changed afterwards,
/// so that from then on pointers into it can be handed out.
///
/// Unsafe pointers: `base[0..<count]` is initialized, and `slack` elements more may be read, whatever they are. Whoever
/// keeps `base` keeps the slab as well, and takes `base` only after the last append.
struct SlabArray<Element: BitwiseCopyable> {
  /// So that bytes can be loaded and stored a word at a time, or two, up to the last.
  static var padding: Int { 16 }

  private let slab: Slab
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int, in slab: Slab) {
    self.slab = slab
    self.capacity = capacity
    base = slab.allocate(Element.self, capacity + Self.padding)
  }

  var last: Element? { count > 0 ? base[count - 1] : nil }

  /// Makes room for `amount` more elements.
  @inline(__always)
  mutating func reserve(_ amount: Int) {
    if capacity - count < amount { grow(by: amount) }
  }

  /// Appends where `reserve` has made room.
  @inline(__always)
  mutating func appendReserved(_ element: Element) {
    base[count] = element
    count += 1
  }

  /// Where `reserve` has made room: counts elements that the caller has stored behind the last.
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
