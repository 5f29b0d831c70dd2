/// Turns bytes into token ids. It remembers the pieces it has seen, so it is for one thread at a time.
public final class ByteLevelEncoder {
  private let tokenizer: ByteLevelTokenizer
  private let vocabulary: Vocabulary
  private let settings: ByteLevelTokenizer.Settings
  private var merger: BPEMerger
  private let cache = PreTokenCache()
  private var form = NFC()
  private lazy var bytePairs = MergeableBytePairs(vocabulary)
  /// In bytes, of pieces that are merged as they are: a short text need not wait for `bytePairs`.
  private static let longestUnsplit = 12

  /// A piece of the text, which begins where the one before ends. Some are cut before the first of them is looked for in
  /// the cache, which is then on its way to the processor.
  private struct Piece: BitwiseCopyable {
    let end: Int
    let key: PreTokenCache.Key
  }

  private static let preTokensPerBatch = 32
  private let pieces = UnsafeMutablePointer<Piece>.allocate(capacity: preTokensPerBatch)

  init(_ tokenizer: ByteLevelTokenizer) {
    self.tokenizer = tokenizer
    vocabulary = tokenizer.vocabulary
    settings = tokenizer.settings
    merger = BPEMerger(tokenizer.vocabulary)
  }

  deinit { pieces.deallocate() }

