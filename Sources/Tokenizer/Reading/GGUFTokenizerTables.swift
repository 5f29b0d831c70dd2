import Platform

/// The tokenizer in the metadata of a GGUF file: the keys with the prefix `tokenizer.ggml`.
public struct GGUFTokenizerTables: Sendable {
  /// The file's path, for messages.
  public var path: Path
  /// `model`: `gpt2` for byte-level BPE, `llama` for SentencePiece BPE with scores, `gemma4` for SentencePiece BPE with
  /// merges, `t5` for a unigram model.
  public var model: String
  /// `pre`, the name of a pre-tokenizer and of the settings that go with it; nil in old files.
  public var preTokenizer: String?
  /// `tokens`, by id.
  public var tokens: MappedStrings
  /// `token_type`, the type of each token. If nil, all tokens are normal.
  public var types: MappedInt32s?
  /// `merges`, by rank: two tokens with a space between them.
  public var merges: MappedStrings?
  /// `scores`, the score of each token.
  public var scores: [Float]?
  /// The beginning-of-text and the end-of-text token.
  public var bosTokenID: Int?
  public var eosTokenID: Int?
  /// `add_space_prefix`: a text is encoded as if there were a space before it.
  public var addsSpacePrefix: Bool?
  /// `remove_extra_whitespaces`
  public var removesExtraWhitespace: Bool?
  /// `precompiled_charsmap`, the table for `CharacterMap`.
  public var characterMap: [UInt8]?

  public init(
    path: Path, model: String, preTokenizer: String?, tokens: MappedStrings, types: MappedInt32s?,
    merges: MappedStrings?, scores: [Float]? = nil, bosTokenID: Int? = nil, eosTokenID: Int? = nil,
    addsSpacePrefix: Bool? = nil, removesExtraWhitespace: Bool? = nil, characterMap: [UInt8]? = nil
  ) {
    self.path = path
    self.model = model
    self.preTokenizer = preTokenizer
    self.tokens = tokens
    self.types = types
    self.merges = merges
    self.scores = scores
    self.bosTokenID = bosTokenID
    self.eosTokenID = eosTokenID
    self.addsSpacePrefix = addsSpacePrefix
    self.removesExtraWhitespace = removesExtraWhitespace
    self.characterMap = characterMap
  }

  /// Returns the type of a token.
  func type(of id: Int) throws(VocabularyError) -> SentencePieceType {
    guard let types else { return .normal }
    guard id < types.count, let type = SentencePieceType(rawValue: types[id]) else {
      throw VocabularyError(reason: "token \(id) has no type or an unknown one (allowed: 1 to 6)")
    }
    return type
  }
}
