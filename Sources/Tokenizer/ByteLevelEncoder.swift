/// Encodes text into token ids. An encoder caches pre-tokens and is not thread-safe: each thread needs its own encoder.
public final class ByteLevelEncoder {
  private let tokenizer: ByteLevelTokenizer
  private let vocabulary: Vocabulary
  private let settings: ByteLevelTokenizer.Settings
  private var merger: BPEMerger
  private let cache = PreTokenCache()
  private var normalizer: TextNormalizer
  private lazy var bytePairs = MergeableBytePairs(vocabulary)
  /// The longest pre-token, in bytes, that is merged without being split at `bytePairs`, to save the time of building
  /// that table for a short text.
  private static let maxUnsplitLength = 12

  /// A pre-token of the text; it begins at the end of the previous one. Pre-tokens are found in batches, and the cache
  /// line of each is prefetched before the first of the batch is looked up.
  private struct PreToken: BitwiseCopyable {
    let end: Int
    let key: PreTokenCache.Key
  }

  private static let preTokensPerBatch = 32
  private let batch = UnsafeMutablePointer<PreToken>.allocate(capacity: preTokensPerBatch)

  init(_ tokenizer: ByteLevelTokenizer) {
    self.tokenizer = tokenizer
    vocabulary = tokenizer.vocabulary
    settings = tokenizer.settings
    normalizer = TextNormalizer(tokenizer.settings.normalizers)
    merger = BPEMerger(tokenizer.vocabulary)
  }

  deinit { batch.deallocate() }

