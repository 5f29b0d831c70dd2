/// The tokens that are found in the text before it is split: special ones, such as `<|endoftext|>`, where they are to be
/// recognized, and ordinary words that were added to a vocabulary.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    let id: Int32
    let isSpecial: Bool
    /// `normalized`: searched for in normalized text, in what the others leave.
    let isNormalized: Bool
  }

  static let endOfText = Array("<|endoftext|>".utf8)

  /// In the order of their ids.
  private let tokens: [Token]
  /// For the tokens that are searched for in the text as it is, and for those in normalized text; each nil where there are
  /// none.
  private let verbatim: TokenSearch?
  private let normalized: TokenSearch?

  /// - Parameter purpose: where no text will be encoded, nothing is searched for.
  init(
    _ tokens: [Token], of vocabulary: Vocabulary, normalizesNFC: Bool, for purpose: ByteLevelTokenizer.Purpose
  ) throws(VocabularyError) {
    self.tokens = tokens.sorted { $0.id < $1.id }
    let searched = purpose == .encoding ? tokens : []
    verbatim = try TokenSearch(searched.filter { !$0.isNormalized }, of: vocabulary, normalizesNFC: false)
    normalized = try TokenSearch(searched.filter(\.isNormalized), of: vocabulary, normalizesNFC: normalizesNFC)
  }

  /// The searches in a text where special tokens are recognized, or are not.
  func searches(recognizeSpecial: Bool) -> (verbatim: TokenSearch?, normalized: TokenSearch?) {
    func useful(_ search: TokenSearch?) -> TokenSearch? {
      search.flatMap { recognizeSpecial || !$0.isSpecialOnly ? $0 : nil }
    }
    return (useful(verbatim), useful(normalized))
  }

  func isSpecial(_ id: Int) -> Bool {
    var (low, high) = (0, tokens.count)
    while low < high {
      let middle = (low + high) / 2
      if tokens[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < tokens.count && tokens[low].id == id && tokens[low].isSpecial
  }

  func id(of content: [UInt8], in vocabulary: Vocabulary) -> Int? {
    tokens.first { vocabulary.bytes(of: Int($0.id))?.elementsEqual(content) ?? false }.map { Int($0.id) }
  }
}
