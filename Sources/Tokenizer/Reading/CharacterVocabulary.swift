import JSON

/// A vocabulary of a model of characters, to which added tokens can be added.
struct CharacterVocabulary: AddedTokenTarget {
  let pieces: PieceTable
  private var added: [Int: [UInt8]] = [:]
  private(set) var tokenCount: Int

  init(_ pieces: PieceTable) {
    self.pieces = pieces
    tokenCount = pieces.count
  }

  var keepsContent: Bool { true }

  func hasToken(_ id: Int) -> Bool { added[id] != nil || pieces.bytes(of: id) != nil }

  func isToken(_ id: Int, _ content: [UInt8]) -> Bool {
    added[id].map { $0 == content } ?? pieces.bytes(of: id)?.elementsEqual(content) ?? false
  }

  func modelIDs(of definitions: [AddedTokenDefinition]) -> [[UInt8]: Int] {
    var ids: [[UInt8]: Int] = [:]
    for definition in definitions {
      let id = pieces.id(of: definition.content)
      if id >= 0 { ids[definition.content] = Int(id) }
    }
    return ids
  }

  mutating func defineAdded(_ id: Int, content: [UInt8]) throws(VocabularyError) {
    guard (0..<Vocabulary.limit).contains(id) else {
      throw VocabularyError.outOfRange(id)
    }
    guard content.count <= Vocabulary.longestToken else {
      throw VocabularyError(
        reason: "token \(id) has \(content.count) bytes (at most \(Vocabulary.longestToken) allowed)")
    }
    added[id] = content
    tokenCount = max(tokenCount, id + 1)
  }

  /// Returns the table of all tokens.
  ///
  /// - Parameters:
  ///   - addedTokens: The added tokens. One that is searched for in the normalized text is decoded as its normalized
  ///     form, as in `tokenizers`: with `Prepend` and `Replace` it has a space before it, which encoding has removed.
  func makeTokens(
    _ decoder: TokenTextDecoder, _ addedTokens: [AddedTokens.Token], _ normalizers: [Normalizer]
  ) throws(VocabularyError) -> DecodedTokens {
    var added = added
    var normalizer = TextNormalizer(normalizers)
    for token in addedTokens where token.isNormalized && !normalizers.isEmpty {
      if let content = token.content { added[Int(token.id)] = normalizer.normalize(content) }
    }
    return try DecodedTokens(try TokenSpellings(pieces, added: added), decoder)
  }
}
