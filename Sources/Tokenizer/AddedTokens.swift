/// The added tokens of a tokenizer, which are found in the text before pre-tokenization: special tokens such as
/// `<|endoftext|>`, if special tokens are recognized, and ordinary words that were added to a vocabulary.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    let id: Int32
    let isSpecial: Bool
    /// The file's `normalized`: if true, the token is searched for in the normalized text, between the matches of the
    /// tokens that are not `normalized`.
    let isNormalized: Bool
    /// The file's `lstrip` and `rstrip`: a match includes the white space before or after it.
    var stripsLeft = false
    var stripsRight = false
    /// The file's `single_word`: a match that continues a word is ignored.
    var isSingleWord = false
    /// The text to search for, if it differs from the bytes that the token has in the vocabulary.
    var content: [UInt8]?
  }

  static let endOfText = Array("<|endoftext|>".utf8)

  /// In the order of the files.
  let definitions: [Token]
  /// Sorted by id.
  private let tokens: [Token]
  /// The searches for the tokens that are not `isNormalized` and for the tokens that are. Nil if there are no such
  /// tokens.
  private let verbatim: TokenSearch?
  private let normalized: TokenSearch?

  /// - Parameter purpose: for `.decoding` no search tables are built.
  init(
    _ tokens: [Token], of vocabulary: some TokenTable, _ normalizers: [Normalizer], for purpose: Tokenizer.Purpose
  ) throws(VocabularyError) {
    definitions = tokens
    self.tokens = tokens.sorted { $0.id < $1.id }
    let searched = purpose == .encoding ? tokens : []
    verbatim = try TokenSearch(searched.filter { !$0.isNormalized }, of: vocabulary, [])
    normalized = try TokenSearch(searched.filter(\.isNormalized), of: vocabulary, normalizers)
  }

  /// Returns the searches to run on a text. A search that has only special tokens is omitted unless `recognizeSpecial`.
  func searches(recognizeSpecial: Bool) -> (verbatim: TokenSearch?, normalized: TokenSearch?) {
    func ifNeeded(_ search: TokenSearch?) -> TokenSearch? {
      search.flatMap { recognizeSpecial || !$0.isSpecialOnly ? $0 : nil }
    }
    return (ifNeeded(verbatim), ifNeeded(normalized))
  }

  /// Returns true if `id` is the id of a special token. Complexity: O(log n) in the number of added tokens.
  func isSpecial(_ id: Int) -> Bool {
    let index = firstIndex(below: tokens.count) { tokens[$0].id >= id }
    return index < tokens.count && tokens[index].id == id && tokens[index].isSpecial
  }

  /// Returns the ids of the added tokens for which `isIncluded` returns true; it receives the token and its text.
  func ids(in vocabulary: some TokenTable, where isIncluded: (Token, [UInt8]) -> Bool) -> Set<Int32> {
    Set(tokens.filter { isIncluded($0, content(of: $0, in: vocabulary)) }.map(\.id))
  }

  /// Returns the text of a token, added or not; an empty one if no token has this id.
  func content(of id: Int32, in vocabulary: some TokenTable) -> [UInt8] {
    tokens.first { $0.id == id }.map { content(of: $0, in: vocabulary) }
      ?? vocabulary.bytes(of: Int(id)).map(Array.init) ?? []
  }

  private func content(of token: Token, in vocabulary: some TokenTable) -> [UInt8] {
    token.content ?? vocabulary.bytes(of: Int(token.id)).map(Array.init) ?? []
  }

  /// Returns the id of the added token with these bytes, or nil if no added token has these bytes.
  func id(of content: [UInt8], in vocabulary: some TokenTable) -> Int? {
    tokens.first {
      $0.content.map { $0 == content } ?? vocabulary.bytes(of: Int($0.id))?.elementsEqual(content) ?? false
    }.map { Int($0.id) }
  }
}
