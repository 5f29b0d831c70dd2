import Platform

/// The tokens of pieces that were encoded lately: words repeat. A table with one place for each hash, where the newer
/// piece drives out the older.
///
/// A place is 64 bytes: the piece (at most 31 bytes, zeros behind, its length in the last byte), then at most seven
/// tokens of 32 bits, the id in the lower 24, the length above, and their number in the last 32.
///
/// Unsafe pointers: `places` leads to `placeCount` zeroed places in `memory`; a zeroed place is the piece of no bytes,
/// which nobody asks for.
final class PieceCache {
  static let longestPiece = 31
  static let mostTokens = 7
  private static let placeCount = 1 << 16
  private static let placeSize = 64

  private let memory: UnsafeMutableRawPointer?
  private let places: UnsafeMutableRawPointer?

  init() {
    // Pages that are never touched cost nothing: a single line does not pay for the whole table
    memory = calloc(Self.placeCount + 1, Self.placeSize)
    places = memory?.alignedUp(toMultipleOf: Self.placeSize)
  }

  deinit { free(memory) }

  /// A piece as four words: its bytes, zeros, its length.
  struct Key {
    let words: (UInt64, UInt64, UInt64, UInt64)

    /// Nil for a piece that is too long. `bytes[..<readable]` may be read.
    @inline(__always)
    init?(_ bytes: UnsafePointer<UInt8>, count: Int, readable: Int) {
      guard count <= PieceCache.longestPiece else { return nil }
      let length = UInt64(count) << 56
      if readable >= 32 {
        let bytes = UnsafeRawPointer(bytes)
        @inline(__always) func word(_ index: Int) -> UInt64 {
          let bits = max(0, 8 * (count - 8 * index))  // of the piece, from this word on
          return bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self) & ~(UInt64.max << UInt64(bits))
        }
        words = (word(0), word(1), word(2), word(3) | length)
      } else {
        var copy: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &copy) { $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: count)) }
        copy.3 |= length
        words = copy
      }
    }

    @inline(__always)
    fileprivate var hash: UInt64 {
      fold(words.0 ^ hashFactor1, words.1 ^ hashFactor2) ^ fold(words.2 ^ hashFactor2, words.3 ^ hashFactor1)
    }
  }

  @inline(__always)
  private func place(of key: Key) -> UnsafeMutableRawPointer? {
    places.map { $0 + (Int(truncatingIfNeeded: key.hash) & (Self.placeCount - 1)) * Self.placeSize }
  }

  @inline(__always)
  private func isEqual(_ place: UnsafeMutableRawPointer, _ key: Key) -> Bool {
    let words = place.load(as: (UInt64, UInt64, UInt64, UInt64).self)
    let differences = (words.0 ^ key.words.0) | (words.1 ^ key.words.1) | (words.2 ^ key.words.2)
    return differences | (words.3 ^ key.words.3) == 0
  }

  /// Appends the tokens of a piece that begins at `start`, and tells whether it is known. There must be room for
  /// `room` tokens.
  @inline(__always)
  func append(_ key: Key, start: Int, to output: inout TokenBuffer.Cursor) -> Bool {
    guard let place = place(of: key), isEqual(place, key) else { return false }
    let tokens = (place + 32).assumingMemoryBound(to: UInt32.self)
    let count = Int(tokens[Self.mostTokens])
    guard output.ends == nil else {
      var end = start
      for index in 0..<count {
        end += Int(tokens[index] >> 24)
        output.append(Int32(tokens[index] & 0xFF_FFFF), end: end)
      }
      return true
    }
    let pairs = UnsafeRawPointer(tokens).assumingMemoryBound(to: UInt64.self)
    let target = UnsafeMutableRawPointer(output.ids)
    for pair in 0..<Self.room / 2 {  // all of them: that is faster than to ask how many there are
      target.storeBytes(of: pairs[pair] & 0x00FF_FFFF_00FF_FFFF, toByteOffset: 8 * pair, as: UInt64.self)
    }
    output.appendStored(count)
    return true
  }

  /// How many tokens `append` may store, known ones and others behind them.
  static let room = mostTokens + 1

  /// Remembers a piece.
  func insert(_ key: Key, _ ids: UnsafeBufferPointer<Int32>, _ vocabulary: Vocabulary) {
    guard ids.count <= Self.mostTokens, let place = place(of: key) else { return }
    place.storeBytes(of: key.words, as: (UInt64, UInt64, UInt64, UInt64).self)
    let tokens = (place + 32).assumingMemoryBound(to: UInt32.self)
    for (index, id) in ids.enumerated() {
      tokens[index] = UInt32(id) | UInt32(vocabulary.length(of: id)) << 24
    }
    tokens[Self.mostTokens] = UInt32(ids.count)
  }
}
