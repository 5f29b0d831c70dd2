import Platform

/// An index of the merges by left half, which bounds the rank at which the last token of a window can be merged with
/// the text after the window.
///
/// Unsafe pointers are borrowed for a call and read up to the bounds that are passed with them.
struct MergeLookahead {
  /// A merge. `hash` is the hash of the left half with the first byte of the right half. Merges of equal hash are
  /// adjacent, lowest rank first.
  private struct Entry {
    let hash: UInt64
    let rank: Int32
  }

  /// The number of merges with the same beginning that are compared with the text. If there are more, the rank of the
  /// next merge is returned, which is still a valid lower bound and only makes the final part of a window shorter.
  private static let maxComparisons = 64

  private let vocabulary: Vocabulary
  private var entries: [Entry] = []

  init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    entries.reserveCapacity(vocabulary.mergeCount)
    vocabulary.forEachMerge { bytes, split, rank in
      guard let base = bytes.baseAddress else { return }
      let key = ByteKey(base, count: split + 1, paddedCount: bytes.count)
      entries.append(Entry(hash: key.hash, rank: rank))
    }
    entries.sort { ($0.hash, $0.rank) < ($1.hash, $1.rank) }
  }

  /// Returns a lower bound of the ranks at which `text[..<split]` can be joined with a token that follows it to a token
  /// of `least` bytes or more, or `noMerge` if it cannot. `text[..<paddedCount]` is the whole remaining text, at least
  /// one byte more than `split`.
  func lowestRank(_ text: UnsafePointer<UInt8>, split: Int, least: Int, paddedCount: Int) -> Int32 {
    guard least <= vocabulary.longestIndexedToken else { return Vocabulary.noMerge }
    let hash = ByteKey(text, count: split + 1, paddedCount: paddedCount).hash
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].hash < hash { low = middle + 1 } else { high = middle }
    }
    for (number, entry) in entries[low...].prefix(while: { $0.hash == hash }).enumerated() {
      guard number < Self.maxComparisons else { return entry.rank }
      let token = vocabulary.bytes(of: Int(vocabulary.result(ofMerge: Int(entry.rank))))
      guard let token, let base = token.baseAddress, least...max(least, paddedCount) ~= token.count else { continue }
      if memcmp(base, text, token.count) == 0 { return entry.rank }
    }
    return Vocabulary.noMerge
  }
}
