import JSON
import Platform

extension ByteLevelTokenizer {
  /// Opens a tokenizer from the tables in the metadata of a GGUF file, without a copy of them.
  ///
  /// The vocabulary and its fingerprint are the same as those of the equivalent tokenizer.json: control tokens are
  /// special tokens, user-defined tokens are added tokens, and unused ids, with which converters pad a vocabulary, have
  /// no token.
  ///
  /// - Parameters:
  ///   - path: The file's path, for messages.
  ///   - model: `tokenizer.ggml.model`
  ///   - preTokenizer: `tokenizer.ggml.pre`, the name of a pre-tokenizer and of the settings that go with it.
  ///   - tokens: The tokens by id; normal tokens are spelled in the byte-level alphabet.
  ///   - types: The `TokenType` of each token. If nil, all tokens are normal.
  ///   - merges: The merges by rank: two tokens with a space between them.
  ///   - bosTokenID: The id of the beginning-of-text token.
  ///   - eosTokenID: The id of the end-of-text token.
  public convenience init(
    path: Path, model: String, preTokenizer: String?, tokens: MappedStrings, types: MappedInt32s?,
    merges: MappedStrings?, bosTokenID: Int?, eosTokenID: Int? = nil, for purpose: Purpose
  ) throws(TokenizerError) {
    func refuse(_ reason: String) -> TokenizerError { TokenizerError(.malformed, path, reason) }
    guard model == "gpt2" else {
      throw refuse(
        "unsupported tokenizer model \"\(excerpt(model))\" (supported: gpt2, which is byte-level BPE)")
    }
    guard let preTokenizer else {
      throw refuse("tokenizer.ggml.pre is missing; convert the model again with a current converter")
    }
    guard var settings = Settings(ggufPreTokenizer: preTokenizer) else {
      throw refuse(
        "unsupported pre-tokenizer \"\(excerpt(preTokenizer))\" "
          + "(supported: \(Settings.ggufPreTokenizers.joined(separator: ", ")))")
    }
    guard let merges else { throw refuse("tokenizer.ggml.merges is missing") }
    settings.bosTokenID = bosTokenID
    settings.eosTokenID = eosTokenID
    do {
      var builder = VocabularyBuilder(
        tokens: min(tokens.count, Vocabulary.limit), bytes: tokens.range.count, purpose)
      let added = try builder.define(tokens, types)
      if purpose == .encoding { for merge in merges { try builder.addMerge(merge) } }
      try self.init(builder.build(), added, settings, purpose)
    } catch {
      throw refuse(error.reason)
    }
    withExtendedLifetime((tokens.file, merges.file)) {}
  }
}

/// The type of a token (llama.cpp, `enum llama_token_type`). Type 6, a byte, does not occur in byte-level vocabularies.
private enum TokenType: Int32 {
  case normal = 1
  case unknown, control, userDefined, unused
}

extension VocabularyBuilder {
  /// Defines all tokens, and returns the added tokens.
  fileprivate mutating func define(
    _ tokens: MappedStrings, _ types: MappedInt32s?
  ) throws(VocabularyError) -> [AddedTokens.Token] {
    func type(of id: Int) throws(VocabularyError) -> TokenType {
      guard let types else { return .normal }
      guard id < types.count, let type = TokenType(rawValue: types[id]) else {
        throw VocabularyError(
          reason: "token \(id) has no type or one that byte-level BPE does not have (allowed: 1 to 5)")
      }
      return type
    }
    var added: [AddedTokens.Token] = []
    for (id, spelling) in tokens.enumerated() {
      let type = try type(of: id)
      guard type == .unused || id < Vocabulary.limit else { throw outOfRange(id) }
      switch type {
      case .normal:
        guard try define(id, spelling: spelling) else {
          throw VocabularyError(
            reason: "token \(id) has characters outside the byte-level alphabet, but its type is normal")
        }
      case .unused: continue
      case .userDefined: added.append(AddedTokens.Token(id: Int32(id), isSpecial: false, isNormalized: false))
      case .unknown, .control: added.append(AddedTokens.Token(id: Int32(id), isSpecial: true, isNormalized: false))
      }
    }
    try finishTokens()
    var next = added.makeIterator()
    var nextAdded = next.next()
    for (id, content) in tokens.enumerated() where nextAdded.map({ Int($0.id) == id }) ?? false {
      try defineAdded(id, content: Array(content))
      nextAdded = next.next()
    }
    return added
  }

  /// Adds the next merge, given as two tokens with a space between them.
  mutating func addMerge(_ text: UnsafeBufferPointer<UInt8>) throws(VocabularyError) {
    guard let space = text.firstIndex(of: UInt8(ascii: " ")) else {
      throw VocabularyError(
        reason: "merge \(mergeCount + 1) has no space; a merge is two tokens with a space between them")
    }
    try addMerge(
      UnsafeBufferPointer(rebasing: text[..<space]), UnsafeBufferPointer(rebasing: text[(space + 1)...]))
  }
}

extension ByteLevelTokenizer.Settings {
  /// The names that llama.cpp's converter uses for the pre-tokenizers that are implemented here.
  static let ggufPreTokenizers = ["gpt-2", "phi-2", "smollm", "starcoder", "refact", "llama-bpe", "qwen2"]

  /// Creates the settings in the tokenizer.json of the models with this pre-tokenizer, or nil if the name is unknown.
  /// They include NFC normalization for Qwen 2, which llama.cpp omits.
  init?(ggufPreTokenizer name: String) {
    self.init()
    switch name {
    case "gpt-2", "phi-2": break
    case "smollm", "starcoder", "refact": digitSplitting = .individual
    case "llama-bpe":
      preTokenizer = .llama3
      ignoresMerges = true
    case "qwen2":
      preTokenizer = .qwen2
      normalizers = [.form(.nfc)]
    default: return nil
    }
  }
}
