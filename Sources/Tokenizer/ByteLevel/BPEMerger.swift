/// Byte-pair merging: a pre-token starts as single bytes; the adjacent pair with the lowest rank is joined, the
/// leftmost first, until no pair can be joined.
final class BPEMerger {
  private let short: ShortBPEMerger
  private let long: LongBPEMerger

  init(_ vocabulary: Vocabulary) {
    let ranks = PairRanks(vocabulary)
    short = ShortBPEMerger(vocabulary, ranks)
    long = LongBPEMerger(vocabulary, ranks)
  }

  /// Calls `output` with the tokens of `preToken[..<count]` in order: id, start, end. The id is -1 for a byte without a
  /// token.
  @inline(__always)
  func merge(_ preToken: UnsafePointer<UInt8>, _ count: Int, _ output: (Int32, Int, Int) -> Void) {
    if count <= ShortBPEMerger.maxLength {
      short.merge(preToken, count, output)
    } else {
      long.merge(preToken, count, output)
    }
  }
}

/// A cache of the ranks at which two tokens can be joined. It is direct-mapped: a new pair evicts the old one.
///
/// Two ids of 24 bits make a 48-bit number. Multiplication by an odd constant modulo 2^48 is a bijection, so the slot
/// index (the upper bits of the product) and the lower 40 bits, which are stored with the rank, identify the pair. A
/// slot is one word.
final class PairRanks {
  private let vocabulary: Vocabulary
  /// A slot holds the lower 40 bits of the product, then 24 bits: 0 for no pair, 1 for a pair that cannot be joined, or
  /// rank + 2.
  private let table = DirectMappedTable<UInt64>(sizes: [9, 17])

  init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  /// Returns the rank of joining the tokens with the ids `left` and `right`, which are `text[..<split]` and
  /// `text[split..<count]`, or `noMerge` if they cannot be joined. An id is -1 for a byte without a token.
  /// `text[..<paddedCount]` must be readable.
  @inline(__always)
  func rank(
    _ left: Int32, _ right: Int32, _ text: UnsafePointer<UInt8>, split: Int, count: Int, paddedCount: Int
  ) -> Int32 {
    guard left | right >= 0 else { return vocabulary.rank(text, split: split, count: count, paddedCount: paddedCount) }
    let pair = UInt64(truncatingIfNeeded: left) << 24 | UInt64(truncatingIfNeeded: right)
    let product = (pair &* hashFactor1) << 16
    let known = table.slot(product).pointee ^ product << 8  // for this pair, only the lower 24 bits are left
    if known &- 1 < 0xFF_FFFF { return known == 1 ? Vocabulary.noMerge : Int32(truncatingIfNeeded: known) &- 2 }
    let rank = vocabulary.rank(text, split: split, count: count, paddedCount: paddedCount)
    table.countMiss()
    let code = rank == Vocabulary.noMerge ? 1 : UInt64(truncatingIfNeeded: rank) + 2
    table.slot(product).pointee = product << 8 | code
    return rank
  }
}
