/// A binary heap of numbers that hands out the least first.
struct MinimumHeap {
  private var elements: [UInt64] = []

  init(capacity: Int) { elements.reserveCapacity(capacity) }

  /// Appends without regard to order; `order` must follow before anything is removed.
  mutating func append(_ element: UInt64) { elements.append(element) }

  /// Makes a heap of what was appended, in linear time (Floyd 1964).
  mutating func order() {
    elements.withUnsafeMutableBufferPointer { elements in
      for index in (0..<elements.count / 2).reversed() { Self.siftDown(elements[index], from: index, in: elements) }
    }
  }

  mutating func insert(_ element: UInt64) {
    elements.append(element)
    elements.withUnsafeMutableBufferPointer { elements in
      var index = elements.count - 1
      while index > 0, elements[(index - 1) / 2] > element {
        elements[index] = elements[(index - 1) / 2]
        index = (index - 1) / 2
      }
      elements[index] = element
    }
  }

  mutating func removeLeast() -> UInt64? {
    guard let last = elements.popLast() else { return nil }
    guard let least = elements.first else { return last }
    elements.withUnsafeMutableBufferPointer { Self.siftDown(last, from: 0, in: $0) }
    return least
  }

  /// Puts `element` at `start` or below, so that each element is at most its children, as it is elsewhere already.
  private static func siftDown(_ element: UInt64, from start: Int, in elements: UnsafeMutableBufferPointer<UInt64>) {
    var index = start
    while true {
      var child = 2 * index + 1
      guard child < elements.count else { break }
      if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
      guard elements[child] < element else { break }
      elements[index] = elements[child]
      index = child
    }
    elements[index] = element
  }
}
