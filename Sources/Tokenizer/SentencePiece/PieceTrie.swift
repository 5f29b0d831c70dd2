/// A trie of pieces by their bytes, to find all pieces that begin at a position of a text.
///
/// The children of the nodes are in one hash table with open addressing, at most half full, whose key is the node and
/// the byte: a step takes one look-up, and building takes linear time for any vocabulary.
///
/// Unsafe pointers point into `arrays`, which exist as long as the trie: `ids` has an element for each node, `entries`
/// has `mask + 1` elements, `rootChildren` has 256.
final class PieceTrie: @unchecked Sendable {  // immutable after init
  struct Arrays {
    /// The child in the lower 32 bits, and above it the key: the byte, and the node in 24 bits; 0 if empty, because no
    /// child is the root. The number of entries is a power of two.
    let entries: FlatArray<UInt64>
    /// The id of the piece that ends at each node, or -1.
    let ids: FlatArray<Int32>
    let rootChildren: FlatArray<UInt32>
  }

  let arrays: Arrays
  private let entries: UnsafePointer<UInt64>
  private let mask: Int
  private let ids: UnsafePointer<Int32>
  private let rootChildren: UnsafePointer<UInt32>

  static let maxNodes = 1 << 24

  init(_ arrays: Arrays) {
    self.arrays = arrays
    (entries, mask) = (arrays.entries.base, arrays.entries.count - 1)
    (ids, rootChildren) = (arrays.ids.base, arrays.rootChildren.base)
  }

  /// Creates a trie of the pieces with these ids, or returns nil if `ids` is empty. Of equal pieces the last is kept.
  convenience init?(ids: some Collection<Int>, of pieces: PieceTable) throws(VocabularyError) {
    guard !ids.isEmpty else { return nil }
    var builder = PieceTrieBuilder()
    for id in ids { if let piece = pieces.bytes(of: id) { try builder.insert(piece, Int32(id)) } }
    self.init(builder.build())
  }

  @inline(__always)
  fileprivate static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { UInt64(node << 8 | UInt32(byte)) }

  @inline(__always)
  fileprivate static func probe(_ key: UInt64, _ entries: UnsafePointer<UInt64>, _ mask: Int) -> Int {
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
      let id = ids[Int(node)]
      if id >= 0 { visit(id, index &- start) }
      guard index < text.count else { return }
      node = UInt32(truncatingIfNeeded: entries[Self.probe(Self.key(node, text[index]), entries, mask)])
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

/// Fills the arrays of a `PieceTrie`.
private struct PieceTrieBuilder {
  private let slab = Slab()
  private var entries: UnsafeMutablePointer<UInt64>
  private var mask = (1 << 10) - 1
  private var ids: SlabArray<Int32>
  private let rootChildren: UnsafeMutablePointer<UInt32>

  init() {
    entries = slab.allocate(UInt64.self, mask + 1)
    ids = SlabArray(capacity: 1 << 10, in: slab)
    rootChildren = slab.allocate(UInt32.self, 256)
    ids.append(-1)
  }

  mutating func insert(_ piece: UnsafeBufferPointer<UInt8>, _ id: Int32) throws(VocabularyError) {
    var node: UInt32 = 0
    for byte in piece { node = try child(of: node, byte) }
    ids.base[Int(node)] = id
  }

  /// Returns the child of a node; creates it if it does not exist.
  private mutating func child(of node: UInt32, _ byte: UInt8) throws(VocabularyError) -> UInt32 {
    let key = PieceTrie.key(node, byte)
    var slot = PieceTrie.probe(key, entries, mask)
    guard entries[slot] == 0 else { return UInt32(truncatingIfNeeded: entries[slot]) }
    let new = ids.count
    guard new < PieceTrie.maxNodes else {
      throw VocabularyError(
        reason: "the tokens are too long: more than \(PieceTrie.maxNodes) bytes without shared beginnings")
    }
    if 2 * new > mask {
      grow()
      slot = PieceTrie.probe(key, entries, mask)
    }
    ids.append(-1)
    entries[slot] = key << 32 | UInt64(new)
    if node == 0 { rootChildren[Int(byte)] = UInt32(new) }
    return UInt32(new)
  }

  private mutating func grow() {
    let (old, oldSize) = (entries, mask + 1)
    mask = 2 * oldSize - 1
    entries = slab.allocate(UInt64.self, mask + 1)
    for index in 0..<oldSize where old[index] != 0 {
      entries[PieceTrie.probe(old[index] >> 32, entries, mask)] = old[index]
    }
  }

  /// Returns the arrays. The builder must not be used afterwards.
  func build() -> PieceTrie.Arrays {
    PieceTrie.Arrays(
      entries: FlatArray(entries, count: mask + 1, owner: slab), ids: FlatArray(ids),
      rootChildren: FlatArray(rootChildren, count: 256, owner: slab))
  }
}
