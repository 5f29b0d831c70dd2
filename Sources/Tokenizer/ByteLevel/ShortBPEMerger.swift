/// Merges short pre-tokens: a linear search for the lowest rank after each merge is faster than a priority queue up to
/// this length.
///
/// A part (a token so far) is stored at the index of its first byte in all arrays below.
///
/// Unsafe pointers: each array has space for the longest pre-token; `ends` and `previous` have one element more.
final class ShortBPEMerger {
  static let maxLength = 128

  private let vocabulary: Vocabulary
  private let ranks: PairRanks

  /// A copy of the pre-token with padding after it.
  private let text = UnsafeMutablePointer<UInt8>.allocate(capacity: maxLength + SlabArray<UInt8>.padding)
  /// -1 for a byte without a token.
  private let ids = UnsafeMutablePointer<Int32>.allocate(capacity: maxLength)
  /// The end of the part, which is the start of the next one.
  private let ends = UnsafeMutablePointer<UInt8>.allocate(capacity: maxLength + 1)
  /// The start of the previous part.
  private let previous = UnsafeMutablePointer<UInt8>.allocate(capacity: maxLength + 1)
  /// The key of joining the part with the next one: the rank, and in the lower eight bits the index, so that of equal
  /// ranks the leftmost has the least key. `none` if there is no part, or if it cannot be joined.
  private let keys = UnsafeMutablePointer<UInt32>.allocate(capacity: maxLength)

  private let none = UInt32.max

  init(_ vocabulary: Vocabulary, _ ranks: PairRanks) {
    self.vocabulary = vocabulary
    self.ranks = ranks
  }

  deinit {
    text.deallocate()
    ids.deallocate()
    ends.deallocate()
    previous.deallocate()
    keys.deallocate()
  }

  @inline(__always)
  func merge(_ preToken: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    merge(preToken, length)
    var start = 0
    while start < length {
      let end = Int(ends[start])
      output(ids[start], start, end)
      start = end
    }
  }

  private func merge(_ preToken: UnsafePointer<UInt8>, _ length: Int) {
    let (vocabulary, ranks, text, ids) = (vocabulary, ranks, text, ids)
    let (ends, previous, keys, none) = (ends, previous, keys, none)
    text.update(from: preToken, count: length)

    /// Updates the key of joining the part at `index` with the next one.
    @inline(__always) func updateKey(_ index: Int) {
      let split = Int(ends[index])
      guard split < length else {
        keys[index] = none
        return
      }
      let end = Int(ends[split])
      let rank = ranks.rank(
        ids[index], ids[split], text + index, split: split &- index, count: end &- index,
        paddedCount: length &- index &+ SlabArray<UInt8>.padding)
      keys[index] =
        rank == Vocabulary.noMerge
        ? none : UInt32(truncatingIfNeeded: rank) << 8 | UInt32(truncatingIfNeeded: index)
    }

    for index in 0..<length {
      ids[index] = vocabulary.byteID(preToken[index])
      ends[index] = UInt8(truncatingIfNeeded: index &+ 1)
      previous[index] = UInt8(truncatingIfNeeded: index &- 1)
    }
    for index in 0..<length { updateKey(index) }
    let padded = (length + 31) & ~31  // a multiple of the unrolled search's step
    for index in length..<padded { keys[index] = none }
    while true {
      var first = none
      for index in 0..<padded { first = min(first, keys[index]) }
      guard first < none else { return }
      let index = Int(first & 0xFF)
      let split = Int(ends[index])
      let end = ends[split]
      ids[index] = vocabulary.result(ofMerge: Int(first >> 8))
      ends[index] = end
      keys[split] = none
      previous[Int(end)] = UInt8(truncatingIfNeeded: index)
      updateKey(index)
      if index > 0 { updateKey(Int(previous[index])) }
    }
  }
}
