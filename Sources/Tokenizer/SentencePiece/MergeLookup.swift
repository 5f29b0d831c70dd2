import CPlatform
import JSON

/// Looks up the pieces of the merges in a list: both halves, and the result.
///
/// Each look-up reads an entry of the index, a token and its bytes, all of them at random places. They are prefetched
/// for a batch of merges, because half a million merges would otherwise wait for memory four million times. Gemma 3's
/// tokenizer.json opens in half the time.
///
/// Unsafe pointers: `text` has `padding` readable bytes after the last one; keys point into it until the next batch.
struct MergeLookup {
  private static let batchSize = 16

  private let pieces: PieceTable
  private var text: SlabArray<UInt8>
  /// The start of each merge of the batch in `text`, and the end of its halves.
  private var merges: [(start: Int, split: Int, end: Int)] = []
  /// The keys of the left half, the right half and the result of each merge, and their ids; -1 for a missing piece.
  private var keys: [ByteKey] = []
  private var ids: [Int32] = []
  private var number = 0

  init(_ pieces: PieceTable) {
    self.pieces = pieces
    text = SlabArray(capacity: 1 << 12, in: Slab())
    merges.reserveCapacity(Self.batchSize)
    keys.reserveCapacity(3 * Self.batchSize)
    ids.reserveCapacity(3 * Self.batchSize)
  }

  /// Calls `visit` with the ids of each merge in order: the left and the right half, and the result.
  ///
  /// - Parameter prepare: Called with the ids of the halves of all merges of a batch before `visit`, to prefetch; -1
  ///   for a missing piece.
  /// - Throws: An error that names the first piece that is not in the vocabulary, or an error of `visit`.
  consuming func forEach(
    _ list: some Sequence<PieceTable.Merge>, prepare: (Int32, Int32) -> Void,
    _ visit: (Int32, Int32, Int32) throws(VocabularyError) -> Void
  ) throws(VocabularyError) {
    for (left, right) in list {
      let start = text.count
      text.append(left)
      text.append(right)
      merges.append((start, start + left.count, text.count))
      if merges.count == Self.batchSize { try finishBatch(prepare, visit) }
    }
    try finishBatch(prepare, visit)
  }

  @inline(__always)
  private mutating func addKey(_ range: Range<Int>) {
    let padded = range.count + SlabArray<UInt8>.padding
    let key = ByteKey(text.base + range.lowerBound, count: range.count, paddedCount: padded)
    pieces.arrays.index.prefetchEntry(key)
    keys.append(key)
  }

  private mutating func finishBatch(
    _ prepare: (Int32, Int32) -> Void, _ visit: (Int32, Int32, Int32) throws(VocabularyError) -> Void
  ) throws(VocabularyError) {
    let (index, tokens, bytes) = (pieces.arrays.index, pieces.arrays.tokens.base, pieces.arrays.bytes.base)
    keys.removeAll(keepingCapacity: true)
    ids.removeAll(keepingCapacity: true)
    for (start, split, end) in merges {
      addKey(start..<split)
      addKey(split..<end)
      addKey(start..<end)
    }
    for key in keys {
      let id = index.likelyID(key)
      if id >= 0 { lmpipe_prefetch(tokens + id) }
    }
    for key in keys {
      let id = index.likelyID(key)
      if id >= 0 { lmpipe_prefetch(bytes + Int(tokens[id].start)) }
    }
    for key in keys {
      let isFindable = key.count > 0 && key.count <= index.longestIndexedToken
      ids.append(isFindable ? index.find(key, tokens: tokens, bytes: bytes) : -1)
    }
    for first in stride(from: 0, to: ids.count, by: 3) { prepare(ids[first], ids[first + 1]) }
    for (position, (start, split, end)) in merges.enumerated() {
      let (left, right, result) = (ids[3 * position], ids[3 * position + 1], ids[3 * position + 2])
      guard left >= 0, right >= 0, result >= 0 else {
        let range = left < 0 ? start..<split : right < 0 ? split..<end : start..<end
        let missing = UnsafeBufferPointer(start: text.base + range.lowerBound, count: range.count)
        throw VocabularyError(reason: "merge \(number + 1): \"\(excerpt(missing))\" is not in the vocabulary")
      }
      try visit(left, right, result)
      number += 1
    }
    merges.removeAll(keepingCapacity: true)
    text.truncate(to: 0)
  }
}
