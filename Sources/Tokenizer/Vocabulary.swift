/// The tokens and the merges of a byte-pair encoding, in flat tables that are filled once.
///
/// A merge is a token and the place where it is split: joining `l` and `r` is allowed if the bytes of both, which lie side
/// by side in the text, are a token, and one of the merges that make this token cuts it behind `l`. So merging needs one
/// look-up of a stretch of the text and no table of pairs, and opening a vocabulary needs to find the result of each
/// merge only, not its two halves.
///
/// Unsafe pointers: they lead into arenas in the slab, which lives as long as the vocabulary. The arenas are full when it
/// is made.
final class Vocabulary: @unchecked Sendable {  // never changes once it is made
  struct Token: BitwiseCopyable {
    /// Where its bytes begin in `bytes`.
    var start: UInt32
    /// In bytes; 0 for an id that is no token's.
    var length: UInt16
    /// Behind how many bytes its (last) merge cuts it.
    var split: UInt16
    /// The rank of that merge, or `noMerge`.
    var rank: Int32
    /// The index in `alternativeMerges` of another merge that makes it, or -1. Trained vocabularies have none.
    var other: Int32

    static let hole = Token(start: 0, length: 0, split: 0, rank: noMerge, other: -1)
  }

  struct AlternativeMerge: BitwiseCopyable {
    var split: UInt16
    var rank: Int32
    var other: Int32
  }

  /// A rank behind all ranks.
  static let noMerge = Int32.max
  /// Ids and ranks lie below. Published vocabularies have a quarter of it at most, and it bounds what a wrong file can
  /// make us allocate. (`PairRanks` and `PreTokenCache` have room for 24 bits.)
  static let limit = 1 << 20
  static let longestToken = Int(UInt16.max)

  private let slab: Slab
  private let index: TokenIndex
  private let tokens: UnsafePointer<Token>
  private let bytes: UnsafePointer<UInt8>
  private let alternativeMerges: UnsafePointer<AlternativeMerge>
  /// The token that each merge makes, by rank.
  private let results: UnsafePointer<Int32>
  /// In bytes, of the tokens that merging and looking up can find.
  let longestIndexedToken: Int
  /// The highest id, and one.
  let count: Int
  let mergeCount: Int
  /// The id of each byte's token; -1 for a byte without one.
  private let byteIDs: UnsafeMutablePointer<Int32>

  init(
    tokens: SlabArray<Token>, bytes: SlabArray<UInt8>, results: SlabArray<Int32>, alternativeMerges: SlabArray<AlternativeMerge>,
    index: TokenIndex, in slab: Slab
  ) {
    self.slab = slab
    self.index = index
    self.tokens = UnsafePointer(tokens.base)
    self.bytes = UnsafePointer(bytes.base)
    self.alternativeMerges = UnsafePointer(alternativeMerges.base)
    self.results = UnsafePointer(results.base)
    count = tokens.count
    mergeCount = results.count
    longestIndexedToken = index.longestIndexedToken
    byteIDs = slab.allocate(Int32.self, 256)
    for byte in UInt8.min...UInt8.max {
      byteIDs[Int(byte)] = withUnsafePointer(to: byte) { id(of: $0, count: 1, paddedCount: 1) }
    }
  }

  /// The id of the byte's token; -1 where it has none.
  @inline(__always)
  func byteID(_ byte: UInt8) -> Int32 { byteIDs[Int(byte)] }

  /// Whether every byte has a token.
  var coversAllBytes: Bool { (UInt8.min...UInt8.max).allSatisfy { byteID($0) >= 0 } }

  /// Whether some merge makes the token with this id, which is below `count`.
  func isMerged(_ id: Int) -> Bool { tokens[id].rank < Self.noMerge }

  /// The length of a token in bytes, for an id that is a token's.
  @inline(__always)
  func length(of id: Int32) -> Int { Int(tokens[Int(id)].length) }

  /// The bytes of a token; nil where the id is no token's. They live as long as the vocabulary.
  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard id >= 0, id < count, tokens[id].length > 0 else { return nil }
    return UnsafeBufferPointer(start: bytes + Int(tokens[id].start), count: Int(tokens[id].length))
  }

  /// The token that is `text[..<count]`, among those that text can be encoded to; -1 where there is none.
  /// `text[..<readable]` may be read.
  @inline(__always)
  func id(of text: UnsafePointer<UInt8>, count: Int, paddedCount: Int) -> Int32 {
    guard count <= longestIndexedToken else { return -1 }
    return index.find(ByteKey(text, count: count, paddedCount: paddedCount), tokens: tokens, bytes: bytes)
  }

  /// The rank at which `text[..<split]` and `text[split..<count]` may be joined; `noMerge` where they may not.
  /// `text[..<readable]` may be read.
  func rank(_ text: UnsafePointer<UInt8>, split: Int, count: Int, paddedCount: Int) -> Int32 {
    let id = id(of: text, count: count, paddedCount: paddedCount)
    guard id >= 0 else { return Self.noMerge }
    let token = tokens[Int(id)]
    if Int(token.split) == split { return token.rank }
    var other = token.other
    while other >= 0 {
      let merge = alternativeMerges[Int(other)]
      if Int(merge.split) == split { return merge.rank }
      other = merge.other
    }
    return Self.noMerge
  }

  /// The token that the merge of this rank makes.
  @inline(__always)
  func result(ofMerge rank: Int) -> Int32 { results[rank] }

  /// Visits the merges: the token that each makes, behind how many bytes it cuts the token, and its rank.
  func forEachMerge(_ visit: (UnsafeBufferPointer<UInt8>, _ split: Int, _ rank: Int32) -> Void) {
    for id in 0..<count where isMerged(id) {
      guard let bytes = bytes(of: id) else { continue }
      visit(bytes, Int(tokens[id].split), tokens[id].rank)
      var other = tokens[id].other
      while other >= 0 {
        let merge = alternativeMerges[Int(other)]
        visit(bytes, Int(merge.split), merge.rank)
        other = merge.other
      }
    }
  }

  /// FNV-1a, 64 bits, over each id's token in order: its length in two bytes, lower first, then its bytes.
  func fingerprint() -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    for id in 0..<count {
      let token = tokens[id]
      add(UInt8(truncatingIfNeeded: token.length))
      add(UInt8(truncatingIfNeeded: token.length >> 8))
      for offset in 0..<Int(token.length) { add(bytes[Int(token.start) + offset]) }
    }
    return hash
  }
}
