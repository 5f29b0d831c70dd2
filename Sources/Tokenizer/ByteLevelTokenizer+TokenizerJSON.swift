import JSON
import Platform

extension ByteLevelTokenizer {
  /// Opens tokenizer.json, the file format of the `tokenizers` library, if it describes byte-level BPE. Unsupported
  /// settings that would change the ids are errors that name the component.
  ///
  /// - Parameter files: The settings in the files beside tokenizer.json.
  convenience init(
    tokenizerJSON file: MappedFile, _ files: TokenizerFiles, for purpose: Purpose
  ) throws(TokenizerError) {
    var reader = TokenizerJSONReader(size: file.bytes.count, files.addedTokens, purpose)
    do {
      var scanner = JSONScanner(file.characters)
      try reader.read(&scanner)
    } catch {
      throw TokenizerError(.malformed, file.path, error.description)
    }
    let vocabulary = reader.reader.builder.build()
    if purpose == .encoding, reader.hasUnknownToken, !vocabulary.coversAllBytes {
      throw TokenizerError(
        .malformed, file.path, "\"unk_token\" is not supported in a vocabulary without a token for every byte")
    }
    do {
      let settings = files.applied(to: reader.settings, of: vocabulary, reader.addedTokens)
      try self.init(vocabulary, reader.addedTokens, settings, purpose)
    } catch {
      throw TokenizerError(.malformed, file.path, error.reason)
    }
    withExtendedLifetime(file) {}
  }
}

private struct TokenizerJSONReader {
  var reader: VocabularyReader
  var addedTokens: [AddedTokens.Token] = []
  var hasUnknownToken = false
  private var warnings: [String] = []

  private let purpose: ByteLevelTokenizer.Purpose
  private var pipeline = TokenizerJSONPipeline()
  private var ignoresMerges = false
  private var hasModel = false
  private var hasVocabulary = false
  private var addedTokensAt: JSONScanner?
  /// The model's tokens that are not spelled in the byte-level alphabet, which must be added tokens: the offset of each
  /// token's spelling, by id.
  private var foreignTokens: [Int32: Int] = [:]
  private var definitions: [AddedTokenDefinition] = []
  /// The definitions in the files beside this file.
  private let furtherDefinitions: [AddedTokenDefinition]

  init(size: Int, _ furtherDefinitions: [AddedTokenDefinition], _ purpose: ByteLevelTokenizer.Purpose) {
    self.purpose = purpose
    self.furtherDefinitions = furtherDefinitions
    reader = VocabularyReader(size: size, purpose)
  }

  /// The settings that have been read.
  var settings: ByteLevelTokenizer.Settings {
    var settings = pipeline.settings
    settings.ignoresMerges = ignoresMerges
    settings.tokensBefore = ids(of: pipeline.tokensBefore)
    settings.tokensAfter = ids(of: pipeline.tokensAfter)
    settings.warnings = warnings
    return settings
  }

  /// Returns the ids of tokens that the post-processor adds.
  private func ids(of tokens: [String]) -> [Int] {
    tokens.flatMap { token in
      let text = Array(token.utf8)
      return pipeline.specialTokenIDs[token]
        ?? addedTokens.map { Int($0.id) }.first { reader.builder.isToken($0, text) }.map { [$0] } ?? []
    }
  }

  /// True if the rest of the file is not needed. Files of the `tokenizers` library end with the merges, which are most
  /// of the file.
  private var isComplete: Bool { purpose == .decoding && hasVocabulary && pipeline.hasDecoder && addedTokensAt != nil }

  /// Reads the file. Its members may be in any order, so the added tokens, which need the model, are read at the end.
  mutating func read(_ scanner: inout JSONScanner) throws(JSONError) {
    try readMembers(&scanner)
    guard hasModel else { throw scanner.failure("\"model\" is missing", at: 0) }
    guard pipeline.hasPreTokenizer || isComplete else { throw scanner.failure("\"pre_tokenizer\" is missing", at: 0) }
    if var addedTokensAt { try readAddedTokens(&addedTokensAt) }
    try defineAddedTokens(scanner)
    for (id, offset) in foreignTokens.sorted(by: { $0.value < $1.value }) {
      var foreign = JSONScanner(scanner.bytes, position: offset - 1)  // the opening quotation mark
      if reader.builder.isToken(Int(id), Array(try foreign.swiftString().utf8)) { continue }
      throw scanner.failure(
        "token \(id) has characters outside the byte-level alphabet, but is not an added token", at: offset)
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
          hasModel = true
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
        throw scanner.failure(reader.builder.outOfRange(id).reason, at: offset)
      }
      definitions.append(
        AddedTokenDefinition(
          content: content, id: id, isSpecial: isSpecial, isNormalized: isNormalized, stripsLeft: stripsLeft,
          stripsRight: stripsRight, isSingleWord: isSingleWord))
    }
  }

  /// Defines the added tokens of this file and of the files beside it.
  private mutating func defineAddedTokens(_ scanner: JSONScanner) throws(JSONError) {
    var foreign: [[UInt8]: Int] = [:]
    for (id, offset) in foreignTokens {
      var spelling = JSONScanner(scanner.bytes, position: offset - 1)  // the opening quotation mark
      foreign[Array(try spelling.swiftString().utf8)] = Int(id)
    }
    do {
      (addedTokens, warnings) = try reader.builder.define(definitions + furtherDefinitions, foreign: foreign)
    } catch {
      throw scanner.failure(error.reason, at: addedTokensAt?.position ?? 0)
    }
  }

  // MARK: the model

  private mutating func readModel(_ scanner: inout JSONScanner) throws(JSONError) {
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
      guard type == "BPE" else { throw scanner.unsupported("the model type \"\(excerpt(type))\"", at: offset) }
    } else if scanner.matches(name, "ignore_merges") {
      ignoresMerges = try scanner.boolean()
    } else if scanner.matches(name, "unk_token") {
      hasUnknownToken = try scanner.kind() != .null
      _ = try scanner.skipValue()
    } else if scanner.matches(name, "byte_fallback") {
      guard try !scanner.boolean() else { throw scanner.unsupported("\"byte_fallback\" of the model", at: offset) }
    } else if scanner.matches(name, "dropout") {
      if try scanner.kind() == .null {
        try scanner.null()
      } else if try scanner.double() != 0 {
        throw scanner.unsupported("\"dropout\" of the model", at: offset)
      }
    } else if scanner.matches(name, "continuing_subword_prefix") {
      try readEmpty("continuing_subword_prefix", &scanner)
    } else if scanner.matches(name, "end_of_word_suffix") {
      try readEmpty("end_of_word_suffix", &scanner)
    } else {
      _ = try scanner.skipValue()
    }
  }

  /// Reads a member of the model that must be null or an empty string.
  private func readEmpty(_ name: String, _ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.kind() != .null else { return try scanner.null() }
    let text = try scanner.string()
    guard text.range.isEmpty else { throw scanner.unsupported("\"\(name)\" of the model", at: text.range.lowerBound) }
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
