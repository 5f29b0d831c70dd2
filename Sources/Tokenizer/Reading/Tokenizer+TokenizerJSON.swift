import JSON
import Platform

extension Tokenizer {
  /// Opens tokenizer.json, the file format of the `tokenizers` library. Unsupported settings that would change the ids
  /// are errors that name the component.
  ///
  /// - Parameter files: The settings in the files beside tokenizer.json.
  convenience init(
    tokenizerJSON file: MappedFile, _ files: TokenizerFiles, for purpose: Purpose
  ) throws(TokenizerError) {
    var reader = TokenizerJSONReader(size: file.bytes.count, files, purpose)
    do {
      var scanner = JSONScanner(file.characters)
      try reader.read(&scanner)
    } catch {
      throw TokenizerError(.malformed, file.path, error.description)
    }
    do throws(VocabularyError) {
      switch reader.tokens {
      case .bytes:
        let vocabulary = reader.reader.builder.build()
        guard purpose == .decoding || !reader.needsAllBytes || vocabulary.coversAllBytes else {
          throw VocabularyError(
            reason:
              "\"unk_token\" or \"byte_fallback\" in a byte-level vocabulary without a token for every byte is not "
              + "supported")
        }
        try self.init(
          .byteLevel(vocabulary, ignoresMerges: reader.ignoresMerges), vocabulary, reader.addedTokens,
          reader.settings(of: vocabulary), purpose)
      case .characters(let model, let tokens):
        try self.init(model, tokens, reader.addedTokens, reader.settings(of: tokens), purpose)
      }
    } catch {
      throw TokenizerError(.malformed, file.path, error.reason)
    }
    withExtendedLifetime(file) {}
  }
}

private struct TokenizerJSONReader {
  var reader: VocabularyReader
  var addedTokens: [AddedTokens.Token] = []
  /// True if a setting has no effect only if every byte has a token.
  var needsAllBytes = false
  private var warnings: [String] = []

  private let purpose: Tokenizer.Purpose
  private var pipeline = TokenizerJSONPipeline()
  private(set) var ignoresMerges = false
  private var modelAt: JSONScanner?
  private var isModelRead = false
  private var characters: CharacterModelReader?
  private(set) var tokens = TokenKind.bytes

  /// The tokens that have been read: bytes, which are in `reader`, or characters.
  enum TokenKind {
    case bytes
    case characters(Tokenizer.Model, DecodedTokens)
  }

  private var hasVocabulary = false
  private var addedTokensAt: JSONScanner?
  /// The model's tokens that are not spelled in the byte-level alphabet, most of which are added tokens: the offset of
  /// each token's spelling, by id.
  private var foreignTokens: [Int32: Int] = [:]
  private var definitions: [AddedTokenDefinition] = []
  /// The files beside this file, and the class that they choose.
  private let files: TokenizerFiles
  private var tokenizerClass: TokenizerClass?

  init(size: Int, _ files: TokenizerFiles, _ purpose: Tokenizer.Purpose) {
    self.purpose = purpose
    self.files = files
    tokenizerClass = files.className.flatMap(TokenizerClass.named)
    reader = VocabularyReader(size: size, purpose)
  }

  /// Returns the settings that have been read.
  func settings(of vocabulary: some TokenTable) -> Tokenizer.Settings {
    var settings = Tokenizer.Settings()
    settings.normalizers = pipeline.normalizers
    settings.preTokenizer = characters == nil ? pipeline.byteLevelSteps : pipeline.preTokenizer
    settings.tokensBefore = ids(of: pipeline.tokensBefore)
    settings.tokensAfter = ids(of: pipeline.tokensAfter)
    settings.warnings = warnings
    if let tokenizerClass, tokenizerClass.model == .bytes { tokenizerClass.applyPrefixSpace(files, to: &settings) }
    return files.applied(to: settings, tokenizerClass, of: vocabulary, addedTokens)
  }

  /// Returns the ids of tokens that the post-processor adds.
  private func ids(of tokens: [String]) -> [Int] {
    tokens.flatMap { token in
      let text = Array(token.utf8)
      return pipeline.specialTokenIDs[token] ?? addedTokens.first { isToken($0, text) }.map { [Int($0.id)] } ?? []
    }
  }

  private func isToken(_ token: AddedTokens.Token, _ text: [UInt8]) -> Bool {
    token.content.map { $0 == text } ?? reader.builder.isToken(Int(token.id), text)
  }

  /// True if the rest of the file is not needed. Files of the `tokenizers` library end with the merges, which are most
  /// of the file.
  private var isComplete: Bool { purpose == .decoding && hasVocabulary && pipeline.hasDecoder && addedTokensAt != nil }

