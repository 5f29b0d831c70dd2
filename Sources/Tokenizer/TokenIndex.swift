/// From a token's bytes to its id: a hash table with open addressing, at most half full, whose entries hold an id and
/// the upper half of the hash, so that a stretch of text that is no token is turned away without looking at any token.
struct TokenIndex {
  /// Zero where empty, else the upper half of the hash, and the id + 1.
  private let entries: Arena<UInt64>
  private let mask: Int
  /// Of a token that was inserted, in bytes.
  private(set) var maximalLength = 0

  init(capacity: Int) {
    var size = 1024
    while size < 2 * capacity { size *= 2 }
    mask = size - 1
    entries = Arena(capacity: size)
    entries.append(repeating: 0, count: size)
  }

  /// Inserts a token; returns the id of one with the same bytes that is there already, or -1.
  mutating func insert(
    _ id: Int32, tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>
  ) -> Int32 {
    let token = tokens[Int(id)]
    let (text, length) = (bytes + Int(token.start), Int(token.length))
    let hash = hashBytes(text, length)
    let slot = probe(hash, text, length, tokens: tokens, bytes: bytes)
    if entries.base[slot] != 0 { return Int32(truncatingIfNeeded: entries.base[slot]) - 1 }
    entries.base[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
    maximalLength = max(maximalLength, length)
    return -1
  }

  /// The id of the token that is `text[..<length]`, or -1.
  @inline(__always)
  func find(
    _ text: UnsafePointer<UInt8>, _ length: Int, tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>
  ) -> Int32 {
    let slot = probe(hashBytes(text, length), text, length, tokens: tokens, bytes: bytes)
    return Int32(truncatingIfNeeded: entries.base[slot]) - 1
  }

  /// The slot where this text is, or the empty one where it would be.
  @inline(__always)
  private func probe(
    _ hash: UInt64, _ text: UnsafePointer<UInt8>, _ length: Int,
    tokens: UnsafePointer<Vocabulary.Token>, bytes: UnsafePointer<UInt8>
  ) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = entries.base[slot]
      if entry == 0 { return slot }
      if (entry ^ hash) >> 32 == 0 {
        let token = tokens[Int(UInt32(truncatingIfNeeded: entry)) - 1]
        if Int(token.length) == length, areEqual(bytes + Int(token.start), text, length) { return slot }
      }
      slot = (slot + 1) & mask
    }
  }
}
