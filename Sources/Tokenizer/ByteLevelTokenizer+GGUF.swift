import JSON
import Platform

extension ByteLevelTokenizer {
  /// Opens a tokenizer from the tables that a GGUF file carries, as they lie in it.
  ///
  /// The same tokens are the same vocabulary, with the same fingerprint, as in tokenizer.json: control tokens are special
  /// ones, user-defined tokens are added ones, and unused ids, with which converters fill a vocabulary up, have no token.
  ///
  /// - Parameters:
  ///   - path: of the file, for messages.
  ///   - model: `tokenizer.ggml.model`
  ///   - preTokenizer: `tokenizer.ggml.pre`, a name that stands for the splitting rule and what goes with it.
  ///   - tokens: in the order of their ids, spelled in the byte-level alphabet where they are normal ones.
  ///   - types: a `TokenType` for each token; without them all are normal.
  ///   - merges: two tokens with a space between them, in the order of their ranks.
  ///   - bosTokenID: the id of the token that begins a text.
  public convenience init(
    path: Path, model: String, preTokenizer: String?, tokens: MappedStrings, types: MappedInt32s?,
    merges: MappedStrings?, bosTokenID: Int?, for purpose: Purpose
  ) throws(TokenizerError) {
    func refuse(_ reason: String) -> TokenizerError { TokenizerError(.malformed, path, reason) }
    guard model == "gpt2" else {
      throw refuse(
        "the tokenizer model “\(excerpt(model))” is not supported; byte-level BPE, which GGUF calls “gpt2”, is")
    }
    guard let preTokenizer else { throw refuse("tokenizer.ggml.pre is missing: convert the model again") }
    guard var settings = Settings(ggufPreTokenizer: preTokenizer) else {
      throw refuse(
        "the pre-tokenizer “\(excerpt(preTokenizer))” is not supported; \(Settings.ggufPreTokenizers.joined(separator: ", ")) are"
      )
    }
    guard let merges else { throw refuse("tokenizer.ggml.merges is missing") }
    settings.bosTokenID = bosTokenID
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

/// What a token is (llama.cpp, `enum llama_token_type`), but for those that byte-level vocabularies do not have.
private enum TokenType: Int32 {
  case normal = 1
  case unknown, control, userDefined, unused
}

extension VocabularyBuilder {
  /// Defines all tokens; returns those that are found in the text before it is split.
  fileprivate mutating func define(
    _ tokens: MappedStrings, _ types: MappedInt32s?
  ) throws(VocabularyError) -> [AddedTokens.Token] {
    func type(of id: Int) throws(VocabularyError) -> TokenType {
      guard let types else { return .normal }
      guard id < types.count, let type = TokenType(rawValue: types[id]) else {
        throw VocabularyError(reason: "the token with id \(id) has no type that byte-level BPE knows")
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
            reason: "the token with id \(id) has characters outside the byte-level alphabet, and is a normal one")
        }
      case .unused: continue
      case .userDefined: added.append(AddedTokens.Token(id: Int32(id), isSpecial: false, isNormalized: false))
      case .unknown, .control: added.append(AddedTokens.Token(id: Int32(id), isSpecial: true, isNormalized: false))
      }
    }
    try finishTokens()
    var next = added.makeIterator()
    var wanted = next.next()
    for (id, content) in tokens.enumerated() where wanted.map({ Int($0.id) == id }) ?? false {
      try defineAdded(id, content: Array(content))
      wanted = next.next()
    }
    return added
  }

  /// Adds the next merge, two tokens with a space between them.
  mutating func addMerge(_ text: UnsafeBufferPointer<UInt8>) throws(VocabularyError) {
    guard let space = text.firstIndex(of: UInt8(ascii: " ")) else {
      throw VocabularyError(reason: "merge \(mergeCount + 1) is not two tokens with a space between them")
    }
    try addMerge(
      UnsafeBufferPointer(rebasing: text[..<space]), UnsafeBufferPointer(rebasing: text[(space + 1)...]))
  }
}

extension ByteLevelTokenizer.Settings {
  /// The names under which llama.cpp's converter knows the rules that are implemented here.
  static let ggufPreTokenizers = ["gpt-2", "phi-2", "smollm", "starcoder", "refact", "llama-bpe", "qwen2"]

  /// What stands behind one of these names in the tokenizer.json of the models that it was made for; nil for another.
  /// Form C is among it, which llama.cpp leaves out.
  init?(ggufPreTokenizer name: String) {
    self.init()
    switch name {
    case "gpt-2", "phi-2": break
    case "smollm", "starcoder", "refact": digits = .individual
    case "llama-bpe":
      rule = .llama3
      ignoresMerges = true
    case "qwen2":
      rule = .qwen2
      normalizesNFC = true
    default: return nil
    }
  }
}
