import CPlatform

/// The merges of a BPE vocabulary by the ids of their halves: a hash table with open addressing, at most half full.
///
/// An entry is one word, so that a look-up reads one cache line for nearly every pair: half a million merges take 8 MB.
///
/// Unsafe pointers: `entries` has `mask + 1` elements and `results` an element for each rank, which `memory` keeps.
final class PairTable: @unchecked Sendable {  // immutable after init
  /// The result of a merge, and its rank: the position in the list of merges.
  struct Merge: BitwiseCopyable {
    let rank: UInt32
    let result: Int32
  }

  /// The number of bits of an id, and of a rank plus one. Ids and ranks are below `Vocabulary.limit`.
  static let (idBits, rankBits): (UInt64, UInt64) = (20, 24)

  /// The id of the left half, the id of the right half, and the rank plus one; 0 if empty.
  let table: FlatArray<UInt64>
  /// The id that each merge makes, by rank.
  let resultsByRank: FlatArray<Int32>
  private let entries: UnsafePointer<UInt64>
  private let results: UnsafePointer<Int32>
  private let mask: Int

  /// - Parameter table: a power of two of entries.
  init(_ table: FlatArray<UInt64>, results: FlatArray<Int32>) {
    (self.table, resultsByRank) = (table, results)
    (entries, self.results, mask) = (table.base, results.base, table.count - 1)
  }

  /// Returns the merge of the ids, or nil if they cannot be joined.
  @inline(__always)
  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    guard left | right >= 0 else { return nil }
    let key = Self.key(left, right)
    let entry = entries[Self.probe(key, entries, mask)]
    guard entry > 0 else { return nil }
    let rank = UInt32(truncatingIfNeeded: entry & (1 << Self.rankBits - 1)) &- 1
    return Merge(rank: rank, result: results[Int(rank)])
  }

  @inline(__always)
  fileprivate static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(truncatingIfNeeded: left) &<< idBits | UInt64(truncatingIfNeeded: right)
  }

  @inline(__always)
  fileprivate static func slot(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: fold(key ^ hashFactor2, hashFactor1)) & mask
  }

  @inline(__always)
  fileprivate static func probe(_ key: UInt64, _ entries: UnsafePointer<UInt64>, _ mask: Int) -> Int {
    var slot = slot(key, mask)
    while entries[slot] != 0, entries[slot] &>> rankBits != key { slot = (slot &+ 1) & mask }
    return slot
  }
}

/// Fills a `PairTable`.
struct PairTableBuilder {
  private let slab = Slab()
  private var entries: UnsafeMutablePointer<UInt64>
  private var mask: Int
  /// The number of entries that are not empty.
  private var used = 0
  private var results: SlabArray<Int32>

  /// The number of merges.
  var count: Int { results.count }

  /// - Parameter merges: an estimate of the number of merges; there can be more.
  init(merges: Int) {
    var size = 1 << 10
    while size < 2 * merges { size *= 2 }
    mask = size - 1
    entries = slab.allocate(UInt64.self, size)
    results = SlabArray(capacity: max(merges, 1 << 10), in: slab)
  }

  /// Prefetches the entry of two ids.
  func prefetch(_ left: Int32, _ right: Int32) {
    lmpipe_prefetch(entries + PairTable.slot(PairTable.key(left, right), mask))
  }

  /// Inserts the next merge, of the ids `left` and `right`; a merge of the same ids is replaced, as in `tokenizers`.
  mutating func insert(_ left: Int32, _ right: Int32, result: Int32) {
    let key = PairTable.key(left, right)
    var slot = PairTable.probe(key, entries, mask)
    if entries[slot] == 0 {
      used += 1
      if 2 * used > mask {
        grow()
        slot = PairTable.probe(key, entries, mask)
      }
    }
    entries[slot] = key << PairTable.rankBits | UInt64(results.count + 1)
    results.append(result)
  }

  private mutating func grow() {
    let (old, oldSize) = (entries, mask + 1)
    mask = 2 * oldSize - 1
    entries = slab.allocate(UInt64.self, mask + 1)
    for index in 0..<oldSize where old[index] != 0 {
      entries[PairTable.probe(old[index] >> PairTable.rankBits, entries, mask)] = old[index]
    }
  }

  /// Returns the table. The builder must not be used afterwards.
  func build() -> PairTable {
    PairTable(FlatArray(entries, count: mask + 1, owner: slab), results: FlatArray(results))
  }
}
