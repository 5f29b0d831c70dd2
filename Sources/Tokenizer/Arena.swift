/// A growing run of plain values in a slab. It is filled while a tokenizer is being opened and never changed afterwards,
/// so that from then on pointers into it can be handed out.
///
/// Unsafe pointers: `base[0..<count]` is initialized, and `slack` elements more may be read, whatever they are. Whoever
/// keeps `base` keeps the slab as well, and takes `base` only after the last append.
struct Arena<Element: BitwiseCopyable> {
  /// So that bytes can be loaded and stored a word at a time, or two, up to the last.
  static var slack: Int { 16 }

  private let slab: Slab
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int, in slab: Slab) {
    self.slab = slab
    self.capacity = capacity
    base = slab.allocate(Element.self, capacity + Self.slack)
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
    let larger = slab.allocate(Element.self, capacity + Self.slack)
    larger.update(from: base, count: count)
    base = larger
  }
}
