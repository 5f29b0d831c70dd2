import JSON
import Platform

extension Tokenizer {
  /// Opens a tokenizer from the tables in the metadata of a GGUF file.
  ///
  /// The vocabulary and its fingerprint are the same as those of the equivalent tokenizer.json: control tokens are
  /// special tokens, user-defined tokens are added tokens, and unused ids, with which converters pad a vocabulary, have
  /// no token.
  public convenience init(_ tables: GGUFTokenizerTables, for purpose: Purpose) throws(TokenizerError) {
    do throws(VocabularyError) {
      switch tables.model {
      case "gpt2": try self.init(byteLevel: tables, for: purpose)
      case "llama", "gemma4", "t5": try self.init(characters: tables, for: purpose)
      default:
        throw VocabularyError(
          reason: "unsupported tokenizer model \"\(excerpt(tables.model))\" (supported: gpt2, which is byte-level BPE; "
            + "llama and gemma4, which are SentencePiece BPE; and t5, which is a unigram model)")
      }
    } catch {
      throw TokenizerError(.malformed, tables.path, error.reason)
    }
    withExtendedLifetime(tables) {}
  }

  /// Opens byte-level BPE.
  private convenience init(byteLevel tables: GGUFTokenizerTables, for purpose: Purpose) throws(VocabularyError) {
    var settings = Settings()
    var ignoresMerges = false
    if purpose == .encoding {
      let preTokenizer = try tables.namedPreTokenizer()
      settings.preTokenizer = preTokenizer.steps
      settings.normalizers = preTokenizer.normalizers
      ignoresMerges = preTokenizer.ignoresMerges
    }
    settings.bosTokenID = tables.bosTokenID
    settings.eosTokenID = tables.eosTokenID
    settings.namesTokensByID = true
    guard let merges = tables.merges else { throw VocabularyError(reason: "tokenizer.ggml.merges is missing") }
    var builder = VocabularyBuilder(
      tokens: min(tables.tokens.count, Vocabulary.limit), bytes: tables.tokens.range.count, purpose)
    let added = try builder.define(tables)
    if purpose == .encoding { for merge in merges { try builder.addMerge(merge) } }
    let vocabulary = builder.build()
    try self.init(.byteLevel(vocabulary, ignoresMerges: ignoresMerges), vocabulary, added, settings, purpose)
  }

  /// Opens a model of characters, as in SentencePiece.
  private convenience init(characters tables: GGUFTokenizerTables, for purpose: Purpose) throws(VocabularyError) {
    var types: [SentencePieceType] = []
    for id in 0..<tables.tokens.count { types.append(try tables.type(of: id)) }
    let (pieces, added) = try tables.makePieces(types)
    let hasBytes = types.contains(.byte)
    let mark = SafeSplitting.mark
    let hasPrefix = tables.model != "gemma4" && tables.addsSpacePrefix ?? true
    var settings = Settings()
    settings.preTokenizer = []
    if tables.model == "t5" {
      settings.normalizers = [
        .sentencePiece(
          SentencePieceNormalizer(
            map: try tables.characterMap.map { (table) throws(VocabularyError) in try CharacterMap(table) },
            addsDummyPrefix: hasPrefix, removesExtraWhitespace: tables.removesExtraWhitespace ?? true))
      ]
    } else {
      settings.normalizers =
        (hasPrefix ? [.prepend(mark)] : []) + [.replace(LiteralSearch([UInt8(ascii: " ")]), content: mark)]
    }
    try GrowthLimit.check(settings.normalizers, settings.preTokenizer)
    func controlToken(_ id: Int) -> Int? { id < types.count && types[id] == .control ? id : nil }
    // The ids that SentencePiece gives these tokens, which old files do not name
    settings.bosTokenID = tables.bosTokenID ?? controlToken(1)
    settings.eosTokenID = tables.eosTokenID ?? controlToken(2)
    settings.namesTokensByID = true
    let decoder = try TokenTextDecoder(
      [.replace(mark, [UInt8(ascii: " ")]), .byteFallback, .fuse]
        + (hasPrefix ? [.strip([UInt8(ascii: " ")], start: 1, stop: 0)] : []))
    let tokens = try DecodedTokens(try TokenSpellings(pieces, added: [:]), decoder)
    let model: Model
    if purpose == .decoding {
      model = .none(unknownID: types.firstIndex(of: .unknown))
    } else if tables.model != "gemma4" {
      guard let scores = tables.scores else { throw VocabularyError(reason: "tokenizer.ggml.scores is missing") }
      model =
        tables.model == "llama"
        ? .characters(try CharacterBPE(pieces, scores: scores, types: types, byteFallback: hasBytes))
        : .unigram(try Unigram(pieces, scores: scores, types: types, byteFallback: hasBytes))
    } else {
      guard let merges = tables.merges else { throw VocabularyError(reason: "tokenizer.ggml.merges is missing") }
      var halves: [(left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>)] = []
      for merge in merges { halves.append(try splitMerge(merge, number: halves.count + 1)) }
      model = .characters(
        try CharacterBPE(
          pieces, merges: halves, unknownToken: nil, fusesUnknown: true, byteFallback: hasBytes, ignoresMerges: false))
    }
    try self.init(model, tokens, added, settings, purpose)
  }
}

