/// Byte-pair merging: a piece begins as its bytes; of all neighbours that may be joined, those with the lowest rank are,
/// the leftmost first, until none may be.
final class BPEMerger {
  private let short: ShortBPEMerger
  private let long: LongBPEMerger

  init(_ vocabulary: Vocabulary) {
    let ranks = PairRanks(vocabulary)
    short = ShortBPEMerger(vocabulary, ranks)
    long = LongBPEMerger(vocabulary, ranks)
  }

  /// Gives `output` the tokens of `piece[..<count]` in order: id, start, end. The id is -1 for a byte without a token.
  @inline(__always)
  func merge(_ piece: UnsafePointer<UInt8>, _ count: Int, _ output: (Int32, Int, Int) -> Void) {
    if count <= ShortBPEMerger.longestPreToken {
      short.merge(piece, count, output)
    } else {
      long.merge(piece, count, output)
    }
  }
}

/// The ranks at which tokens may be joined. Those that were looked up lately are remembered: there is one place for each
/// hash, and the newer pair drives out the older.
///
/// Two ids of 24 bits are a number of 48, and multiplied by an odd one modulo 2^48 it becomes another, from which it could
/// be told: so the upper bits can say where the pair is, and the other bits, all that is left of it, are kept there with
/// the rank. That is one word for a pair.
final class PairRanks {
  private let vocabulary: Vocabulary
  /// The lower 40 bits of the product; then 0 where there is no pair, 1 for a pair that cannot be joined, or rank + 2.
  private let table = DirectMappedTable<UInt64>(smallBits: 9, largeBits: 17)

  init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  /// The rank of joining the tokens with the ids `left` and `right`, which are `text[..<split]` and `text[split..<count]`;
  /// `noMerge` where that is not allowed. An id is -1 for a byte without a token. `text[..<readable]` may be read.
  @inline(__always)
  func rank(
    _ left: Int32, _ right: Int32, _ text: UnsafePointer<UInt8>, split: Int, count: Int, paddedCount: Int
  ) -> Int32 {
    guard left | right >= 0 else { return vocabulary.rank(text, split: split, count: count, paddedCount: paddedCount) }
    let pair = UInt64(truncatingIfNeeded: left) << 24 | UInt64(truncatingIfNeeded: right)
    let product = (pair &* hashFactor1) << 16
    let known = table.slot(product).pointee ^ product << 8  // where it is this pair, only what stands behind is left
    if known &- 1 < 0xFF_FFFF { return known == 1 ? Vocabulary.noMerge : Int32(truncatingIfNeeded: known) &- 2 }
    let rank = vocabulary.rank(text, split: split, count: count, paddedCount: paddedCount)
    table.countMiss()
    let code = rank == Vocabulary.noMerge ? 1 : UInt64(truncatingIfNeeded: rank) + 2
    table.slot(product).pointee = product << 8 | code
    return rank
  }
}
