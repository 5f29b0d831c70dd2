import CPlatform

/// The tokens of pieces that were encoded lately: words repeat. There is one place for each hash, and the newer piece
/// drives out the older.
final class PreTokenCache {
  static let longestPreToken = 31
  private static let maxTokens = 7

  /// A piece and its tokens, on one cache line. All zero where there is none: the piece of no bytes, which nobody asks
  /// for.
  private struct Slot: BitwiseCopyable {
    /// The piece as a key has it.
    var piece: (UInt64, UInt64, UInt64, UInt64)
    /// Seven times 32 bits: the id in the lower 24, the length in bytes above; and the number of tokens.
    var tokens: (UInt64, UInt64, UInt64, UInt64)
  }

  private let table = DirectMappedTable<Slot>(smallBits: 8, largeBits: 16)

  /// A piece as four words: its bytes, zeros, and in the last byte its length. A piece that is too long has ones
  /// throughout, as no piece in the cache has.
  struct Key: BitwiseCopyable {
    fileprivate let words: (UInt64, UInt64, UInt64, UInt64)
    fileprivate let hash: UInt64

    /// `bytes[..<readable]` may be read.
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, count: Int, paddedCount: Int) {
      let length = UInt64(truncatingIfNeeded: count) << 56
      let raw = UnsafeRawPointer(bytes)
      @inline(__always) func word(_ index: Int) -> UInt64 {
        let excess = min(max(64 &* (index &+ 1) &- 8 &* count, 0), 64)  // bits of this word behind the piece
        return raw.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self) & (.max >> UInt64(excess))
      }
      if paddedCount < 32 || count > PreTokenCache.longestPreToken {
        words = Self.copied(bytes, count: count, length)
      } else if count <= 16 {
        words = (word(0), word(1), 0, length)
      } else {
        words = (word(0), word(1), word(2), word(3) | length)
      }
      hash = fold(words.0 ^ hashFactor1, words.1 ^ words.2 &* hashFactor2 ^ words.3 &* hashFactor1 ^ hashFactor2)
    }

    @inline(never)
    private static func copied(
      _ bytes: UnsafePointer<UInt8>, count: Int, _ length: UInt64
    ) -> (UInt64, UInt64, UInt64, UInt64) {
      guard count <= PreTokenCache.longestPreToken else { return (.max, .max, .max, .max) }
      var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
      withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: count)) }
      words.3 |= length
      return words
    }

    fileprivate var isTooLong: Bool { words.3 == .max }

    @inline(__always)
    fileprivate func equals(_ piece: (UInt64, UInt64, UInt64, UInt64)) -> Bool {
      let differences = (piece.0 ^ words.0) | (piece.1 ^ words.1) | (piece.2 ^ words.2)
      return differences | (piece.3 ^ words.3) == 0
    }
  }

  /// Gets ready to be asked for a piece.
  @inline(__always)
  func prefetch(_ key: Key) { lmpipe_prefetch(table.slot(key.hash)) }

  /// Appends the tokens of a piece that begins at `start`, and tells whether it is known. There must be room for
  /// `room` tokens.
  @inline(__always)
  func append(_ key: Key, start: Int, to output: inout TokenBuffer.Cursor) -> Bool {
    let place = table.slot(key.hash)
    guard key.equals(place.pointee.piece) else { return false }
    let tokens = place.pointee.tokens
    let count = Int(tokens.3 >> 32)
    guard output.ends == nil else {
      var end = start
      withUnsafeBytes(of: tokens) { tokens in
        for token in tokens.bindMemory(to: UInt32.self)[..<count] {
          end += Int(token >> 24)
          output.append(Int32(token & 0xFF_FFFF), end: end)
        }
      }
      return true
    }
    // All of them: that is faster than to ask how many there are
    let ids: UInt64 = 0x00FF_FFFF_00FF_FFFF
    UnsafeMutableRawPointer(output.ids).storeBytes(
      of: (tokens.0 & ids, tokens.1 & ids, tokens.2 & ids, tokens.3 & ids), as: (UInt64, UInt64, UInt64, UInt64).self)
    output.appendStored(count)
    return true
  }

  /// How many tokens `append` may store, known ones and others behind them.
  static let padding = maxTokens + 1

  /// Remembers a piece that was not known.
  func insert(_ key: Key, _ ids: UnsafeBufferPointer<Int32>, _ vocabulary: Vocabulary) {
    table.countMiss()
    guard !key.isTooLong, ids.count <= Self.maxTokens else { return }
    var place = Slot(piece: key.words, tokens: (0, 0, 0, UInt64(ids.count) << 32))
    withUnsafeMutableBytes(of: &place.tokens) { tokens in
      let tokens = tokens.bindMemory(to: UInt32.self)
      for (index, id) in ids.enumerated() { tokens[index] = UInt32(id) | UInt32(vocabulary.length(of: id)) << 24 }
    }
    table.slot(key.hash).pointee = place
  }
}
