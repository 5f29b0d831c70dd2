/// Which bytes stand side by side in a token that merges make. Between any others nothing is ever joined, so a piece can
/// be cut there, and its parts merged, and remembered, each for itself. Words in Latin letters have hardly such places;
/// runs of Chinese characters, of which few vocabularies have joined many, consist of them.
///
/// Unsafe pointers: `words` leads to 65,536 bits, a bit for each two bytes.
final class MergeableBytePairs {
  private let words = UnsafeMutablePointer<UInt64>.allocate(capacity: 1 << 10)

  init(_ vocabulary: Vocabulary) {
    words.initialize(repeating: 0, count: 1 << 10)
    for id in 0..<vocabulary.count where vocabulary.isMerged(id) {
      guard let bytes = vocabulary.bytes(of: id), var last = bytes.first else { continue }
      for byte in bytes.dropFirst() {
        let index = Self.index(last, byte)
        words[index >> 6] |= 1 << UInt64(index & 63)
        last = byte
      }
    }
  }

  deinit { words.deallocate() }

  @inline(__always)
  private static func index(_ first: UInt8, _ second: UInt8) -> Int { Int(first) << 8 | Int(second) }

  /// The end of the part that begins at `start`, for `start < count`.
  @inline(__always)
  func partEnd(in piece: UnsafePointer<UInt8>, from start: Int, to count: Int) -> Int {
    var end = start &+ 1
    while end < count {
      let index = Self.index(piece[end &- 1], piece[end])
      guard words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 else { return end }
      end &+= 1
    }
    return end
  }
}