  /// Appends the tokens of a text to `tokens`.
  ///
  /// - Parameters:
  ///   - recognizeSpecial: If true, special tokens that are spelled out in the text are encoded as themselves: the
  ///     leftmost first, and the longest of the tokens that begin at the same position. If false, they are ordinary
  ///     text.
  ///   - addPrefixSpace: If true, a text that is not empty and does not begin with a space is encoded as if it did.
  ///     Token ends are still offsets in `text`; a token that is only this space ends at 0.
  /// - Throws: `UnencodableByteError` if the vocabulary has no token for a byte. In that case nothing is appended.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, recognizeSpecial: Bool = false, addPrefixSpace: Bool = false,
    into tokens: TokenBuffer
  ) throws(UnencodableByteError) {
    var output = Output(tokens: tokens)
    let oldCount = tokens.count
    do {
      if addPrefixSpace, let first = text.first, first != space {
        output.shift -= 1
        try withPrefixSpace(text, 0..<text.count, output.shift) { (text) throws(UnencodableByteError) in
          try encodeText(text, recognizeSpecial, &output)
        }
      } else {
        try encodeText(text, recognizeSpecial, &output)
      }
    } catch {
      tokens.truncate(to: oldCount)
      throw error
    }
  }

  private struct Output {
    let tokens: TokenBuffer
    /// Added to an offset in the current buffer to get the offset in the caller's text.
    var shift = 0
  }

  /// Longer pre-tokens are split, because the merger uses 32-bit indices.
  private let maxPreTokenLength = 1 << 31 - 1
  private let space = UInt8(ascii: " ")

  /// Encodes a text in four steps: find the added tokens that match unnormalized text, normalize the text between them,
  /// find the other added tokens in it, and encode the rest as ordinary text.
  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ recognizeSpecial: Bool, _ output: inout Output
  ) throws(UnencodableByteError) {
    let searches = tokenizer.addedTokens.searches(recognizeSpecial: recognizeSpecial)
    try splitAtAddedTokens(text, 0..<text.count, searches.verbatim, recognizeSpecial, &output) {
      (range, output) throws(UnencodableByteError) in
      try normalize(text, range, &output) { (text, range, output) throws(UnencodableByteError) in
        try splitAtAddedTokens(text, range, searches.normalized, recognizeSpecial, &output) {
          (range, output) throws(UnencodableByteError) in try encodeOrdinary(text, range, &output)
        }
      }
    }
  }

  /// Encodes the added tokens that `search` finds, and calls `encode` for each range between them.
  private func splitAtAddedTokens(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ search: TokenSearch?, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    guard let search else { return try encode(range, &output) }
    try splitAtAddedTokens(text, range, foundBy: search, recognizeSpecial, &output, encode)
  }

  @inline(never)  // keeps this code out of the path of texts without added tokens
  private func splitAtAddedTokens(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, foundBy search: TokenSearch, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    var ordinary = range.lowerBound  // the start of the text that has not been encoded yet
    var position = ordinary
    var endOfWhiteSpace = ordinary  // where the white space ends that was last read for `rstrip`
    var matches = search.matches(in: text, range)
    while let found = matches.next(from: position) {
      position = found.range.upperBound
      guard recognizeSpecial || !found.token.isSpecial else { continue }
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
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    guard !settings.normalizers.isEmpty else { return try encode(text, range, &output) }
    try encodeNormalized(text, range, &output, encode)
  }

  @inline(never)  // keeps this code out of the path of tokenizers without normalizer
  private func encodeNormalized(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output,
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    let (tokens, start) = (output.tokens, range.lowerBound + output.shift)
    guard let normalized = normalizer.normalize(text, range, recordsChanges: tokens.recordsEnds) else {
      return try encode(text, range, &output)
    }
    let first = tokens.count
    let result: Result<Void, UnencodableByteError> = normalized.bytes.withUnsafeBufferPointer { bytes in
      var output = Output(tokens: tokens)
      do throws(UnencodableByteError) {
        return .success(try encode(bytes, 0..<bytes.count, &output))
      } catch {
        return .failure(error)
      }
    }
    do {
      try result.get()
    } catch {
      // Repeated with changes, to map the offset of the byte to the caller's text
      let normalized = normalizer.normalize(text, range, recordsChanges: true) ?? normalized
      var offsets = NormalizedText.Offsets(normalized, start: start)
      throw UnencodableByteError(byte: error.byte, offset: error.offset.map { offsets.offset(of: $0) })
    }
    guard tokens.recordsEnds else { return }
    var offsets = NormalizedText.Offsets(normalized, start: start)
    tokens.changeEnds(from: first) { offsets.offset(of: $0) }
  }

  /// Runs the pre-tokenizers in the order in which tokenizer.json lists them: `Digits`, then `ByteLevel` or `Split`.
  private func encodeOrdinary(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = settings.digitSplitting.segmentEnd(in: text, from: start, to: range.upperBound)
      if settings.addsPrefixSpace && text[start] != space {
        output.shift += start - 1
        try withPrefixSpace(text, start..<end, output.shift) { (part) throws(UnencodableByteError) in
          try encodeSegment(part, 0..<part.count, &output)
        }
        output.shift -= start - 1
      } else {
        try encodeSegment(text, start..<end, &output)
      }
      start = end
    }
  }

  /// Encodes a segment that `Digits` has split off. Each pattern has its own call, so that the compiler specializes the
  /// loop for it.
  private func encodeSegment(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    switch settings.preTokenizer {
    case .gpt2: try encodePreTokens(of: text, range, by: .gpt2, &output)
    case .llama3: try encodePreTokens(of: text, range, by: .llama3, &output)
    case .qwen2: try encodePreTokens(of: text, range, by: .qwen2, &output)
    }
  }

  @inline(__always)
  private func encodePreTokens(
    of text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, by preTokenizer: PreTokenizer, _ output: inout Output
  ) throws(UnencodableByteError) {
    guard let base = text.baseAddress else { return }
    let (shift, batch, cache) = (output.shift, batch, cache)
    // A token has at least one byte
    try output.tokens.fill(upTo: range.count + PreTokenCache.padding) { (tokens) throws(UnencodableByteError) in
      var start = range.lowerBound
      var end = start
      while start < range.upperBound {
        var count = 0
        while count < Self.preTokensPerBatch, end < range.upperBound {
          let begin = end
          end = min(preTokenizer.preTokenEnd(in: text, from: begin, to: range.upperBound), begin + maxPreTokenLength)
          let key = PreTokenCache.Key(base + begin, count: end - begin, paddedCount: text.count - begin)
          cache.prefetch(key)
          batch[count] = PreToken(end: end, key: key)
          count += 1
        }
        for index in 0..<count {
          if !cache.append(batch[index].key, start: start &+ shift, to: &tokens) {
            try encodePreToken(text, start, batch[index], shift, &tokens)
          }
          start = batch[index].end
        }
      }
    }
  }

  /// Encodes a pre-token that is not in the cache.
  @inline(never)
  private func encodePreToken(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ preToken: PreToken, _ shift: Int,
    _ output: inout TokenBuffer.Cursor
  ) throws(UnencodableByteError) {
    guard let base = text.baseAddress else { return }
    let first = output.ids
    if settings.ignoresMerges {
      let id = vocabulary.id(of: base + start, count: preToken.end - start, paddedCount: text.count - start)
      if id >= 0 {
        output.append(id, end: preToken.end + shift)
      } else {
        try merge(base, start..<preToken.end, shift, &output)
      }
    } else if preToken.end - start <= Self.maxUnsplitLength {
      try merge(base, start..<preToken.end, shift, &output)
    } else {
      var segmentStart = start
      while segmentStart < preToken.end {
        let segmentEnd = bytePairs.segmentEnd(in: base, from: segmentStart, to: preToken.end)
        let key = PreTokenCache.Key(
          base + segmentStart, count: segmentEnd - segmentStart, paddedCount: text.count - segmentStart)
        if !cache.append(key, start: segmentStart + shift, to: &output) {
          let first = output.ids
          try merge(base, segmentStart..<segmentEnd, shift, &output)
          cache.insert(key, UnsafeBufferPointer(start: first, count: output.ids - first), vocabulary)
        }
        segmentStart = segmentEnd
      }
    }
    cache.insert(preToken.key, UnsafeBufferPointer(start: first, count: output.ids - first), vocabulary)
  }

  /// Merges a pre-token or a segment of one, and appends the tokens.
  @inline(__always)
  private func merge(
    _ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ shift: Int, _ output: inout TokenBuffer.Cursor
  ) throws(UnencodableByteError) {
    let start = range.lowerBound
    var unencodable: Int?
    merger.merge(text + start, range.count) { id, from, to in
      if id < 0 { unencodable = unencodable ?? start + from }
      output.append(id, end: start + to + shift)
    }
    if let unencodable { throw UnencodableByteError(byte: text[unencodable], offset: unencodable + shift) }
  }

  /// Calls `body` with a copy of a part of the text that has a space before it.
  ///
  /// - Parameter offset: The offset of this space in the caller's text, to recognize it in errors.
  private func withPrefixSpace(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ offset: Int,
    _ body: (UnsafeBufferPointer<UInt8>) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    var copy: [UInt8] = [space]
    copy.reserveCapacity(range.count + 1)
    copy.append(contentsOf: UnsafeBufferPointer(rebasing: text[range]))
    let result: Result<Void, UnencodableByteError> = copy.withUnsafeBufferPointer { copy in
      do throws(UnencodableByteError) { return .success(try body(copy)) } catch { return .failure(error) }
    }
    do { try result.get() } catch {
      throw error.offset == offset && error.byte == space ? UnencodableByteError(byte: space, offset: nil) : error
    }
  }
}
