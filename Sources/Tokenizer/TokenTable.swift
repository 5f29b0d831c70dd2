import Platform

/// The tokens of a vocabulary by id.
protocol TokenTable: Sendable {
  /// The highest id plus one.
  var count: Int { get }

  /// Returns the bytes of a token, or nil if no token has this id. The bytes are valid as long as the table exists.
  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>?
}

extension TokenTable {
  /// Returns the 64-bit FNV-1a hash of the vocabulary: for each id in order, the length of its token in two bytes,
  /// little-endian, then its bytes.
  func fingerprint() -> UInt64 {
    var hash = FNV1a()
    for id in 0..<count {
      let token = bytes(of: id) ?? UnsafeBufferPointer(start: nil, count: 0)
      hash.combine(UInt8(truncatingIfNeeded: token.count))
      hash.combine(UInt8(truncatingIfNeeded: token.count >> 8))
      for byte in token { hash.combine(byte) }
    }
    return hash.value
  }
}

extension Vocabulary: TokenTable {}

/// The tokens of a model of characters, as the bytes for which they stand within a text.
///
/// `▁the` is ` the`, and `<0x0A>` is a line feed. The first token of a text can have other bytes: see `TokenDecoder`.
///
/// Unsafe pointers point into arrays in the slab, which exists as long as the table.
final class DecodedTokens: TokenTable, @unchecked Sendable {  // immutable after init
  private let slab = Slab()
  /// The offset at which each token ends in `text`, after a 0.
  private var ends: SlabArray<UInt32>
  private var text: SlabArray<UInt8>
  let spellings: TokenSpellings
  let decoder: TokenTextDecoder

  var count: Int { ends.count - 1 }

  init(_ spellings: TokenSpellings, _ decoder: TokenTextDecoder) throws(VocabularyError) {
    self.spellings = spellings
    self.decoder = decoder
    ends = SlabArray(capacity: spellings.count + 1, in: slab)
    text = SlabArray(capacity: 8 * spellings.count, in: slab)
    ends.append(0)
    let state = decoder.middle
    for id in 0..<spellings.count {
      if let spelling = spellings[id] {
        if decoder.keeps(spelling) {
          text.append(spelling)
        } else {
          var state = state
          var bytes: [UInt8] = []
          decoder.append(spelling, &state, to: &bytes)
          bytes.withUnsafeBufferPointer { text.append($0) }
        }
      }
      guard text.count <= Int(UInt32.max), text.count - Int(ends.base[id]) <= Vocabulary.longestToken else {
        throw VocabularyError(reason: "token \(id) is longer than \(Vocabulary.longestToken) bytes")
      }
      ends.append(UInt32(text.count))
    }
  }

  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard id >= 0, id < count, spellings[id] != nil else { return nil }
    let start = Int(ends.base[id])
    return UnsafeBufferPointer(start: text.base + start, count: Int(ends.base[id + 1]) - start)
  }
}

/// The spellings of tokens by id: the pieces of a model, and the added tokens.
///
/// Unsafe pointers point into the array in the slab, which exists as long as the spellings.
final class TokenSpellings: @unchecked Sendable {  // immutable after init
  let pieces: PieceTable
  let count: Int
  private let slab = Slab()
  private var text: SlabArray<UInt8>
  /// The range in `text` of each added token that is not a piece, or that is spelled differently from the piece with
  /// its id.
  private var added: [Int: Range<Int>] = [:]

  init(_ pieces: PieceTable, added tokens: [Int: [UInt8]]) {
    self.pieces = pieces
    count = max(pieces.count, (tokens.keys.max() ?? -1) + 1)
    text = SlabArray(capacity: tokens.values.reduce(0) { $0 + $1.count }, in: slab)
    for (id, content) in tokens {
      added[id] = text.count..<text.count + content.count
      content.withUnsafeBufferPointer { text.append($0) }
    }
  }

  /// The spelling of a token, or nil if no token has this id. Valid as long as this object exists.
  subscript(_ id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard !added.isEmpty, let range = added[id] else { return pieces.bytes(of: id) }
    return UnsafeBufferPointer(start: text.base + range.lowerBound, count: range.count)
  }
}
