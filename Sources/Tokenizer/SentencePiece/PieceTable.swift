import JSON

/// The pieces of a SentencePiece vocabulary by id, and a hash index from the bytes of a piece to its id.
///
/// Unsafe pointers point into `arrays`, which exist as long as the table and are complete when it is created.
package final class PieceTable: @unchecked Sendable {  // immutable after init
  /// A rule for two ids with the same piece.
  package enum Duplicates {
    /// The file is invalid (`sentencepiece`, model_interface.cc).
    case areErrors
    /// The text is found as the highest id (the `Unigram` model of `tokenizers`).
    case lastWins
  }

  /// The tables.
  struct Arrays {
    let tokens: FlatArray<Vocabulary.Token>
    let bytes: FlatArray<UInt8>
    let index: TokenIndex
    /// The id of each character in the Basic Multilingual Plane that is an indexed piece; -1 for other characters.
    let characters: FlatArray<Int32>
  }

  let arrays: Arrays
  private let tokens: UnsafePointer<Vocabulary.Token>
  private let bytes: UnsafePointer<UInt8>
  private let index: TokenIndex
  /// The highest id plus one.
  package let count: Int
  private let characters: UnsafePointer<Int32>
  static let characterLimit = 1 << 16

  init(_ arrays: Arrays) {
    self.arrays = arrays
    tokens = arrays.tokens.base
    bytes = arrays.bytes.base
    index = arrays.index
    count = arrays.tokens.count
    characters = arrays.characters.base
  }

  /// Creates the table of `pieces` by id. An empty piece is an id without a token.
  ///
  /// - Parameter isIndexed: Returns false for an id that text is never encoded to, such as a control token.
  package convenience init(
    _ pieces: some Sequence<UnsafeBufferPointer<UInt8>>, duplicates: Duplicates,
    isIndexed: (Int) -> Bool = { _ in true }
  ) throws(VocabularyError) {
    let slab = Slab()
    var tokens = SlabArray<Vocabulary.Token>(capacity: max(pieces.underestimatedCount, 16), in: slab)
    var bytes = SlabArray<UInt8>(capacity: 8 * max(pieces.underestimatedCount, 16), in: slab)
    for piece in pieces {
      let id = tokens.count
      guard id < Vocabulary.limit else {
        throw VocabularyError(reason: "the vocabulary has more than \(Vocabulary.limit) tokens")
      }
      guard piece.count <= Vocabulary.longestToken, bytes.count + piece.count <= Int(UInt32.max) else {
        throw VocabularyError(
          reason: "token \(id) has \(piece.count) bytes (at most \(Vocabulary.longestToken) allowed)")
      }
      var token = Vocabulary.Token.empty
      token.start = UInt32(bytes.count)
      token.length = UInt16(piece.count)
      tokens.append(token)
      bytes.append(piece)
    }
    guard tokens.count > 0 else { throw VocabularyError(reason: "the vocabulary has no tokens") }
    var index = TokenIndex(capacity: tokens.count, in: slab)
    // From the last id to the first, because the index keeps the first of two equal pieces
    for id in stride(from: tokens.count - 1, through: 0, by: -1) where tokens.base[id].length > 0 && isIndexed(id) {
      let existing = index.insert(Int32(id), tokens: tokens.base, bytes: bytes.base)
      guard existing < 0 || duplicates == .lastWins else {
        let piece = UnsafeBufferPointer(
          start: bytes.base + Int(tokens.base[id].start), count: Int(tokens.base[id].length))
        throw VocabularyError(reason: "the token \"\(excerpt(piece))\" has two ids, \(id) and \(existing)")
      }
    }
    let characters = slab.allocate(Int32.self, Self.characterLimit)
    characters.update(repeating: -1, count: Self.characterLimit)
    for id in 0..<tokens.count where isIndexed(id) {
      let token = tokens.base[id]
      let piece = UnsafeBufferPointer(start: bytes.base + Int(token.start), count: Int(token.length))
      if let scalar = Self.character(piece) { characters[Int(scalar)] = Int32(id) }
    }
    self.init(
      Arrays(
        tokens: FlatArray(tokens), bytes: FlatArray(bytes), index: index,
        characters: FlatArray(characters, count: Self.characterLimit, owner: slab)))
  }

  /// Returns the only character of a piece; nil if it has several, or one outside the Basic Multilingual Plane.
  static func character(_ piece: UnsafeBufferPointer<UInt8>) -> UInt32? {
    guard 1...3 ~= piece.count else { return nil }
    let (scalar, length) = decodeScalar(in: piece, at: 0, limit: piece.count)
    return length == piece.count ? scalar : nil
  }

  /// Returns the bytes of a piece, or nil if no piece has this id. The bytes are valid as long as the table exists.
  package func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? {
    guard id >= 0, id < count, tokens[id].length > 0 else { return nil }
    return UnsafeBufferPointer(start: bytes + Int(tokens[id].start), count: Int(tokens[id].length))
  }

  /// Returns the id of the indexed piece `text[..<count]`, or -1 if it is not such a piece. `text[..<paddedCount]` must
  /// be readable (see "Padding" in Slab.swift).
  @inline(__always)
  func id(of text: UnsafePointer<UInt8>, count: Int, paddedCount: Int) -> Int32 {
    guard count <= index.longestIndexedToken else { return -1 }
    return index.find(ByteKey(text, count: count, paddedCount: paddedCount), tokens: tokens, bytes: bytes)
  }

  package func id(of text: [UInt8]) -> Int32 {
    text.withUnsafeBufferPointer { text in
      text.baseAddress.map { id(of: $0, count: text.count, paddedCount: text.count) } ?? -1
    }
  }

  /// Returns the id and the length of the character at `index`, which is below `text.count`. The id is -1 if the
  /// character is not an indexed piece. A byte that does not begin a well-formed UTF-8 sequence has length 1 and no id.
  @inline(__always)
  func character(in text: UnsafeBufferPointer<UInt8>, at index: Int) -> (id: Int32, length: Int) {
    let first = text[index]
    if first < 0x80 { return (characters[Int(first)], 1) }
    let (scalar, length) = decodeScalar(in: text, at: index, limit: text.count)
    guard let scalar else { return (-1, 1) }
    if scalar < Self.characterLimit { return (characters[Int(scalar)], length) }
    guard let base = text.baseAddress else { return (-1, length) }
    return (id(of: base + index, count: length, paddedCount: text.count - index), length)
  }
}
