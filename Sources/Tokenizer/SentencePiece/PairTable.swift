/// The merges of a BPE vocabulary by the ids of their halves: a hash table with open addressing, at most half full.
///
/// Unsafe pointers: `entries` has `mask + 1` elements in the slab, which exists as long as the table.
final class PairTable: @unchecked Sendable {  // immutable after a vocabulary is open
  /// The result of a merge, and its rank: the position in the list of merges.
  struct Merge: BitwiseCopyable {
    let rank: UInt32
    let result: Int32
  }

  private struct Entry: BitwiseCopyable {
    /// The id of the left half plus one in the upper 32 bits, and the id of the right half; 0 if empty.
    var key: UInt64
    var merge: Merge
  }

  private let slab = Slab()
  private var entries: UnsafeMutablePointer<Entry>
  private var mask = (1 << 10) - 1
  private var count = 0

  init() { entries = slab.allocate(Entry.self, mask + 1) }

  /// Inserts a merge of the ids `left` and `right`; a merge of the same ids is replaced, as in `tokenizers`. Call it
  /// only while a vocabulary is opened.
  func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let key = Self.key(left, right)
    var slot = probe(key)
    if entries[slot].key == 0 {
      count += 1
      if 2 * count > mask {
        grow()
        slot = probe(key)
      }
    }
    entries[slot] = Entry(key: key, merge: merge)
  }

  private func grow() {
    let (old, oldSize) = (entries, mask + 1)
    mask = 2 * oldSize - 1
    entries = slab.allocate(Entry.self, mask + 1)
    for index in 0..<oldSize where old[index].key != 0 { entries[probe(old[index].key)] = old[index] }
  }

  /// Returns the merge of the ids, or nil if they cannot be joined.
  @inline(__always)
  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    let entry = entries[probe(Self.key(left, right))]
    return entry.key == 0 ? nil : entry.merge
  }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left) &+ 1) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func probe(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: fold(key, hashFactor1)) & mask
    while entries[slot].key != 0, entries[slot].key != key { slot = (slot + 1) & mask }
    return slot
  }
}
