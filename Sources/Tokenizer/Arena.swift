/// A growing run of plain values whose final place in memory does not move, so that pointers into it can be handed out
/// once it is full: it is filled while a tokenizer is being opened and never changed afterwards.
///
/// Unsafe pointers: `base[0..<count]` is initialized. Whoever keeps `base` keeps the arena as well, and takes `base`
/// only after the last append.
final class Arena<Element: BitwiseCopyable> {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int) {
    self.capacity = max(capacity, 16)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// Makes room for `amount` more elements.
  @inline(__always)
  func reserve(_ amount: Int) {
    if capacity - count < amount { grow(by: amount) }
  }

  /// Appends where `reserve` has made room.
  @inline(__always)
  func appendReserved(_ element: Element) {
    base[count] = element
    count += 1
  }

  func append(_ element: Element) {
    reserve(1)
    appendReserved(element)
  }

  func append(_ elements: UnsafeBufferPointer<Element>) {
    guard let source = elements.baseAddress else { return }
    reserve(elements.count)
    (base + count).update(from: source, count: elements.count)
    count += elements.count
  }

  func append(repeating element: Element, count amount: Int) {
    reserve(amount)
    (base + count).update(repeating: element, count: amount)
    count += amount
  }

  func truncate(to newCount: Int) {
    precondition(newCount <= count)
    count = newCount
  }

  private func grow(by amount: Int) {
    capacity = max(2 * capacity, count + amount)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }
}
