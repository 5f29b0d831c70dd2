import JSON
import Platform

extension Tokenizer {
  /// Opens tokenizer.model: a file of SentencePiece, or a list of tokens in base64 as in the library `tiktoken`.
  convenience init(pieces file: MappedFile, _ files: TokenizerFiles, for purpose: Purpose) throws(TokenizerError) {
    do throws(VocabularyError) {
      let name = files.className
      var tokenizerClass = name.map(TokenizerClass.named) ?? .generic
      if tokenizerClass == nil, let name, !files.requiresOwnCode, !TokenizerClass.unsupportedNames.contains(name) {
        tokenizerClass = .generic  // as in transformers
      }
      guard let tokenizerClass, tokenizerClass.model != .bytes else {
        throw VocabularyError(
          reason: tokenizerClass == nil
            ? "the rule of this file is unknown for the \(files.kind) (supported: \(TokenizerClass.namesWithPieces))"
            : "the \(files.kind) requires vocab.json and merges.txt")
      }
      if let ranks = RankedTokens(file.characters) {
        try self.init(ranks, tokenizerClass, files, for: purpose)
      } else {
        try self.init(SentencePieceModel(Array(file.characters)), tokenizerClass, files, for: purpose)
      }
    } catch {
      throw TokenizerError(.malformed, file.path, error.reason)
    }
    withExtendedLifetime(file) {}
  }

  private convenience init(
    _ file: SentencePieceModel, _ namedClass: TokenizerClass, _ files: TokenizerFiles, for purpose: Purpose
  ) throws(VocabularyError) {
    guard file.algorithm == .unigram || file.algorithm == .bpe else {
      throw VocabularyError(
        reason: "unsupported model type \"\(file.algorithm)\" of SentencePiece (supported: bpe, unigram)")
    }
    let isGeneric = namedClass.model == .any
    let tokenizerClass = isGeneric ? TokenizerClass(file) : namedClass
    var tables = isGeneric ? CharacterModelTables(file, files) : CharacterModelTables(file, namedClass, files)
    tokenizerClass.apply(files, to: &tables)
    let map = file.normalizer.charactersMap.isEmpty ? nil : try CharacterMap(file.normalizer.charactersMap)
    let components =
      isGeneric ? try file.components(tables, map, files) : tokenizerClass.components(files, map)
    var settings = Settings()
    settings.normalizers = components.normalizers
    settings.preTokenizer = components.preTokenizer

    let (pieces, model) = try tables.makeModel(for: purpose)
    var vocabulary = CharacterVocabulary(pieces)
    let definitions = files.addedTokens(of: tokenizerClass, pieces: file.addedTokens(areAllAdded: !isGeneric))
    // Each part between added tokens has its own prefix space, so they are found before it is added
    let isNormalized = !(isGeneric && file.normalizer.addsDummyPrefix)
    let (added, warnings) = try vocabulary.define(
      definitions.map { token in
        var token = token
        token.isNormalized = token.isNormalized && isNormalized
        return token
      })
    settings.warnings = warnings + tokenizerClass.warnings(of: file)
    try GrowthLimit.check(components.normalizers, components.preTokenizer)
    let tokens = try vocabulary.makeTokens(
      TokenTextDecoder(components.decoder), added, components.normalizers)
    try self.init(
      model, tokens, added, files.applied(to: settings, tokenizerClass, of: tokens, added), purpose)
  }
}

extension SentencePieceModel {
  func spelling(_ id: Int) -> [UInt8] { Array(bytes[pieces[id].range]) }

  /// Returns the control pieces, which are special tokens, and, if `areAllAdded`, the pieces that the user defined.
  fileprivate func addedTokens(areAllAdded: Bool) -> [AddedTokenDefinition] {
    pieces.indices.compactMap { id in
      let type = pieces[id].type
      guard type == .control || type == .userDefined && areAllAdded else { return nil }
      return AddedTokenDefinition(
        content: spelling(id), id: nil, isSpecial: type == .control, isNormalized: false)
    }
  }

