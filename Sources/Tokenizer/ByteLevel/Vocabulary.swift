import Platform

/// The tokens and the merges of a BPE vocabulary, in flat tables that are filled once.
///
/// A merge is stored as a token and the offset at which the merge splits it: `left` and `right` can be joined if their
/// bytes, which are adjacent in the text, are a token, and one of this token's merges splits it after `left`. So
/// merging needs one look-up of a byte string and no table of pairs, and opening a vocabulary needs to find only the
/// result of each merge, not its two halves.
///
/// Unsafe pointers point into `arrays`, which exist as long as the vocabulary and are complete when it is created;
/// `byteIDs` has 256 elements.
final class Vocabulary: @unchecked Sendable {  // immutable after init
  struct Token: BitwiseCopyable {
    /// The offset of its first byte in `bytes`.
    var start: UInt32
    /// In bytes; 0 for an id without a token.
    var length: UInt16
    /// The offset at which its (last) merge splits it.
    var split: UInt16
    /// The rank of this merge, or `noMerge`.
    var rank: Int32
    /// The index in `alternativeMerges` of another merge that makes the token, or -1. Trained vocabularies have no such
    /// merges.
    var alternative: Int32

    /// The entry of an id without a token.
    static let empty = Token(start: 0, length: 0, split: 0, rank: noMerge, alternative: -1)
  }

  /// A merge of a token that has several, as a linked list.
  struct AlternativeMerge: BitwiseCopyable {
    var split: UInt16
    private let unused: UInt16 = 0  // instead of padding, so that all bytes of an image are defined
    var rank: Int32
    var alternative: Int32

    init(split: UInt16, rank: Int32, alternative: Int32) {
      (self.split, self.rank, self.alternative) = (split, rank, alternative)
    }
  }

  /// Greater than all ranks: no merge.
  static let noMerge = Int32.max
  /// Ids and ranks are below this limit, which bounds the memory that is allocated for an invalid file. Published
  /// vocabularies are at most a quarter of it. (`PairRanks` and `PreTokenCache` have 24 bits for an id.)
  static let limit = 1 << 20
  static let longestToken = Int(UInt16.max)

  /// The tables of a vocabulary.
  struct Arrays {
    let tokens: FlatArray<Token>
    let bytes: FlatArray<UInt8>
    /// The id of the token that each merge makes, by rank.
    let results: FlatArray<Int32>
    let alternativeMerges: FlatArray<AlternativeMerge>
    let index: TokenIndex
  }

  let arrays: Arrays
  private let index: TokenIndex
  private let tokens: UnsafePointer<Token>
  private let bytes: UnsafePointer<UInt8>
  private let alternativeMerges: UnsafePointer<AlternativeMerge>
  /// The id of the token that each merge makes, by rank.
  private let results: UnsafePointer<Int32>
  /// The length in bytes of the longest token that merging or a look-up can find.
  let longestIndexedToken: Int
  /// The highest id plus one.
  let count: Int
  let mergeCount: Int
  /// The id of the token of each byte; -1 for a byte without a token.
  private let byteIDs: UnsafeMutablePointer<Int32>

  init(_ arrays: Arrays) {
    self.arrays = arrays
    index = arrays.index
    tokens = arrays.tokens.base
    bytes = arrays.bytes.base
    alternativeMerges = arrays.alternativeMerges.base
    results = arrays.results.base
    count = arrays.tokens.count
    mergeCount = arrays.results.count
    longestIndexedToken = index.longestIndexedToken
    byteIDs = .allocate(capacity: 256)
    for byte in UInt8.min...UInt8.max {
      byteIDs[Int(byte)] = withUnsafePointer(to: byte) { id(of: $0, count: 1, paddedCount: 1) }
    }
  }

  deinit { byteIDs.deallocate() }

  /// Returns the id of the byte's token, or -1 if the byte has no token.
  @inline(__always)
  func byteID(_ byte: UInt8) -> Int32 { byteIDs[Int(byte)] }

  /// True if every byte has a token.
  var coversAllBytes: Bool { (UInt8.min...UInt8.max).allSatisfy { byteID($0) >= 0 } }

  /// Returns true if a merge makes the token with this id, which must be below `count`.
  func isMerged(_ id: Int) -> Bool { tokens[id].rank < Self.noMerge }

  /// Returns the length in bytes of a token, which must exist.
  @inline(__always)
  func length(of id: Int32) -> Int { Int(tokens[Int(id)].length) }

  /// Returns the bytes of a token, or nil if no token has this id. The bytes are valid as long as the vocabulary
  /// exists.
  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard id >= 0, id < count, tokens[id].length > 0 else { return nil }
    return UnsafeBufferPointer(start: bytes + Int(tokens[id].start), count: Int(tokens[id].length))
  }

  /// Returns the id of the token `text[..<count]`, among the tokens that text can be encoded to, or -1 if it is not
  /// such a token. `text[..<paddedCount]` must be readable (see "Padding" in Slab.swift).
  @inline(__always)
  func id(of text: UnsafePointer<UInt8>, count: Int, paddedCount: Int) -> Int32 {
    guard count <= longestIndexedToken else { return -1 }
    return index.find(ByteKey(text, count: count, paddedCount: paddedCount), tokens: tokens, bytes: bytes)
  }

  /// Returns the rank at which `text[..<split]` and `text[split..<count]` can be joined, or `noMerge` if they cannot.
  /// `text[..<paddedCount]` must be readable (see "Padding" in Slab.swift).
  func rank(_ text: UnsafePointer<UInt8>, split: Int, count: Int, paddedCount: Int) -> Int32 {
    let id = id(of: text, count: count, paddedCount: paddedCount)
    guard id >= 0 else { return Self.noMerge }
    let token = tokens[Int(id)]
    if Int(token.split) == split { return token.rank }
    var next = token.alternative
    while next >= 0 {
      let merge = alternativeMerges[Int(next)]
      if Int(merge.split) == split { return merge.rank }
      next = merge.alternative
    }
    return Self.noMerge
  }

  /// Returns the id of the token that the merge of this rank makes.
  @inline(__always)
  func result(ofMerge rank: Int) -> Int32 { results[rank] }

  /// Calls `visit` with each merge: the bytes of the token that it makes, the offset at which it splits the token, and
  /// its rank.
  func forEachMerge(_ visit: (UnsafeBufferPointer<UInt8>, _ split: Int, _ rank: Int32) -> Void) {
    for id in 0..<count where isMerged(id) {
      guard let bytes = bytes(of: id) else { continue }
      visit(bytes, Int(tokens[id].split), tokens[id].rank)
      var next = tokens[id].alternative
      while next >= 0 {
        let merge = alternativeMerges[Int(next)]
        visit(bytes, Int(merge.split), merge.rank)
        next = merge.alternative
      }
    }
  }
}
