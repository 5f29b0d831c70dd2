/// A trie of pieces by their bytes, to find all pieces that begin at a position of a text.
///
/// The children of the nodes are in one hash table with open addressing, at most half full, whose key is the node and
/// the byte: a step takes one look-up, and building takes linear time for any vocabulary.
///
/// Unsafe pointers are arrays in the slab, which exists as long as the trie: `ids` has an element for each node,
/// `entries` has `mask + 1` elements, `rootChildren` has 256.
final class PieceTrie: @unchecked Sendable {  // immutable after init
  private let slab = Slab()
  /// The child in the lower 32 bits, and above it the key: the byte, and the node in 24 bits; 0 if empty, because no
  /// child is the root.
  private var entries: UnsafeMutablePointer<UInt64>
  private var mask: Int
  /// The id of the piece that ends at each node, or -1.
  private var ids: SlabArray<Int32>
  private let rootChildren: UnsafeMutablePointer<UInt32>

  private static let maxNodes = 1 << 24

  /// Creates a trie of the pieces with these ids, or returns nil if `ids` is empty. Of equal pieces the last is kept.
  init?(ids: some Collection<Int>, of pieces: PieceTable) throws(VocabularyError) {
    guard !ids.isEmpty else { return nil }
    mask = (1 << 10) - 1
    entries = slab.allocate(UInt64.self, mask + 1)
    self.ids = SlabArray(capacity: 1 << 10, in: slab)
    rootChildren = slab.allocate(UInt32.self, 256)
    self.ids.append(-1)
    for id in ids {
      guard let piece = pieces.bytes(of: id) else { continue }
      var node: UInt32 = 0
      for byte in piece { node = try child(of: node, byte) }
      self.ids.base[Int(node)] = Int32(id)
    }
  }

  /// Returns the child of a node; creates it if it does not exist.
  private func child(of node: UInt32, _ byte: UInt8) throws(VocabularyError) -> UInt32 {
    let key = Self.key(node, byte)
    var slot = probe(key)
    guard entries[slot] == 0 else { return UInt32(truncatingIfNeeded: entries[slot]) }
    let new = ids.count
    guard new < Self.maxNodes else {
      throw VocabularyError(
        reason: "the tokens are too long: more than \(Self.maxNodes) bytes without shared beginnings")
    }
    if 2 * new > mask {
      grow()
      slot = probe(key)
    }
    ids.append(-1)
    entries[slot] = key << 32 | UInt64(new)
    if node == 0 { rootChildren[Int(byte)] = UInt32(new) }
    return UInt32(new)
  }

  private func grow() {
    let (old, oldSize) = (entries, mask + 1)
    mask = 2 * oldSize - 1
    entries = slab.allocate(UInt64.self, mask + 1)
    for index in 0..<oldSize where old[index] != 0 { entries[probe(old[index] >> 32)] = old[index] }
  }

  @inline(__always)
  private static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { UInt64(node << 8 | UInt32(byte)) }

  @inline(__always)
  private func probe(_ key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* hashFactor1) >> 32) & mask
    while entries[slot] != 0, entries[slot] >> 32 != key { slot = (slot + 1) & mask }
    return slot
  }

  /// Calls `visit` with each piece that begins at `start`, from the shortest to the longest: its id and its length.
  @inline(__always)
  func forEachPiece(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, _ visit: (_ id: Int32, _ length: Int) -> Void
  ) {
    guard start < text.count else { return }
    var node = rootChildren[Int(text[start])]
    var index = start &+ 1
    while node > 0 {
      let id = ids.base[Int(node)]
      if id >= 0 { visit(id, index &- start) }
      guard index < text.count else { return }
      node = UInt32(truncatingIfNeeded: entries[probe(Self.key(node, text[index]))])
      index &+= 1
    }
  }

  /// Returns the longest piece that begins at `start`, or nil if no piece begins there.
  @inline(__always)
  func longestPiece(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> (id: Int32, length: Int)? {
    guard start < text.count, rootChildren[Int(text[start])] > 0 else { return nil }
    var longest: (id: Int32, length: Int)?
    forEachPiece(in: text, from: start) { longest = ($0, $1) }
    return longest
  }
}
