import Platform

/// The merges by their left halves: at which rank a part of a text can be joined with what comes to follow it.
///
/// Unsafe pointers: they are lent for a call, and read up to the bounds that come with them.
struct MergeLookahead {
  /// Of a left half with the first byte of the right half: merges that begin alike stand together, lowest rank first.
  private struct Entry {
    let hash: UInt64
    let rank: Int32
  }

  /// So many merges that begin alike are compared with the text. The rank of the next is then a lower bound, which is
  /// right as well: it only makes a window's certain part shorter.
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

  /// A lower bound of the ranks at which `text[..<split]` can be joined with a token that follows it, to one of `least`
  /// bytes or more; `noMerge` if it cannot. `text[..<readable]` is all that follows, at least a byte past `split`.
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
