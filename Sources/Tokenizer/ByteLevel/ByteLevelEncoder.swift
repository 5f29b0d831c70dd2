/// Encodes pre-tokens with a byte-level BPE vocabulary. An encoder caches pre-tokens and is not thread-safe: each
/// thread needs its own encoder.
final class ByteLevelEncoder {
  private let vocabulary: Vocabulary
  /// `ignore_merges`: a pre-token that is in the vocabulary becomes this token, even if the merges do not produce it.
  private let ignoresMerges: Bool
  private var merger: BPEMerger
  private let cache = PreTokenCache()
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

  init(_ vocabulary: Vocabulary, ignoresMerges: Bool) {
    self.vocabulary = vocabulary
    self.ignoresMerges = ignoresMerges
    merger = BPEMerger(vocabulary)
  }

  deinit { batch.deallocate() }

  /// Longer pre-tokens are split, because the merger uses 32-bit indices.
  private let maxPreTokenLength = 1 << 31 - 1

  /// Appends the tokens of `text[range]`, split by a known pattern. Each pattern has its own function, so that the
  /// compiler specializes the loop for it.
  ///
  /// - Parameters:
  ///   - shift: Added to the ends of the tokens and to the offset of an error.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, by pattern: KnownPattern, _ shift: Int,
    into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    switch pattern {
    case .gpt2: try encodeGPT2(text, range, shift, tokens)
    case .llama3: try encodeLlama3(text, range, shift, tokens)
    case .qwen2: try encodeQwen2(text, range, shift, tokens)
    }
  }

  @inline(never)
  private func encodeGPT2(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, _ tokens: TokenBuffer
  ) throws(TextEncodingError) {
    let limit = range.upperBound
    try encode(text, range, shift, into: tokens) { KnownPattern.gpt2.preTokenEnd(in: text, from: $0, to: limit) }
  }

  @inline(never)
  private func encodeLlama3(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, _ tokens: TokenBuffer
  ) throws(TextEncodingError) {
    let limit = range.upperBound
    try encode(text, range, shift, into: tokens) { KnownPattern.llama3.preTokenEnd(in: text, from: $0, to: limit) }
  }

  @inline(never)
  private func encodeQwen2(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, _ tokens: TokenBuffer
  ) throws(TextEncodingError) {
    let limit = range.upperBound
    try encode(text, range, shift, into: tokens) { KnownPattern.qwen2.preTokenEnd(in: text, from: $0, to: limit) }
  }

  /// Appends the tokens of a pre-token.
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    try encode(text, range, shift, into: tokens) { _ in range.upperBound }
  }

  /// Appends the tokens of `text[range]`.
  ///
  /// - Parameter preTokenEnd: Returns the end of the pre-token that begins at an offset.
  @inline(__always)
  func encode(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ shift: Int, into tokens: TokenBuffer,
    preTokenEnd: (_ start: Int) throws(TextEncodingError) -> Int
  ) throws(TextEncodingError) {
    guard let base = text.baseAddress else { return }
    let (batch, cache) = (batch, cache)
    // A token has at least one byte
    try tokens.fill(upTo: range.count + PreTokenCache.padding) { (tokens) throws(TextEncodingError) in
      var start = range.lowerBound
      var end = start
      while start < range.upperBound {
        var count = 0
        while count < Self.preTokensPerBatch, end < range.upperBound {
          let begin = end
          end = min(try preTokenEnd(begin), begin + maxPreTokenLength)
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
  ) throws(TextEncodingError) {
    guard let base = text.baseAddress else { return }
    let first = output.ids
    if ignoresMerges {
      let id = vocabulary.id(of: base + start, count: preToken.end - start, paddedCount: text.count - start)
      if id >= 0 {
        output.append(id, end: preToken.end + shift)
      } else {
        try merge(base, start..<preToken.end, shift, &output)
      }
    } else if preToken.end - start <= Self.maxUnsplitLength {
      try merge(base, start..<preToken.end, shift, &output)
    } else {
      let bytePairs = bytePairs  // a local copy saves a retain and a release for each segment
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
  ) throws(TextEncodingError) {
    let start = range.lowerBound
    var unencodable: Int?
    merger.merge(text + start, range.count) { id, from, to in
      if id < 0 { unencodable = unencodable ?? start + from }
      output.append(id, end: start + to + shift)
    }
    if let unencodable { throw TextEncodingError(byte: text[unencodable], offset: unencodable + shift) }
  }
}
