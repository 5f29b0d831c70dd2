/// Finds a byte string in a text in linear time (Knuth, Morris, Pratt: SIAM Journal on Computing 6, 1977).
struct LiteralSearch: Sendable {
  let pattern: [UInt8]
  /// For each prefix of the pattern the length of its longest proper prefix that is also its suffix.
  private let fallback: [Int32]

  /// - Precondition: the pattern has fewer than 2^31 bytes.
  init(_ pattern: [UInt8]) {
    var fallback = [Int32](repeating: 0, count: pattern.count)
    var length = 0
    for index in pattern.indices.dropFirst() {
      while length > 0, pattern[length] != pattern[index] { length = Int(fallback[length - 1]) }
      if pattern[length] == pattern[index] { length += 1 }
      fallback[index] = Int32(length)
    }
    self.pattern = pattern
    self.fallback = fallback
  }

  /// Returns the first occurrence in `text[start..<limit]`, or nil. An empty pattern occurs at `start`.
  func firstMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Range<Int>? {
    guard let first = pattern.first else { return start..<start }
    var length = 0
    var index = start
    while index < limit {
      if length == 0 {
        while index < limit, text[index] != first { index &+= 1 }
        guard index < limit else { return nil }
        length = 1
      } else if pattern[length] == text[index] {
        length += 1
      } else {
        length = Int(fallback[length - 1])
        continue
      }
      index += 1
      if length == pattern.count { return index - length..<index }
    }
    return nil
  }
}
