/// Encodes text into token ids. An encoder caches parts of texts and is not thread-safe: each thread needs its own
/// encoder.
public final class TextEncoder {
  private let tokenizer: Tokenizer
  private let preTokenization: PreTokenization
  private let hasNormalizers: Bool
  private let addsPrefix: Bool
  private var normalizer: TextNormalizer
  /// The parts of the text that is being encoded in which control tokens are not recognized.
  private var input: InputText?
  /// Maps the offsets in a normalized text to the original one; nil while the original text is searched. Set only if
  /// `input` is set.
  private var originalOffsets: NormalizedText.Offsets?

  init(_ tokenizer: Tokenizer, _ settings: Tokenizer.Settings) {
    self.tokenizer = tokenizer
    addsPrefix = settings.addsPrefix
    hasNormalizers = !settings.normalizers.isEmpty
    normalizer = TextNormalizer(settings.normalizers)
    preTokenization = PreTokenization(settings.preTokenizer, tokenizer.makeModelEncoder())
  }

  /// Appends the tokens of a text to `tokens`.
  ///
  /// - Parameters:
  ///   - recognizeSpecial: If true, special tokens that are spelled out in the text are encoded as themselves: the
  ///     leftmost first, and the longest of the tokens that begin at the same position. If false, they are ordinary
  ///     text.
  ///   - addPrefixSpace: If true, a text that is not empty and does not begin with a space is encoded as if it did. A
  ///     tokenizer that puts a character before each text adds no second one.
  ///     Token ends are still offsets in `text`; a token that is only this space ends at 0.
  /// - Throws: `TextEncodingError` if the vocabulary has no token for a byte. In that case nothing is appended.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, recognizeSpecial: Bool = false, addPrefixSpace: Bool = false,
    into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    var output = Output(tokens: tokens)
    let oldCount = tokens.count
    do {
      if addPrefixSpace, !addsPrefix, let first = text.first, first != UInt8(ascii: " ") {
        output.shift -= 1
        try withPrefixSpace(text, 0..<text.count, output.shift) { (text) throws(TextEncodingError) in
          try encodeText(text, recognizeSpecial, &output)
        }
        tokens.changeEnds(from: oldCount) { max($0, 0) }  // a token of what a normalizer puts before the space
      } else {
        try encodeText(text, recognizeSpecial, &output)
      }
    } catch {
      tokens.truncate(to: oldCount)
      throw error.offset ?? 0 < 0 ? TextEncodingError(error.reason, offset: nil) : error
    }
  }

  /// Appends the tokens of a text in which special tokens are recognized, except in the parts that come from a user.
  ///
  /// - Throws: `TextEncodingError`, also if the tokenizer makes a special token of ordinary text. In that case nothing
  ///   is appended.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, input: InputText, into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    self.input = input
    defer { self.input = nil }
    try encode(text, recognizeSpecial: true, into: tokens)
  }

  private struct Output {
    let tokens: TokenBuffer
    /// Added to an offset in the current buffer to get the offset in the caller's text.
    var shift = 0
    /// True if the current buffer begins at the start of the original text.
    var isFirst = true
  }

  /// Encodes a text in four steps: find the added tokens that match unnormalized text, normalize the text between them,
  /// find the other added tokens in it, and encode the rest as ordinary text.
  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ recognizeSpecial: Bool, _ output: inout Output
  ) throws(TextEncodingError) {
    let searches = tokenizer.addedTokens.searches(recognizeSpecial: recognizeSpecial)
    try splitAtAddedTokens(text, 0..<text.count, searches.verbatim, recognizeSpecial, &output) {
      (range, output) throws(TextEncodingError) in
      try normalize(text, range, &output) { (text, range, output) throws(TextEncodingError) in
        try splitAtAddedTokens(text, range, searches.normalized, recognizeSpecial, &output) {
          (range, output) throws(TextEncodingError) in
          let isFirst = output.isFirst && range.lowerBound == 0
          let oldCount = output.tokens.count
          try preTokenization.encode(text, range, output.shift, isFirst: isFirst, into: output.tokens)
          if input != nil { try checkTokens(of: output.tokens, from: oldCount) }
        }
      }
    }
  }

  /// Encodes the added tokens that `search` finds, and calls `encode` for each range between them.
  private func splitAtAddedTokens(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ search: TokenSearch?, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(TextEncodingError) -> Void
  ) throws(TextEncodingError) {
    guard let search else { return try encode(range, &output) }
    try splitAtAddedTokens(text, range, foundBy: search, recognizeSpecial, &output, encode)
  }

  @inline(never)  // keeps this code out of the path of texts without added tokens
  private func splitAtAddedTokens(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, foundBy search: TokenSearch, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(TextEncodingError) -> Void
  ) throws(TextEncodingError) {
    var ordinary = range.lowerBound  // the start of the text that has not been encoded yet
    var position = ordinary
    var endOfWhiteSpace = ordinary  // where the white space ends that was last read for `rstrip`
    var matches = search.matches(in: text, range)
    while let found = matches.next(from: position) {
      position = found.range.upperBound
      guard recognizeSpecial || !found.token.isSpecial else { continue }
      if input != nil, isRefused(found.range, found.token.id, shift: output.shift) {
        position = found.range.lowerBound + 1  // a token of the template may begin within the match
        continue
      }
      if found.token.isSingleWord, Self.isPartOfWord(found.range, in: text, range) { continue }
      var (start, end) = (found.range.lowerBound, position)
      if found.token.stripsLeft, start > ordinary { start = startOfTrailingWhiteSpace(in: text, ordinary..<start) }
      if found.token.stripsRight {
        if end > endOfWhiteSpace { endOfWhiteSpace = endOfLeadingWhiteSpace(in: text, end..<range.upperBound) }
        end = endOfWhiteSpace
      }
      if found.token.stripsLeft, end <= ordinary { continue }  // nothing is left of the match
      // A token within white space that belongs to the token before it is encoded nevertheless, as in `tokenizers`
      if ordinary < start { try encode(ordinary..<start, &output) }
      output.tokens.append(found.token.id, end: end + output.shift)
      ordinary = end
    }
    try encode(ordinary..<range.upperBound, &output)
  }

  /// Throws an error if one of the tokens that the model has made, from index `first` on, is a special token.
  @inline(never)
  private func checkTokens(of tokens: TokenBuffer, from first: Int) throws(TextEncodingError) {
    guard let id = input?.firstSpecial(tokens.ids[first...]) else { return }
    let content = tokenizer.addedTokens.content(of: id, in: tokenizer.tokens)
    throw TextEncodingError(.specialToken(String(decoding: content, as: UTF8.self)), offset: nil)
  }

  /// Returns true if `input` does not allow a match, which is a range in the original text or in the normalized one.
  private func isRefused(_ match: Range<Int>, _ token: Int32, shift: Int) -> Bool {
    var (first, last) = (match.lowerBound + shift, match.upperBound - 1 + shift)
    if var offsets = originalOffsets {
      first = offsets.offset(of: match.lowerBound)
      originalOffsets = offsets  // the next match begins later, but perhaps before the end of this one
      last = offsets.offset(of: match.upperBound - 1)
    }
    return input?.refuses(token, from: first, to: last) ?? false
  }

  /// Returns true if the text continues a word before or after a match.
  private static func isPartOfWord(
    _ match: Range<Int>, in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Bool {
    if match.upperBound < range.upperBound {
      let next = decodeScalar(in: text, at: match.upperBound, limit: range.upperBound).value
      if let next, UnicodeNormalization.isPartOfWord(next) { return true }
    }
    guard match.lowerBound > range.lowerBound else { return false }
    var start = match.lowerBound - 1
    while start > range.lowerBound, match.lowerBound - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    let (previous, length) = decodeScalar(in: text, at: start, limit: match.lowerBound)
    guard let previous, start + length == match.lowerBound else { return false }
    return UnicodeNormalization.isPartOfWord(previous)
  }

  /// Calls `encode` with the text, or with its normalized form if the normalizers change it.
  private func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output,
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(TextEncodingError) -> Void
  ) throws(TextEncodingError) {
    guard hasNormalizers else { return try encode(text, range, &output) }
    try encodeNormalized(text, range, &output, encode)
  }

  @inline(never)  // keeps this code out of the path of tokenizers without normalizer
  private func encodeNormalized(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output,
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(TextEncodingError) -> Void
  ) throws(TextEncodingError) {
    let (tokens, start) = (output.tokens, range.lowerBound + output.shift)
    var isFirst = output.isFirst && range.lowerBound == 0
    var changed: NormalizedText?
    do {
      changed = try normalizer.normalize(text, range, recordsChanges: tokens.recordsEnds || input != nil)
    } catch { throw TextEncodingError(error.reason, offset: error.offset.map { $0 + start }) }
    guard let normalized = changed else { return try encode(text, range, &output) }
    isFirst = isFirst && !normalized.removesStart  // as in `tokenizers`
    if input != nil { originalOffsets = NormalizedText.Offsets(normalized, start: start) }
    defer { originalOffsets = nil }
    try normalized.encode(
      tokens, start: start,
      recorded: (try? normalizer.normalize(text, range, recordsChanges: true)) ?? normalized
    ) { [isFirst] (bytes) throws(TextEncodingError) in
      var output = Output(tokens: tokens, isFirst: isFirst)
      try encode(bytes, 0..<bytes.count, &output)
    }
  }
}
