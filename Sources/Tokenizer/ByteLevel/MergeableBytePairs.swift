/// The set of byte pairs that occur within a merged token. No merge joins two parts across any other pair, so a
/// pre-token can be split there, and its segments can be merged and cached separately. Words in Latin letters have few
/// such positions; runs of Chinese characters, most of which are not joined by any merge, have many.
///
/// Unsafe pointers: `words` has 65,536 bits, one for each pair of bytes.
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

  /// Returns the end of the segment that begins at `start`; `start < count`.
  @inline(__always)
  func segmentEnd(in preToken: UnsafePointer<UInt8>, from start: Int, to count: Int) -> Int {
    var end = start &+ 1
    while end < count {
      let index = Self.index(preToken[end &- 1], preToken[end])
      guard words[index &>> 6] &>> UInt64(index & 63) & 1 != 0 else { return end }
      end &+= 1
    }
    return end
  }
}
