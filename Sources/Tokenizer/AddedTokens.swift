/// The tokens that are found in the text before it is split: special ones, such as `<|endoftext|>`, where they are to be
/// recognized, and ordinary words that were added to a vocabulary.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    let content: [UInt8]
    let id: Int
    let isSpecial: Bool
    /// `normalized`: searched for in what the others leave. (It is about normalizers, of which we have none.)
    let isNormalized: Bool
  }

  static let endOfText = Array("<|endoftext|>".utf8)

  let tokens: [Token]
  /// The two searches, one after the other; those without anything to find are left out.
  let searches: [Search]
  /// The searches in a text where special tokens are not recognized.
  let ordinarySearches: [Search]

  init(_ tokens: [Token]) {
    self.tokens = tokens
    searches = [false, true].map { isNormalized in Search(tokens.filter { $0.isNormalized == isNormalized }) }
      .filter { !$0.isEmpty }
    ordinarySearches = searches.filter { !$0.isSpecialOnly }
  }

  func isSpecial(_ id: Int) -> Bool { tokens.contains { $0.id == id && $0.isSpecial } }

  func id(of content: [UInt8]) -> Int? { tokens.first { $0.content == content }?.id }

  /// Finds the leftmost of some tokens, and the longest of those that begin there.
  struct Search: Sendable {
    /// By the first byte; longest first.
    private let candidates: [[Token]]
    fileprivate let isEmpty: Bool
    fileprivate let isSpecialOnly: Bool

    init(_ tokens: [Token]) {
      var candidates = [[Token]](repeating: [], count: 256)
      for token in tokens.sorted(by: { $0.content.count > $1.content.count }) where !token.content.isEmpty {
        candidates[Int(token.content[0])].append(token)
      }
      self.candidates = candidates
      isEmpty = tokens.isEmpty
      isSpecialOnly = tokens.allSatisfy(\.isSpecial)
    }

    func next(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> (start: Int, token: Token)? {
      for index in start..<limit {
        for token in candidates[Int(text[index])] where token.content.count <= limit - index {
          if text[index..<index + token.content.count].elementsEqual(token.content) { return (index, token) }
        }
      }
      return nil
    }
  }
}
