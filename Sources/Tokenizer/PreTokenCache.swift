import CPlatform

/// A cache of the tokens of recent pre-tokens, because words repeat. It is direct-mapped: a new pre-token evicts the
/// old one.
final class PreTokenCache {
  static let maxLength = 31
  private static let maxTokens = 7

  /// A pre-token and its tokens, on one cache line. All zero if empty: this equals the key of the empty pre-token,
  /// which is never looked up.
  private struct Slot: BitwiseCopyable {
    /// The words of the key.
    var key: (UInt64, UInt64, UInt64, UInt64)
    /// Seven tokens of 32 bits each, the id in the lower 24 and the length in bytes above; and the number of tokens.
    var tokens: (UInt64, UInt64, UInt64, UInt64)
  }

  private let table = DirectMappedTable<Slot>(sizes: [8, 16, 18])

  /// A pre-token as four words: its bytes, zeros, and its length in the last byte. A pre-token that is too long has all
  /// ones, which no entry of the cache has.
  struct Key: BitwiseCopyable {
    fileprivate let words: (UInt64, UInt64, UInt64, UInt64)
    fileprivate let hash: UInt64

    /// `bytes[..<paddedCount]` must be readable (see "Padding" in Slab.swift).
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, count: Int, paddedCount: Int) {
      let length = UInt64(truncatingIfNeeded: count) << 56
      let raw = UnsafeRawPointer(bytes)
      @inline(__always) func word(_ index: Int) -> UInt64 {
        let excess = min(max(64 &* (index &+ 1) &- 8 &* count, 0), 64)  // bits of this word after the pre-token
        return raw.loadUnaligned(fromByteOffset: 8 &* index, as: UInt64.self) & (.max >> UInt64(excess))
      }
      if paddedCount < 32 || count > PreTokenCache.maxLength {
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
      guard count <= PreTokenCache.maxLength else { return (.max, .max, .max, .max) }
      var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
      withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: count)) }
      words.3 |= length
      return words
    }

    fileprivate var isTooLong: Bool { words.3 == .max }

    @inline(__always)
    fileprivate func equals(_ other: (UInt64, UInt64, UInt64, UInt64)) -> Bool {
      let differences = (other.0 ^ words.0) | (other.1 ^ words.1) | (other.2 ^ words.2)
      return differences | (other.3 ^ words.3) == 0
    }
  }

  /// Prefetches the slot of a key.
  @inline(__always)
  func prefetch(_ key: Key) { lmpipe_prefetch(table.slot(key.hash)) }

  /// Appends the tokens of a pre-token that begins at `start`, and returns true if it is in the cache. `output` must
  /// have space for `padding` tokens.
  @inline(__always)
  func append(_ key: Key, start: Int, to output: inout TokenBuffer.Cursor) -> Bool {
    let slot = table.slot(key.hash)
    guard key.equals(slot.pointee.key) else { return false }
    let tokens = slot.pointee.tokens
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
    // Copies all seven tokens, which is faster than a loop over `count`
    let ids: UInt64 = 0x00FF_FFFF_00FF_FFFF
    UnsafeMutableRawPointer(output.ids).storeBytes(
      of: (tokens.0 & ids, tokens.1 & ids, tokens.2 & ids, tokens.3 & ids), as: (UInt64, UInt64, UInt64, UInt64).self)
    output.appendStored(count)
    return true
  }

  /// The number of tokens that `append` may store: the tokens of the pre-token, and unused ones after them.
  static let padding = maxTokens + 1

  /// Inserts a pre-token that was not in the cache.
  func insert(_ key: Key, _ ids: UnsafeBufferPointer<Int32>, _ vocabulary: Vocabulary) {
    table.countMiss()
    guard !key.isTooLong, ids.count <= Self.maxTokens else { return }
    var slot = Slot(key: key.words, tokens: (0, 0, 0, UInt64(ids.count) << 32))
    withUnsafeMutableBytes(of: &slot.tokens) { tokens in
      let tokens = tokens.bindMemory(to: UInt32.self)
      for (index, id) in ids.enumerated() { tokens[index] = UInt32(id) | UInt32(vocabulary.length(of: id)) << 24 }
    }
    table.slot(key.hash).pointee = slot
  }

  /// The tokens of a pre-token, for models whose tokens may be longer or shorter in the text than in the vocabulary.
  struct Entry {
    fileprivate var tokens: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    fileprivate var count = 0

    /// Appends a token with its length in bytes of the pre-token, which has at most `maxLength` bytes.
    @inline(__always)
    mutating func append(_ id: Int32, length: Int) {
      if count < PreTokenCache.maxTokens {
        withUnsafeMutableBytes(of: &tokens) {
          $0.bindMemory(to: UInt32.self)[count] = UInt32(id) | UInt32(truncatingIfNeeded: length) << 24
        }
      }
      count += 1
    }
  }

  /// Inserts a pre-token that was not in the cache.
  func insert(_ key: Key, _ entry: Entry) {
    table.countMiss()
    guard !key.isTooLong, entry.count <= Self.maxTokens else { return }
    var slot = Slot(key: key.words, tokens: entry.tokens)
    slot.tokens.3 |= UInt64(entry.count) << 32
    table.slot(key.hash).pointee = slot
  }
}
