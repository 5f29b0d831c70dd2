/// Byte-pair merging: a piece begins as its bytes; of all neighbours that may be joined, those with the lowest rank are,
/// the leftmost first, until none may be.
final class PieceMerger {
  private let short: ShortPieceMerger
  private let long: LongPieceMerger

  init(_ vocabulary: Vocabulary) {
    let ranks = PairRanks(vocabulary)
    short = ShortPieceMerger(vocabulary, ranks)
    long = LongPieceMerger(vocabulary, ranks)
  }

  /// Gives `output` the tokens of `piece[..<count]` in order: id, start, end. The id is -1 for a byte without a token.
  @inline(__always)
  func merge(_ piece: UnsafePointer<UInt8>, _ count: Int, _ output: (Int32, Int, Int) -> Void) {
    if count <= ShortPieceMerger.longestPiece {
      short.merge(piece, count, output)
    } else {
      long.merge(piece, count, output)
    }
  }
}