  /// Reads the file. Its members may be in any order, so the added tokens, which need the model, are read at the end.
  mutating func read(_ scanner: inout JSONScanner) throws(JSONError) {
    try readMembers(&scanner)
    guard var modelAt else { throw scanner.failure("\"model\" is missing", at: 0) }
    if !isModelRead { try readModel(&modelAt) }
    if var addedTokensAt { try readAddedTokens(&addedTokensAt) }
    if let characters { return try finish(characters, scanner) }
    for step in pipeline.decoder ?? [] where step != .byteLevel && step != .fuse {
      throw scanner.unsupported("the decoder \"\(step.name)\" after \"ByteLevel\"", at: 0)
    }
    if tokenizerClass?.model != .bytes { tokenizerClass = nil }
    try defineAddedTokens(scanner)
    for (id, offset) in foreignTokens {
      var foreign = JSONScanner(scanner.bytes, position: offset - 1)  // the opening quotation mark
      let content = Array(try foreign.swiftString().utf8)
      if reader.builder.isToken(Int(id), content) { continue }
      // No text is encoded to this token, but its id can be decoded
      try define(scanner, at: offset) { (builder) throws(VocabularyError) in
        try builder.defineAdded(Int(id), content: content)
      }
    }
  }

  private mutating func readMembers(_ scanner: inout JSONScanner) throws(JSONError) {
    if try scanner.beginObject() {
      repeat {
        let name = try scanner.memberName()
        if scanner.matches(name, "normalizer") {
          try pipeline.readNormalizer(&scanner)
        } else if scanner.matches(name, "pre_tokenizer") {
          try pipeline.readPreTokenizer(&scanner)
        } else if scanner.matches(name, "post_processor") {
          try pipeline.readPostProcessor(&scanner)
        } else if scanner.matches(name, "decoder") {
          try pipeline.readDecoder(&scanner)
        } else if scanner.matches(name, "model") {
          modelAt = scanner
          // The form of the tokens depends on the other components. In published files they come first.
          guard pipeline.hasPreTokenizer, pipeline.hasNormalizer else {
            _ = try scanner.skipValue()
            continue
          }
          try readModel(&scanner)
          if isComplete { return }
        } else if scanner.matches(name, "added_tokens") {
          addedTokensAt = scanner
          _ = try scanner.skipValue()
        } else {
          // `version`, and `truncation` and `padding`, which affect batches only and are set by each caller
          _ = try scanner.skipValue()
        }
      } while try scanner.another(closing: UInt8(ascii: "}"))
    }
    try scanner.end()
  }

  private mutating func readAddedTokens(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.array { (scanner) throws(JSONError) in
      scanner.skipWhiteSpace()
      let offset = scanner.position
      var content: [UInt8]?
      var id: Int?
      var isSpecial = false
      var (isNormalized, stripsLeft, stripsRight, isSingleWord) = (false, false, false, false)
      try scanner.object { (name, scanner) throws(JSONError) in
        if scanner.matches(name, "content") {
          content = Array(try scanner.swiftString().utf8)
        } else if scanner.matches(name, "id") {
          id = try scanner.integer()
        } else if scanner.matches(name, "special") {
          isSpecial = try scanner.boolean()
        } else if scanner.matches(name, "normalized") {
          isNormalized = try scanner.boolean()
        } else if scanner.matches(name, "lstrip") {
          stripsLeft = try scanner.boolean()
        } else if scanner.matches(name, "rstrip") {
          stripsRight = try scanner.boolean()
        } else if scanner.matches(name, "single_word") {
          isSingleWord = try scanner.boolean()
        } else {
          _ = try scanner.skipValue()
        }
      }
      guard let content, let id else {
        throw scanner.failure("an added token has no \"content\" or no \"id\"", at: offset)
      }
      guard (0..<Vocabulary.limit).contains(id) else {
        throw scanner.failure(VocabularyError.outOfRange(id).reason, at: offset)
      }
      definitions.append(
        AddedTokenDefinition(
          content: content, id: id, isSpecial: isSpecial, isNormalized: isNormalized, stripsLeft: stripsLeft,
          stripsRight: stripsRight, isSingleWord: isSingleWord))
    }
  }

  private var allDefinitions: [AddedTokenDefinition] {
    definitions + files.addedTokens(of: tokenizerClass, defined: definitions)
  }

