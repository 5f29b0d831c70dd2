/// The positions at which a text can be split without a change of its tokens, because no token of the vocabulary
/// contains the bytes on both sides.
///
/// SentencePiece marks the start of a word by U+2581 (`▁`). Trained vocabularies have no tokens that contain the end of
/// a word and the start of the next, so the words of a text can be encoded separately, and cached.
///
/// Unsafe pointers: `pairs` has `pairWords` elements, one bit for each two bytes; `beforeMark` has 256 elements.
final class SafeSplitting: @unchecked Sendable {  // immutable after init
  /// The bytes of U+2581 in UTF-8.
  static let mark: [UInt8] = [0xE2, 0x96, 0x81]

  /// The pairs of bytes that are adjacent within a token.
  private let pairs = UnsafeMutablePointer<UInt64>.allocate(capacity: pairWords)
  static let pairWords = 1 << 10
  /// True for a byte that precedes a `▁` within a token, if it is not the end of another `▁`.
  private let beforeMark = UnsafeMutablePointer<Bool>.allocate(capacity: 256)

  /// Returns nil if `▁` is not a token: a text is then not split, because adjacent unknown characters may be one token.
  ///
  /// - Parameter isMade: Returns false for an id that text is never encoded to.
  init?(_ pieces: PieceTable, isMade: (Int) -> Bool = { _ in true }) {
    pairs.initialize(repeating: 0, count: 1 << 10)
    beforeMark.initialize(repeating: false, count: 256)
    guard pieces.id(of: Self.mark) >= 0 else { return nil }
    for id in 0..<pieces.count where isMade(id) {
      guard let piece = pieces.bytes(of: id) else { continue }
      var last = piece[0]
      var wasMark = Self.isMark(piece, at: 0)
      for index in piece.indices.dropFirst() {
        let pair = Int(last) << 8 | Int(piece[index])
        pairs[pair >> 6] |= 1 << UInt64(pair & 63)
        if piece[index] & 0xC0 != 0x80 {  // the start of a character
          let isMark = Self.isMark(piece, at: index)
          if isMark && !wasMark { beforeMark[Int(last)] = true }
          wasMark = isMark
        }
        last = piece[index]
      }
    }
  }

  /// Creates the splitting from its tables.
  ///
  /// - Precondition: `pairs` has `pairWords` elements, and `beforeMark` has 256.
  init(pairs: UnsafeBufferPointer<UInt64>, beforeMark: UnsafeBufferPointer<UInt8>) {
    precondition(pairs.count == Self.pairWords && beforeMark.count == 256)
    for (index, word) in pairs.enumerated() { (self.pairs + index).initialize(to: word) }
    for (index, flag) in beforeMark.enumerated() { (self.beforeMark + index).initialize(to: flag != 0) }
  }

  /// The tables, for an image.
  var tables: (pairs: UnsafeBufferPointer<UInt64>, beforeMark: [UInt8]) {
    (UnsafeBufferPointer(start: pairs, count: Self.pairWords), (0..<256).map { beforeMark[$0] ? 1 : 0 })
  }

  deinit {
    pairs.deallocate()
    beforeMark.deallocate()
  }

  @inline(__always)
  private static func isMark(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
    index &+ 2 < text.count && text[index] == 0xE2 && text[index &+ 1] == 0x96 && text[index &+ 2] == 0x81
  }

  /// Returns the end of the word that begins at `start`, which is below the count of the text: the next `▁` at which
  /// the text can be split, or the end of the text.
  @inline(__always)
  func wordEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start
    while Self.isMark(text, at: index) { index &+= 3 }
    while index < text.count {
      if text[index] == 0xE2, index > start, Self.isMark(text, at: index) {
        if !beforeMark[Int(text[index &- 1])] { return index }
        while Self.isMark(text, at: index) { index &+= 3 }
      } else {
        index &+= 1
      }
    }
    return index
  }

  /// Returns the end of the segment of `text[..<limit]` that begins at `start`, which is below `limit`: the next
  /// position between two bytes that are adjacent in no token.
  func segmentEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
    var end = start &+ 1
    while end < limit {
      // A character that is not a piece may have byte pairs that no token has
      let pair = Int(text[end &- 1]) << 8 | Int(text[end])
      guard text[end] & 0xC0 == 0x80 || pairs[pair &>> 6] &>> UInt64(pair & 63) & 1 != 0 else { return end }
      end &+= 1
    }
    return end
  }
}
