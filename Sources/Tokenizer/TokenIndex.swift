import Platform

/// From a token's bytes to its id: a hash table with open addressing, at most half full, whose entries hold an id and
/// seven bits of the hash, so that a stretch of text that is no token is mostly turned away without looking at any.
///
/// Unsafe pointers: `entries` leads to `mask + 1` of them in the slab; the tokens are the caller's, each with sixteen bytes
/// from its start that may be read.
struct TokenIndex {
  /// Zero where empty, else in the upper eight bits seven of the hash and a one, and below them the id.
  private let entries: UnsafeMutablePointer<UInt32>
  private let mask: Int
  /// Of a token that was inserted, in bytes.
  private(set) var longestIndexedToken = 0

  init(capacity: Int, in slab: Slab) {
    var size = 1024
    while size < 2 * capacity { size *= 2 }
    mask = size - 1
    entries = slab.allocate(UInt32.self, size)
  }

  /// Inserts a token; returns the id of one with the same bytes that is there already, or -1.
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

  /// The id of the token that is these bytes, or -1.
  @inline(__always)
  func find(_ key: ByteKey, tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>) -> Int32 {
    let entry = entries[probe(key, tokens, bytes)]
    return entry == 0 ? -1 : Int32(entry & 0xFF_FFFF)
  }

  @inline(__always)
  private func tag(_ key: ByteKey) -> UInt32 { UInt32(truncatingIfNeeded: key.hash >> 32) & 0xFF00_0000 | 0x0100_0000 }

  /// The slot where these bytes are, or the empty one where they would be.
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