extension GGUFTokenizerTables {
  fileprivate func namedPreTokenizer() throws(VocabularyError) -> GGUFPreTokenizer {
    guard let name = preTokenizer else {
      throw VocabularyError(
        reason:
          "the file does not name its pre-tokenizer (tokenizer.ggml.pre is missing); --pre-tokenizer NAME "
          + "names it, for example gpt-2, llama-bpe or qwen2")
    }
    guard let preTokenizer = GGUFPreTokenizer(name) else {
      throw VocabularyError(
        reason: "unsupported pre-tokenizer \"\(excerpt(name))\" (supported: "
          + "\(GGUFPreTokenizer.names.joined(separator: ", ")))")
    }
    return preTokenizer
  }

  /// Returns the table of pieces of a model of characters, and the added tokens.
  fileprivate func makePieces(
    _ types: [SentencePieceType]
  ) throws(VocabularyError) -> (PieceTable, [AddedTokens.Token]) {
    var added: [AddedTokens.Token] = []
    var spellings: [UnsafeBufferPointer<UInt8>] = []
    for (id, token) in tokens.enumerated() {
      let type = types[id]
      spellings.append(type == .unused ? UnsafeBufferPointer(start: nil, count: 0) : token)
      // Runs of spaces are found in the normalized text only
      let isAdded = type == .userDefined && !token.starts(with: SafeSplitting.mark)
      guard isAdded || type == .control || type == .unknown, !token.isEmpty else { continue }
      added.append(
        AddedTokens.Token(
          id: Int32(truncatingIfNeeded: id), isSpecial: type != .userDefined, isNormalized: false,
          content: Array(token)))
    }
    let table = try PieceTable(spellings, duplicates: .lastWins) { types[$0].isFoundInText }
    return (table, added)
  }
}

/// Returns the halves of a merge, given as two tokens with a space between them.
private func splitMerge(
  _ text: UnsafeBufferPointer<UInt8>, number: Int
) throws(VocabularyError) -> (left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>) {
  guard let space = text.dropFirst().firstIndex(of: UInt8(ascii: " ")) else {
    throw VocabularyError(
      reason: "merge \(number) has no space; a merge is two tokens with a space between them")
  }
  return (UnsafeBufferPointer(rebasing: text[..<space]), UnsafeBufferPointer(rebasing: text[(space + 1)...]))
}

extension VocabularyBuilder {
  /// Defines all tokens of a byte-level vocabulary, and returns the added tokens.
  fileprivate mutating func define(
    _ tables: GGUFTokenizerTables
  ) throws(VocabularyError) -> [AddedTokens.Token] {
    var added: [AddedTokens.Token] = []
    /// Normal tokens with characters outside the byte-level alphabet. No text is encoded to them, but they are decoded.
    var foreign: [Int] = []
    let named = [tables.bosTokenID, tables.eosTokenID]
    for (id, spelling) in tables.tokens.enumerated() {
      let type = try tables.type(of: id)
      guard type == .unused || id < Vocabulary.limit else { throw .outOfRange(id) }
      switch type {
      case .normal, .byte:
        guard !spelling.isEmpty else { continue }
        if try define(id, spelling: spelling) { continue }
        foreign.append(id)
        // Old converters give special tokens the type of normal tokens
        guard named.contains(id) else { continue }
        added.append(AddedTokens.Token(id: Int32(id), isSpecial: true, isNormalized: false))
      case .unused: continue
      case .userDefined: added.append(AddedTokens.Token(id: Int32(id), isSpecial: false, isNormalized: false))
      case .unknown, .control: added.append(AddedTokens.Token(id: Int32(id), isSpecial: true, isNormalized: false))
      }
    }
    try finishTokens()
    var rest = (added.map { Int($0.id) } + foreign.filter { !named.contains($0) }).sorted()[...]
    for (id, content) in tables.tokens.enumerated() where id == rest.first {
      try defineAdded(id, content: Array(content))
      rest.removeFirst()
    }
    return added
  }

  /// Adds the next merge, given as two tokens with a space between them.
  fileprivate mutating func addMerge(_ text: UnsafeBufferPointer<UInt8>) throws(VocabularyError) {
    let (left, right) = try splitMerge(text, number: mergeCount + 1)
    try addMerge(left, right)
  }
}
