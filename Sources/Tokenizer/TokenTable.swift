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
/// Unsafe pointers point into flat arrays, which exist as long as the table.
final class DecodedTokens: TokenTable, @unchecked Sendable {  // immutable after init
  /// The offset at which each token ends in `text`, after a 0.
  let ends: FlatArray<UInt32>
  let text: FlatArray<UInt8>
  let spellings: TokenSpellings
  let decoder: TokenTextDecoder

  var count: Int { ends.count - 1 }

  /// Creates the table from its arrays.
  init(_ spellings: TokenSpellings, _ decoder: TokenTextDecoder, ends: FlatArray<UInt32>, text: FlatArray<UInt8>) {
    (self.spellings, self.decoder, self.ends, self.text) = (spellings, decoder, ends, text)
  }

  init(_ spellings: TokenSpellings, _ decoder: TokenTextDecoder) throws(VocabularyError) {
    self.spellings = spellings
    self.decoder = decoder
    let slab = Slab()
    var ends = SlabArray<UInt32>(capacity: spellings.count + 1, in: slab)
    var text = SlabArray<UInt8>(capacity: 8 * spellings.count, in: slab)
    ends.append(0)
    let state = decoder.middle
    for id in 0..<spellings.count {
      if let spelling = spellings[id] {
        if decoder.keeps(spelling) {
          text.append(spelling)
        } else {
          var state = state
          var bytes: [UInt8] = []
          decoder.append(spelling, isAdded: spellings.isAdded(id), &state, to: &bytes)
          bytes.withUnsafeBufferPointer { text.append($0) }
        }
      }
      guard text.count <= Int(UInt32.max), text.count - Int(ends.base[id]) <= Vocabulary.longestToken else {
        throw VocabularyError(reason: "token \(id) is longer than \(Vocabulary.longestToken) bytes")
      }
      ends.append(UInt32(text.count))
    }
    self.ends = FlatArray(ends)
    self.text = FlatArray(text)
  }

  func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard id >= 0, id < count, spellings[id] != nil else { return nil }
    let start = Int(ends.base[id])
    return UnsafeBufferPointer(start: text.base + start, count: Int(ends.base[id + 1]) - start)
  }
}

/// The spellings of tokens by id: the pieces of a model, and the added tokens.
///
/// Unsafe pointers point into `added`, which exists as long as the spellings.
final class TokenSpellings: @unchecked Sendable {  // immutable after init
  /// The added tokens that are not a piece, or that are spelled differently from the piece with their id.
  struct Added {
    /// In ascending order.
    let ids: FlatArray<Int32>
    /// The offset at which the spelling of each of these tokens ends in `text`, after a 0.
    let ends: FlatArray<UInt32>
    let text: FlatArray<UInt8>
  }

  let pieces: PieceTable
  let count: Int
  let added: Added

  init(_ pieces: PieceTable, _ added: Added) {
    self.pieces = pieces
    self.added = added
    count = max(pieces.count, added.ids.buffer.last.map { Int($0) + 1 } ?? 0)
  }

  /// - Precondition: the ids are below `Vocabulary.limit`.
  convenience init(_ pieces: PieceTable, added tokens: [Int: [UInt8]]) throws(VocabularyError) {
    guard tokens.values.reduce(0, { $0 + $1.count }) <= Int(UInt32.max) else {
      throw VocabularyError(reason: "the added tokens are too long: more than 4 GB")
    }
    let slab = Slab()
    var ids = SlabArray<Int32>(capacity: tokens.count, in: slab)
    var ends = SlabArray<UInt32>(capacity: tokens.count + 1, in: slab)
    var text = SlabArray<UInt8>(capacity: tokens.values.reduce(0) { $0 + $1.count }, in: slab)
    ends.append(0)
    for (id, content) in tokens.sorted(by: { $0.key < $1.key }) {
      ids.append(Int32(id))
      content.withUnsafeBufferPointer { text.append($0) }
      ends.append(UInt32(text.count))
    }
    self.init(pieces, Added(ids: FlatArray(ids), ends: FlatArray(ends), text: FlatArray(text)))
  }

  /// Returns the position of an added token in `added`; nil for other tokens.
  private func position(_ id: Int) -> Int? {
    let (ids, count) = (added.ids.base, added.ids.count)
    guard count > 0, id >= Int(ids[0]), id <= Int(ids[count - 1]) else { return nil }
    let index = firstIndex(below: count) { Int(ids[$0]) >= id }
    return Int(ids[index]) == id ? index : nil
  }

  /// Returns true for an added token that is not a piece.
  func isAdded(_ id: Int) -> Bool { position(id) != nil }

  /// The spelling of a token, or nil if no token has this id. Valid as long as this object exists.
  subscript(_ id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard let index = position(id) else { return pieces.bytes(of: id) }
    let start = Int(added.ends.base[index])
    return UnsafeBufferPointer(start: added.text.base + start, count: Int(added.ends.base[index + 1]) - start)
  }
}
