/// Merges pieces that are so short that looking for the lowest rank again after each merge beats keeping order.
///
/// A part of the piece has the index of its first byte in all of the arrays below.
///
/// Unsafe pointers: each leads to room for the longest piece, and `ends` and `previous` for one part more.
final class ShortBPEMerger {
  static let longestPreToken = 128

  private let vocabulary: Vocabulary
  private let ranks: PairRanks

  /// The piece, with room to read on behind it.
  private let text = UnsafeMutablePointer<UInt8>.allocate(capacity: longestPreToken + SlabArray<UInt8>.padding)
  /// -1 for a byte without a token.
  private let ids = UnsafeMutablePointer<Int32>.allocate(capacity: longestPreToken)
  /// Where the part ends, and so where the next one starts.
  private let ends = UnsafeMutablePointer<UInt8>.allocate(capacity: longestPreToken + 1)
  /// Where the part before it starts.
  private let previous = UnsafeMutablePointer<UInt8>.allocate(capacity: longestPreToken + 1)
  /// Of joining the part with the next: the rank, and below it in eight bits the index, so that the least is also the
  /// leftmost; `none` where there is nothing to join, or no part.
  private let order = UnsafeMutablePointer<UInt32>.allocate(capacity: longestPreToken)

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
    order.deallocate()
  }

  @inline(__always)
  func merge(_ piece: UnsafePointer<UInt8>, _ length: Int, _ output: (Int32, Int, Int) -> Void) {
    merge(piece, length)
    var start = 0
    while start < length {
      let end = Int(ends[start])
      output(ids[start], start, end)
      start = end
    }
  }

  private func merge(_ piece: UnsafePointer<UInt8>, _ length: Int) {
    let (vocabulary, ranks, text, ids) = (vocabulary, ranks, text, ids)
    let (ends, previous, order, none) = (ends, previous, order, none)
    text.update(from: piece, count: length)

    /// Whether the part at `index` and the next may be joined.
    @inline(__always) func look(_ index: Int) {
      let split = Int(ends[index])
      guard split < length else {
        order[index] = none
        return
      }
      let end = Int(ends[split])
      let rank = ranks.rank(
        ids[index], ids[split], text + index, split: split &- index, count: end &- index,
        paddedCount: length &- index &+ SlabArray<UInt8>.padding)
      order[index] =
        rank == Vocabulary.noMerge
        ? none : UInt32(truncatingIfNeeded: rank) << 8 | UInt32(truncatingIfNeeded: index)
    }

    for index in 0..<length {
      ids[index] = vocabulary.byteID(piece[index])
      ends[index] = UInt8(truncatingIfNeeded: index &+ 1)
      previous[index] = UInt8(truncatingIfNeeded: index &- 1)
    }
    for index in 0..<length { look(index) }
    let padded = (length + 31) & ~31  // a multiple of what the search for the least is unrolled by
    for index in length..<padded { order[index] = none }
    while true {
      var first = none
      for index in 0..<padded { first = min(first, order[index]) }
      guard first < none else { return }
      let index = Int(first & 0xFF)
      let split = Int(ends[index])
      let end = ends[split]
      ids[index] = vocabulary.result(ofMerge: Int(first >> 8))
      ends[index] = end
      order[split] = none
      previous[Int(end)] = UInt8(truncatingIfNeeded: index)
      look(index)
      if index > 0 { look(Int(previous[index])) }
    }
  }
}
