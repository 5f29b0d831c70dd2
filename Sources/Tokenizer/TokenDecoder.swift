/// Decodes the ids of a text one by one.
///
/// A byte-level token is the same bytes at every place. A SentencePiece token such as `▁the` is ` the`, but `the` at
/// the start of a text, because a space was added before the text when it was encoded.
public struct TokenDecoder {
  private let tokenizer: Tokenizer
  /// Nil for byte-level tokens.
  private var characters: (tokens: DecodedTokens, state: TokenTextDecoder.State)?

  init(_ tokenizer: Tokenizer) {
    self.tokenizer = tokenizer
    characters = (tokenizer.tokens as? DecodedTokens).map { ($0, $0.decoder.start) }
  }

  /// Appends the bytes of the next token to `text`. An id without a token, such as padding of the vocabulary, has no
  /// bytes.
  public mutating func append(_ id: Int, to text: inout [UInt8]) {
    guard let tokens = characters?.tokens else {
      if let bytes = tokenizer.bytes(of: id) { text.append(contentsOf: bytes) }
      return
    }
    guard let spelling = tokens.spellings[id], var state = characters?.state else { return }
    tokens.decoder.append(spelling, &state, to: &text)
    characters?.state = state
  }
}

extension Tokenizer {
  /// Returns a decoder at the start of a text.
  public func makeDecoder() -> TokenDecoder { TokenDecoder(self) }

  /// Returns the bytes of a text.
  ///
  /// - Parameter omitsSpecial: If true, special tokens are left out.
  public func decode(_ ids: some Sequence<Int>, omitsSpecial: Bool = false) -> [UInt8] {
    var decoder = makeDecoder()
    var text: [UInt8] = []
    for id in ids where !omitsSpecial || !isSpecial(id) { decoder.append(id, to: &text) }
    return text
  }
}
