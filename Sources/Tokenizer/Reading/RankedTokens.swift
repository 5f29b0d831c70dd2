import JSON

/// A list of tokens as in the library `tiktoken`: on each line a token in base64, a space and its rank, which is its
/// id. There are no merges: two adjacent tokens are joined if together they are a token, the one with the lowest rank
/// first.
struct RankedTokens {
  private(set) var tokens: [(id: Int, bytes: [UInt8])] = []

  /// Reads a list; nil if `text` is no such list.
  init?(_ text: UnsafeBufferPointer<UInt8>) {
    guard text.count < 1 << 30 else { return nil }
    for line in text.split(separator: UInt8(ascii: "\n")) where !line.isEmpty {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count == 2, let token = bytes(ofBase64: Array(fields[0])), !token.isEmpty,
        let id = Int(String(decoding: fields[1].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)),
        (0..<Vocabulary.limit).contains(id)
      else { return nil }
      tokens.append((id, token))
    }
    if tokens.isEmpty { return nil }
  }
}

extension Tokenizer {
  /// Opens such a list with Llama 3's pre-tokenizer (transformers 5.24, `TikTokenConverter`).
  convenience init(
    _ list: RankedTokens, _ tokenizerClass: TokenizerClass, _ files: TokenizerFiles, for purpose: Purpose
  ) throws(VocabularyError) {
    var builder = VocabularyBuilder(tokens: list.tokens.count, bytes: 8 * list.tokens.count, purpose)
    for (id, token) in list.tokens {
      var spelling: [UInt8] = []
      for byte in token { ByteLevelAlphabet.append(byte, to: &spelling) }
      _ = try spelling.withUnsafeBufferPointer { (spelling) throws(VocabularyError) in
        try builder.define(id, spelling: spelling)
      }
    }
    let count = builder.tokenCount
    try builder.finishTokens()
    if purpose == .encoding { builder.addAllMerges() }
    var definitions = files.addedTokens(of: tokenizerClass)
    if let last = files.tokensByID.compactMap(\.id).max(), last >= count {
      // The ids between the tokens that the files name have a token as well
      let named = Set(files.tokensByID.compactMap(\.id))
      for id in count..<last where !named.contains(id) {
        var reserved = AddedTokenDefinition(special: "<|reserved_token_\(id)|>")
        reserved.id = id
        definitions.append(reserved)
      }
    }
    let (added, warnings) = try builder.define(definitions)
    let vocabulary = builder.build()
    var settings = Settings()
    settings.preTokenizer = [.known(.llama3)]
    settings.warnings = warnings
    try self.init(
      .byteLevel(vocabulary, ignoresMerges: true), vocabulary, added,
      files.applied(to: settings, tokenizerClass, of: vocabulary, added), purpose)
  }
}
