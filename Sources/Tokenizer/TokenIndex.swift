import CPlatform
import Platform

/// A hash table from a token's bytes to its id, with open addressing, at most half full. An entry holds an id and seven
/// bits of the hash, so that most byte strings that are not tokens are rejected without a comparison.
///
/// Unsafe pointers: `entries` has `mask + 1` elements, which `memory` keeps. The tokens belong to the caller; each must
/// have 16 readable bytes from its start (see "Padding" in Slab.swift).
struct TokenIndex {
  /// Zero if empty; otherwise the id in the lower 24 bits, a 1 bit above it, and seven bits of the hash at the top.
  private let entries: UnsafeMutablePointer<UInt32>
  private let mask: Int
  private let memory: AnyObject
  /// The length in bytes of the longest token that was inserted.
  private(set) var longestIndexedToken = 0

  init(capacity: Int, in slab: Slab) {
    var size = 1024
    while size < 2 * capacity { size *= 2 }
    mask = size - 1
    entries = slab.allocate(UInt32.self, size)
    memory = slab
  }

  /// Creates the index from its entries, whose number is a power of two. Nothing can be inserted.
  init(_ entries: FlatArray<UInt32>, longestIndexedToken: Int) {
    mask = entries.count - 1
    self.entries = UnsafeMutablePointer(mutating: entries.base)
    memory = entries.owner
    self.longestIndexedToken = longestIndexedToken
  }

  /// The entries, for an image.
  var table: FlatArray<UInt32> { FlatArray(entries, count: mask + 1, owner: memory) }

  /// Inserts a token and returns -1. If the index already has a token with the same bytes, returns its id instead.
  @inline(__always)
  mutating func insert(_ id: Int32, tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>) -> Int32 {
    let token = tokens[Int(id)]
    let key = ByteKey(bytes + Int(token.start), count: Int(token.length), paddedCount: 16)
    let slot = probe(key, tokens, bytes)
    if entries[slot] != 0 { return Int32(entries[slot] & 0xFF_FFFF) }
    entries[slot] = tag(key) | UInt32(id)
    longestIndexedToken = max(longestIndexedToken, key.count)
    return -1
  }

  /// Returns the id of the token with these bytes, or -1 if no token has these bytes.
  @inline(__always)
  func find(_ key: ByteKey, tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>) -> Int32 {
    let entry = entries[probe(key, tokens, bytes)]
    return entry == 0 ? -1 : Int32(entry & 0xFF_FFFF)
  }

  /// Prefetches the entry of a token with these bytes, at the first place where it can be.
  @inline(__always)
  func prefetchEntry(_ key: ByteKey) { lmpipe_prefetch(entries + (Int(truncatingIfNeeded: key.hash) & mask)) }

  /// Returns the id in the entry that `prefetchEntry` has prefetched, which can be another token's, or -1.
  @inline(__always)
  func likelyID(_ key: ByteKey) -> Int {
    let entry = entries[Int(truncatingIfNeeded: key.hash) & mask]
    return entry == 0 ? -1 : Int(entry & 0xFF_FFFF)
  }

  @inline(__always)
  private func tag(_ key: ByteKey) -> UInt32 { UInt32(truncatingIfNeeded: key.hash >> 32) & 0xFF00_0000 | 0x0100_0000 }

  /// Returns the slot of the token with these bytes, or the empty slot where it would be inserted.
  @inline(__always)
  private func probe(
    _ key: ByteKey, _ tokens: UnsafePointer<Vocabulary.Token>, _ bytes: UnsafePointer<UInt8>
  ) -> Int {
    let tag = tag(key)
    var slot = Int(truncatingIfNeeded: key.hash) & mask
    while true {
      let entry = entries[slot]
      if entry == 0 { return slot }
      if (entry ^ tag) >> 24 == 0 {
        let token = tokens[Int(entry & 0xFF_FFFF)]
        if Int(token.length) == key.count, key.equals(bytes + Int(token.start)) { return slot }
      }
      slot = (slot + 1) & mask
    }
  }
}
