/// Turns bytes into token ids. It remembers the pieces it has seen, so it is for one thread at a time.
public final class ByteLevelEncoder {
  private let tokenizer: ByteLevelTokenizer
  private let vocabulary: Vocabulary
  private let settings: ByteLevelTokenizer.Settings
  private var merger: PieceMerger
  private let cache = PieceCache()

  init(_ tokenizer: ByteLevelTokenizer) {
    self.tokenizer = tokenizer
    vocabulary = tokenizer.vocabulary
    settings = tokenizer.settings
    merger = PieceMerger(tokenizer.vocabulary)
  }

  /// Appends the ids of a text, and the byte offset in it where each token ends.
  ///
  /// - `recognizeSpecial`: special tokens that are spelled out in the text become themselves: leftmost first, the
  ///   longest of those that begin at the same place. Without it they are ordinary text.
  /// - `addPrefixSpace`: a text that is not empty and does not begin with a space is encoded as if it did. The ends are
  ///   those in `text`; a space that is a token by itself ends at 0.
  ///
  /// Where it throws, nothing has been appended.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, recognizeSpecial: Bool = false, addPrefixSpace: Bool = false,
    into ids: inout [Int32], ends: inout [Int]
  ) throws(UnencodableByteError) {
    var output = Output(ids: ids, ends: ends)
    ids = []  // there is one owner at a time, so nothing is copied
    ends = []
    defer { (ids, ends) = (output.ids, output.ends) }
    let (oldCount, oldEndCount) = (output.ids.count, output.ends.count)
    do {
      if addPrefixSpace, let first = text.first, first != space {
        try withPrefixSpace(text, 0..<text.count) { (text) throws(UnencodableByteError) in
          output.shift -= 1
          try encodeText(text, recognizeSpecial, &output)
        }
      } else {
        try encodeText(text, recognizeSpecial, &output)
      }
    } catch {
      output.ids.removeLast(output.ids.count - oldCount)
      output.ends.removeLast(output.ends.count - oldEndCount)
      throw error
    }
  }

  private struct Output {
    var ids: [Int32]
    var ends: [Int]
    /// What to add to an offset in the bytes at hand to have one in the text of the caller.
    var shift = 0

    @inline(__always)
    mutating func append(_ id: Int32, end: Int) {
      ids.append(id)
      ends.append(end + shift)
    }
  }

  /// A piece of more than 2 GiB is cut, however it be spelled: the merger counts in 32 bits.
  private let longestPiece = 1 << 31 - 1
  private let space = UInt8(ascii: " ")

  /// Added tokens are cut out of the text, by one search after the other; what is between them is ordinary.
  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ recognizeSpecial: Bool, _ output: inout Output
  ) throws(UnencodableByteError) {
    try encodeText(text, 0..<text.count, tokenizer.addedTokens.searches[...], recognizeSpecial, &output)
  }

  private func encodeText(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ searches: ArraySlice<AddedTokens.Search>,
    _ recognizeSpecial: Bool, _ output: inout Output
  ) throws(UnencodableByteError) {
    guard let search = searches.first else { return try encodeOrdinary(text, range, &output) }
    var ordinary = range.lowerBound  // where the text begins that has not been encoded
    var position = ordinary
    while let (start, token) = search.next(in: text, from: position, to: range.upperBound) {
      position = start + token.content.count
      guard recognizeSpecial || !token.isSpecial else { continue }
      try encodeText(text, ordinary..<start, searches.dropFirst(), recognizeSpecial, &output)
      output.append(Int32(token.id), end: position)
      ordinary = position
    }
    try encodeText(text, ordinary..<range.upperBound, searches.dropFirst(), recognizeSpecial, &output)
  }

  /// The pre-tokenizers, in the order in which tokenizer.json names them: `Digits`, `ByteLevel`.
  private func encodeOrdinary(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = settings.digits.partEnd(in: text, from: start, to: range.upperBound)
      if settings.addsPrefixSpace && text[start] != space {
        try withPrefixSpace(text, start..<end) { (part) throws(UnencodableByteError) in
          output.shift += start - 1
          try encodePieces(part, 0..<part.count, &output)
          output.shift -= start - 1
        }
      } else {
        try encodePieces(text, start..<end, &output)
      }
      start = end
    }
  }

  private func encodePieces(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ output: inout Output
  ) throws(UnencodableByteError) {
    guard let base = text.baseAddress else { return }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(pieceEnd(in: text, from: start, to: range.upperBound), start + longestPiece)
      try encodePiece(base, start, end, text.count, &output)
      start = end
    }
  }

  /// `text[start..<end]` is the piece, and `text[..<limit]` may be read.
  @inline(__always)
  private func encodePiece(
    _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ limit: Int, _ output: inout Output
  ) throws(UnencodableByteError) {
    let key = PieceCache.Key(text + start, count: end - start, readable: limit - start)
    if let key, cache.tokens(of: key, { id, length, from in output.append(id, end: start + from + length) }) { return }
    let piece = text + start
    let count = end - start
    if settings.ignoresMerges {
      let id = vocabulary.id(of: piece, count: count, readable: limit - start)
      if id >= 0 {
        output.append(id, end: end)
        return
      }
    }
    let first = output.ids.count
    var unencodable: Int?
    merger.merge(piece, count) { id, from, to in
      if id < 0 { unencodable = unencodable ?? start + from }
      output.append(id, end: start + to)
    }
    if let offset = unencodable {
      throw UnencodableByteError(byte: text[offset], offset: offset + output.shift)
    }
    if let key {
      cache.insert(key, ids: output.ids[first...], ends: output.ends[first...], start: start + output.shift)
    }
  }

  /// Lends `body` a space followed by a part of the text.
  private func withPrefixSpace(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    _ body: (UnsafeBufferPointer<UInt8>) throws(UnencodableByteError) -> Void
  ) throws(UnencodableByteError) {
    var copy: [UInt8] = [space]
    copy.reserveCapacity(range.count + 1)
    copy.append(contentsOf: UnsafeBufferPointer(rebasing: text[range]))
    let result: Result<Void, UnencodableByteError> = copy.withUnsafeBufferPointer { copy in
      do throws(UnencodableByteError) { return .success(try body(copy)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