  /// Defines the added tokens of this file and of the files beside it.
  private mutating func defineAddedTokens(_ scanner: JSONScanner) throws(JSONError) {
    var foreign: [[UInt8]: Int] = [:]
    for (id, offset) in foreignTokens {
      var spelling = JSONScanner(scanner.bytes, position: offset - 1)  // the opening quotation mark
      foreign[Array(try spelling.swiftString().utf8)] = Int(id)
    }
    do {
      (addedTokens, warnings) = try reader.builder.define(allDefinitions, foreign: foreign)
    } catch {
      throw scanner.failure(error.reason, at: addedTokensAt?.position ?? 0)
    }
  }

  // MARK: the model

  private mutating func readModel(_ scanner: inout JSONScanner) throws(JSONError) {
    isModelRead = true
    guard pipeline.isByteLevel else {
      var characters = CharacterModelReader()
      try characters.read(&scanner, for: purpose)
      self.characters = characters
      return
    }
    try readByteLevelModel(&scanner)
  }

  /// Builds the model of characters, and defines the added tokens.
  private mutating func finish(_ reader: CharacterModelReader, _ scanner: JSONScanner) throws(JSONError) {
    var tables = reader.tables
    if tokenizerClass?.fits(tables) == false { tokenizerClass = nil }
    if let tokenizerClass, tokenizerClass.replaces(pipeline) {
      pipeline.replace(tokenizerClass.components(files, pipeline.charactersMap))
      tokenizerClass.apply(files, to: &tables)
    }
    let decoder = try pipeline.textDecoder(scanner)
    do throws(VocabularyError) {
      let (pieces, model) = try tables.makeModel(for: purpose)
      var vocabulary = CharacterVocabulary(pieces)
      (addedTokens, warnings) = try vocabulary.define(allDefinitions)
      self.tokens = .characters(model, try vocabulary.makeTokens(decoder, addedTokens, pipeline.normalizers))
    } catch {
      throw scanner.failure(error.reason, at: modelAt?.position ?? 0)
    }
  }

  private mutating func readByteLevelModel(_ scanner: inout JSONScanner) throws(JSONError) {
    var merges: JSONScanner?  // if they come before the vocabulary, which they need
    var hasMerges = false
    if try scanner.beginObject() {
      repeat {
        let name = try scanner.memberName()
        if scanner.matches(name, "vocab") {
          hasVocabulary = true
          try readVocabulary(&scanner)
          if isComplete { return }
        } else if scanner.matches(name, "merges") {
          hasMerges = true
          if hasVocabulary, purpose == .encoding {
            try reader.readMerges(&scanner)
          } else {
            merges = scanner
            _ = try scanner.skipValue()
          }
        } else {
          try readModelMember(name, &scanner)
        }
      } while try scanner.another(closing: UInt8(ascii: "}"))
    }
    guard hasVocabulary else { throw scanner.failure("\"vocab\" of the model is missing") }
    guard hasMerges else { throw scanner.failure("\"merges\" of the model is missing") }
    if var merges, purpose == .encoding { try reader.readMerges(&merges) }
  }

  /// Reads a member of the model other than its tables.
  private mutating func readModelMember(_ name: JSONScanner.Text, _ scanner: inout JSONScanner) throws(JSONError) {
    let offset = name.range.lowerBound
    if scanner.matches(name, "type") {
      let type = try scanner.swiftString()
      guard type == "BPE" else {
        throw scanner.unsupported("the model type \"\(excerpt(type))\" with \"ByteLevel\"", at: offset)
      }
    } else if scanner.matches(name, "ignore_merges") {
      ignoresMerges = try scanner.boolean()
    } else if scanner.matches(name, "unk_token") {
      if try scanner.kind() != .null { needsAllBytes = true }
      _ = try scanner.skipValue()
    } else if scanner.matches(name, "byte_fallback") {
      if try scanner.boolean() { needsAllBytes = true }
    } else {
      try scanner.checkModelMember(name, at: offset)
    }
  }

  private mutating func readVocabulary(_ scanner: inout JSONScanner) throws(JSONError) {
    let start = scanner.position
    try reader.readTokens(&scanner) { (id, offset) throws(JSONError) in
      guard foreignTokens.updateValue(offset, forKey: id) == nil else {
        throw JSONError(offset: offset, reason: "two tokens have the id \(id)")
      }
    }
    try define(scanner, at: start) { (builder) throws(VocabularyError) in try builder.finishTokens() }
  }

  /// Calls `change` with the vocabulary builder. Its error becomes a JSON error at `offset`.
  private mutating func define(
    _ scanner: JSONScanner, at offset: Int, _ change: (inout VocabularyBuilder) throws(VocabularyError) -> Void
  ) throws(JSONError) {
    do {
      try change(&reader.builder)
    } catch {
      throw scanner.failure(error.reason, at: offset)
    }
  }
}
