import CPlatform
import JSON

/// Looks up the pieces of the merges in a list: both halves, and the result.
///
/// Each look-up reads an entry of the index, a token and its bytes, all of them at random places. They are prefetched for
/// a batch of merges, because half a million merges would otherwise wait for memory four million times.
///
/// Unsafe pointers: `text` has `padding` readable bytes after the last one; keys point into it until the next batch.
struct MergeLookup {
  private static let batchSize = 16

  private let pieces: PieceTable
  private var text: SlabArray<UInt8>
  /// The start of each merge of the batch in `text`, and the end of its halves.
  private var merges: [(start: Int, split: Int, end: Int)] = []
  private var keys: [(left: ByteKey, right: ByteKey, result: ByteKey)] = []
  private var number = 0

  init(_ pieces: PieceTable) {
    self.pieces = pieces
    text = SlabArray(capacity: 1 << 12, in: Slab())
    merges.reserveCapacity(Self.batchSize)
    keys.reserveCapacity(Self.batchSize)
  }

  /// Calls `visit` with the ids of each merge in order: the left and the right half, and the result.
  ///
  /// - Throws: An error that names the first piece that is not in the vocabulary, or an error of `visit`.
  consuming func forEach(
    _ list: some Sequence<PieceTable.Merge>, _ visit: (Int32, Int32, Int32) throws(VocabularyError) -> Void
  ) throws(VocabularyError) {
    for (left, right) in list {
      let start = text.count
      text.append(left)
      text.append(right)
      merges.append((start, start + left.count, text.count))
      if merges.count == Self.batchSize { try finishBatch(visit) }
    }
    try finishBatch(visit)
  }

  private mutating func finishBatch(
    _ visit: (Int32, Int32, Int32) throws(VocabularyError) -> Void
  ) throws(VocabularyError) {
    let (index, tokens, bytes) = (pieces.arrays.index, pieces.arrays.tokens.base, pieces.arrays.bytes.base)
    keys.removeAll(keepingCapacity: true)
    for (start, split, end) in merges {
      func key(_ start: Int, _ end: Int) -> ByteKey {
        let key = ByteKey(text.base + start, count: end - start, paddedCount: end - start + SlabArray<UInt8>.padding)
        index.prefetchEntry(key)
        return key
      }
      keys.append((key(start, split), key(split, end), key(start, end)))
    }
    for (left, right, result) in keys {
      for id in [left, right, result].map(index.likelyID) where id >= 0 { lmpipe_prefetch(tokens + id) }
    }
    for (left, right, result) in keys {
      for id in [left, right, result].map(index.likelyID) where id >= 0 {
        lmpipe_prefetch(bytes + Int(tokens[id].start))
      }
    }
    for (merge, keys) in zip(merges, keys) {
      func find(_ key: ByteKey, _ range: Range<Int>) throws(VocabularyError) -> Int32 {
        let id =
          key.count > 0 && key.count <= index.longestIndexedToken
          ? index.find(key, tokens: tokens, bytes: bytes) : -1
        guard id >= 0 else {
          let missing = UnsafeBufferPointer(start: text.base + range.lowerBound, count: range.count)
          throw VocabularyError(reason: "merge \(number + 1): \"\(excerpt(missing))\" is not in the vocabulary")
        }
        return id
      }
      try visit(
        find(keys.left, merge.start..<merge.split), find(keys.right, merge.split..<merge.end),
        find(keys.result, merge.start..<merge.end))
      number += 1
    }
    merges.removeAll(keepingCapacity: true)
    text.truncate(to: 0)
  }
}