  /// Returns the components that encode as SentencePiece does (transformers 5.24, `build_tokenizer_from_spm_proto`).
  fileprivate func components(
    _ tables: CharacterModelTables, _ map: CharacterMap?, _ files: TokenizerFiles
  ) throws(VocabularyError) -> TokenizerComponents {
    let hasPrefix = normalizer.addsDummyPrefix
    let isLegacy = files.isLegacy ?? true
    var components = TokenizerComponents()
    if let map { components.normalizers.append(.characterMap(map)) }
    if normalizer.removesExtraWhitespace {
      components.normalizers += [.replacing(#"\A +| +\z"#, with: ""), .replacing(" {2,}", with: " ")]
    }
    if normalizer.escapesWhitespace { components.normalizers.append(.markedSpaces) }
    if hasPrefix {
      // `Metaspace` adds no prefix to a text that begins with `▁`; SentencePiece does
      if isLegacy { components.normalizers.append(.replacing(#"\A▁"#, with: "▁▁")) }
      components.preTokenizer.append(
        .metaspace(Metaspace(prependScheme: isLegacy ? .always : .first, splits: false)))
    }
    let userDefined = pieces.indices.filter { pieces[$0].type == .userDefined }.map { tables.pieces[$0] }
    if !userDefined.isEmpty {
      components.preTokenizer.append(.isolating(try Pattern(anyOf: userDefined)))
    }
    components.decoder = [.replace(SafeSplitting.mark, TokenizerComponents.space)]
    if hasByteFallback { components.decoder.append(.byteFallback) }
    if hasPrefix {
      components.decoder += [.fuse, .strip(TokenizerComponents.space, start: 1, stop: 0)]
    } else if hasByteFallback {
      components.decoder.append(.fuse)
    }
    return components
  }
}

extension Pattern {
  /// The pattern that matches any of these texts, the longest first.
  fileprivate init(anyOf texts: [[UInt8]]) throws(VocabularyError) {
    // The length in characters, as in Python
    let sorted = texts.map { String(decoding: $0, as: UTF8.self) }.enumerated().sorted {
      let (left, right) = ($0.element.unicodeScalars.count, $1.element.unicodeScalars.count)
      return left == right ? $0.offset < $1.offset : left > right
    }
    var source = ""
    for (_, text) in sorted {
      if !source.isEmpty { source += "|" }
      for scalar in text.unicodeScalars {
        if scalar.isASCII, !scalar.properties.isAlphabetic, scalar.value > 0x20, !("0"..."9").contains(scalar) {
          source += "\\"
        }
        source.unicodeScalars.append(scalar)
      }
    }
    do {
      try self.init(source)
    } catch {
      throw VocabularyError(reason: "the pieces that the user defined: \(error.description)")
    }
  }
}

extension TokenizerClass {
  /// The class of a file whose folder names none, with the file's special tokens.
  fileprivate init(_ file: SentencePieceModel) {
    var tokens: [String: String] = [:]
    for (name, id, piece) in [
      ("bos_token", file.bosID, file.bosPiece), ("eos_token", file.eosID, file.eosPiece),
      ("unk_token", file.unknownID, file.unknownPiece),
    ] where id >= 0 {
      tokens[name] = String(decoding: piece, as: UTF8.self)
    }
    self.init(Self.generic.name, .any, tokens) { _, _ in TokenizerComponents() }
  }

  /// Returns a warning if the class has a fixed id for unknown characters that is another token in the file.
  fileprivate func warnings(of file: SentencePieceModel) -> [String] {
    guard case .unigram(let id) = model, self.name != Self.xglm.name, id < file.pieces.count,
      file.pieces[id].type != .unknown
    else { return [] }
    return [
      "unknown characters become the token \"\(excerpt(file.spelling(id)))\" (\(id)), because the tokenizer class "
        + "\(name) uses this id, not the id of the unknown token in the file"
    ]
  }
}

extension CharacterModelTables {
  /// The model of a class that takes only the vocabulary from the file.
  fileprivate init(_ file: SentencePieceModel, _ tokenizerClass: TokenizerClass, _ files: TokenizerFiles) {
    var tables = Self()
    func append(_ token: String) { add(Array(token.utf8), 0) }
    func add(_ piece: [UInt8], _ score: Float) {
      tables.pieces.append(piece)
      tables.scores.append(Double(score))
    }
    let isXGLM = tokenizerClass.name == TokenizerClass.xglm.name
    // The first three pieces of XGLM's file are others, as in fairseq
    if isXGLM { for token in ["<s>", "<pad>", "</s>", "<unk>"] { append(token) } }
    for id in file.pieces.indices.dropFirst(isXGLM ? 3 : 0) { add(file.spelling(id), file.pieces[id].score) }
    // T5's are in descending order
    let extra = tokenizerClass.extraTokens(files)
    if isXGLM { extra.forEach(append) }
    if tokenizerClass.name == TokenizerClass.t5.name { extra.reversed().forEach(append) }
    if case .unigram = tokenizerClass.model {
      tables.isUnigram = true
    } else {
      tables.rule = .derived(order: Array(0..<tables.pieces.count))
    }
    self = tables
  }

  /// The model that encodes as SentencePiece does (transformers 5.24, `build_tokenizer_from_spm_proto`).
  fileprivate init(_ file: SentencePieceModel, _ files: TokenizerFiles) {
    self.init()
    isUnigram = file.algorithm == .unigram
    hasByteFallback = file.hasByteFallback
    for id in file.pieces.indices {
      pieces.append(file.spelling(id))
      scores.append(Double(file.pieces[id].score))
    }
    guard !isUnigram else {
      unknownID = file.unknownID < 0 ? nil : Int(file.unknownID)
      return
    }
    fusesUnknown = true
    ignoresMerges = file.pieces.contains { $0.type == .userDefined }
    rename(files.tokensByID)
    unknownToken = file.unknownPiece
    let normal = file.pieces.indices.filter { file.pieces[$0].type == .normal }
    rule = .derived(
      order: normal.sorted {
        (file.pieces[$1].score, $0) < (file.pieces[$0].score, $1)
      })
  }

  /// Gives pieces the names of added tokens with the same ids, except a name that another piece has.
  private mutating func rename(_ tokens: [AddedTokenDefinition]) {
    guard !tokens.isEmpty else { return }
    var names: [Int: [UInt8]] = [:]
    for token in tokens { if let id = token.id { names[id] = token.content } }
    let kept = Set((0..<pieces.count).filter { names[$0] == nil }.map { pieces[$0] })
    var renamed = ByteStrings()
    for id in 0..<pieces.count {
      if let name = names[id], !kept.contains(name) { renamed.append(name) } else { renamed.append(pieces[id]) }
    }
    pieces = renamed
  }
}