  /// Appends the tokens of a text.
  ///
  /// - `recognizeSpecial`: special tokens that are spelled out in the text become themselves: leftmost first, the
  ///   longest of those that begin at the same place. Without it they are ordinary text.
  /// - `addPrefixSpace`: a text that is not empty and does not begin with a space is encoded as if it did. The ends are
  ///   those in `text`; a space that is a token by itself ends at 0.
  ///
  /// Where it throws, nothing has been appended.
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
    /// What to add to an offset in the bytes at hand to have one in the text of the caller.
    var shift = 0
  }

  /// A piece of more than 2 GiB is cut, however it be spelled: the merger counts in 32 bits.
  private let longestPreToken = 1 << 31 - 1
  private let space = UInt8(ascii: " ")

  /// Added tokens are cut out of the text, what is between them is brought into its normal form, and other added tokens
  /// are cut out of that. The rest is ordinary.
  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ recognizeSpecial: Bool, _ output: inout Output
  ) throws(UnencodableByteError) {
    let searches = tokenizer.addedTokens.searches(recognizeSpecial: recognizeSpecial)
    try cut(text, 0..<text.count, searches.verbatim, recognizeSpecial, &output) {
      (range, output) throws(UnencodableByteError) in
      try normalize(text, range, &output) { (text, range, output) throws(UnencodableByteError) in
        try cut(text, range, searches.normalized, recognizeSpecial, &output) {
          (range, output) throws(UnencodableByteError) in try encodeOrdinary(text, range, &output)
        }
      }
    }
  }

  /// Encodes the added tokens that a search finds, and lets `encode` work on what is between them.
  private func cut(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ search: TokenSearch?, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    guard let search else { return try encode(range, &output) }
    try cut(text, range, foundBy: search, recognizeSpecial, &output, encode)
  }

  @inline(never)  // so that texts without added tokens do not pay for it
  private func cut(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, foundBy search: TokenSearch, _ recognizeSpecial: Bool,
    _ output: inout Output, _ encode: (Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    var ordinary = range.lowerBound  // where the text begins that has not been encoded
    var position = ordinary
    var matches = search.matches(in: text, range)
    while let found = matches.next(from: position) {
      position = found.range.upperBound
      guard recognizeSpecial || !found.token.isSpecial else { continue }
      try encode(ordinary..<found.range.lowerBound, &output)
      output.tokens.append(found.token.id, end: position + output.shift)
      ordinary = position
    }
    try encode(ordinary..<range.upperBound, &output)
  }

  /// Lets `encode` work on the text, or, where the tokenizer asks for form C and the text is not in it, on another.
  private func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output,
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    guard settings.normalizesNFC else { return try encode(text, range, &output) }
    try compose(text, range, &output, encode)
  }

  @inline(never)  // so that texts that stay as they are do not pay for it
  private func compose(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output,
    _ encode: (UnsafeBufferPointer<UInt8>, Range<Int>, inout Output) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    let (tokens, start) = (output.tokens, range.lowerBound + output.shift)
    guard let composed = form.compose(text, range, recordsChanges: tokens.recordsEnds) else {
      return try encode(text, range, &output)
    }
    let first = tokens.count
    let result: Result<Void, UnencodableByteError> = composed.bytes.withUnsafeBufferPointer { bytes in
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
      let composed = form.compose(text, range, recordsChanges: true) ?? composed
      var offsets = NFC.Offsets(composed, start: start)
      throw UnencodableByteError(byte: error.byte, offset: error.offset.map { offsets.offset(of: $0) })
    }
    guard tokens.recordsEnds else { return }
    var offsets = NFC.Offsets(composed, start: start)
    tokens.changeEnds(from: first) { offsets.offset(of: $0) }
  }

  /// The pre-tokenizers, in the order in which tokenizer.json names them: `Digits`, then `ByteLevel` or `Split`.
  private func encodeOrdinary(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = settings.digits.partEnd(in: text, from: start, to: range.upperBound)
      if settings.addsPrefixSpace && text[start] != space {
        output.shift += start - 1
        try withPrefixSpace(text, start..<end, output.shift) { (part) throws(UnencodableByteError) in
          try encodePart(part, 0..<part.count, &output)
        }
        output.shift -= start - 1
      } else {
        try encodePart(text, start..<end, &output)
      }
      start = end
    }
  }

  /// The same for each rule, so that each is compiled for itself.
  private func encodePart(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    switch settings.rule {
    case .gpt2: try encodePreTokens(of: text, range, by: .gpt2, &output)
    case .llama3: try encodePreTokens(of: text, range, by: .llama3, &output)
    case .qwen2: try encodePreTokens(of: text, range, by: .qwen2, &output)
    }
  }

  @inline(__always)
  private func encodePreTokens(
    of text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, by rule: PreTokenizer, _ output: inout Output
  ) throws(UnencodableByteError) {
    guard let base = text.baseAddress else { return }
    let (shift, pieces, cache) = (output.shift, pieces, cache)
    // A token takes a byte at least
    try output.tokens.fill(upTo: range.count + PreTokenCache.padding) { (tokens) throws(UnencodableByteError) in
      var start = range.lowerBound
      var end = start
      while start < range.upperBound {
        var count = 0
        while count < Self.preTokensPerBatch, end < range.upperBound {
          let begin = end
          end = min(rule.preTokenEnd(in: text, from: begin, to: range.upperBound), begin + longestPreToken)
          let key = PreTokenCache.Key(base + begin, count: end - begin, paddedCount: text.count - begin)
          cache.prefetch(key)
          pieces[count] = Piece(end: end, key: key)
          count += 1
        }
        for index in 0..<count {
          if !cache.append(pieces[index].key, start: start &+ shift, to: &tokens) {
            try encodePreToken(text, start, pieces[index], shift, &tokens)
          }
          start = pieces[index].end
        }
      }
    }
  }

  /// Encodes a piece that is not in the cache.
  @inline(never)
  private func encodePreToken(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ piece: Piece, _ shift: Int,
    _ output: inout TokenBuffer.Cursor
  ) throws(UnencodableByteError) {
    guard let base = text.baseAddress else { return }
    let first = output.ids
    if settings.ignoresMerges {
      let id = vocabulary.id(of: base + start, count: piece.end - start, paddedCount: text.count - start)
      if id >= 0 {
        output.append(id, end: piece.end + shift)
      } else {
        try merge(base, start..<piece.end, shift, &output)
      }
    } else if piece.end - start <= Self.longestUnsplit {
      try merge(base, start..<piece.end, shift, &output)
    } else {
      var partStart = start
      while partStart < piece.end {
        let partEnd = bytePairs.partEnd(in: base, from: partStart, to: piece.end)
        let key = PreTokenCache.Key(base + partStart, count: partEnd - partStart, paddedCount: text.count - partStart)
        if !cache.append(key, start: partStart + shift, to: &output) {
          let first = output.ids
          try merge(base, partStart..<partEnd, shift, &output)
          cache.insert(key, UnsafeBufferPointer(start: first, count: output.ids - first), vocabulary)
        }
        partStart = partEnd
      }
    }
    cache.insert(piece.key, UnsafeBufferPointer(start: first, count: output.ids - first), vocabulary)
  }

  /// Merges a piece or a part of one.
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

  /// Lends `body` a space followed by a part of the text.
  ///
  /// - Parameter offset: the space's, for errors.
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
