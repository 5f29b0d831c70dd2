/// Encodes texts with a `CharacterBPE` model. An encoder caches words and is not thread-safe: each thread needs its own
/// encoder.
package final class CharacterBPEEncoder {
  private let model: CharacterBPE
  private let pieces: PieceTable
  private let merger = SymbolMerger()
  private let cache = PreTokenCache()
  private let knownPairs = KnownPairs()
  private let unusedPieces: UnusedPieces
  private let hasUnused: Bool

  /// A word of the text; it begins at the end of the previous one. Words are found in batches, and the cache line of
  /// each is prefetched before the first of the batch is looked up.
  private struct Word: BitwiseCopyable {
    let end: Int
    let key: PreTokenCache.Key
  }

  private static let wordsPerBatch = 32
  private let batch = UnsafeMutablePointer<Word>.allocate(capacity: wordsPerBatch)
  /// Longer parts of a text are split, because indices of symbols have 31 bits.
  private static let maxLength = 1 << 30

  init(_ model: CharacterBPE) {
    self.model = model
    pieces = model.pieces
    unusedPieces = UnusedPieces(model.unusedIDs)
    hasUnused = !model.unusedIDs.isEmpty
  }

  deinit { batch.deallocate() }

  /// Appends the tokens of a pre-token, or of a whole text that has been normalized.
  ///
  /// - Parameters:
  ///   - offset: Added to the ends of the tokens.
  /// - Throws: `TextEncodingError` if the vocabulary lacks a character and has neither byte tokens nor an unknown
  ///   token. In that case nothing is appended.
  package func encode(
    _ text: UnsafeBufferPointer<UInt8>, offset: Int = 0, into tokens: TokenBuffer
  ) throws(TextEncodingError) {
    guard let base = text.baseAddress, !text.isEmpty else { return }
    if model.ignoresMerges {
      let id = pieces.id(of: base, count: text.count, paddedCount: text.count)
      if id >= 0 { return tokens.append(id, end: offset + text.count) }
    }
    // A token has at least one byte
    try tokens.fill(upTo: text.count + PreTokenCache.padding) { (output) throws(TextEncodingError) in
      guard let splitting = model.splitting else {
        return try encodePart(text, 0..<text.count, offset, &output) { _, _, _ in }
      }
      try encodeWords(text, splitting, offset, &output)
    }
  }

  private func encodeWords(
    _ text: UnsafeBufferPointer<UInt8>, _ splitting: SafeSplitting, _ offset: Int, _ output: inout TokenBuffer.Cursor
  ) throws(TextEncodingError) {
    guard let base = text.baseAddress else { return }
    let (cache, batch) = (cache, batch)
    var start = 0
    while start < text.count {
      var (count, end) = (0, start)
      while count < Self.wordsPerBatch, end < text.count {
        let begin = end
        end = splitting.wordEnd(in: text, from: begin)
        let key = PreTokenCache.Key(base + begin, count: end &- begin, paddedCount: text.count &- begin)
        cache.prefetch(key)
        batch[count] = Word(end: end, key: key)
        count &+= 1
      }
      for index in 0..<count {
        if !cache.append(batch[index].key, start: start &+ offset, to: &output) {
          try encodeWord(text, start, batch[index], splitting, offset, &output)
        }
        start = batch[index].end
      }
    }
  }

  /// Encodes a word that is not in the cache.
  @inline(never)
  private func encodeWord(
    _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ word: Word, _ splitting: SafeSplitting, _ offset: Int,
    _ output: inout TokenBuffer.Cursor
  ) throws(TextEncodingError) {
    // Unknown characters on both sides of a position at which a long word is split would be one token
    guard word.end - start > PreTokenCache.maxLength, model.byteIDs != nil || !model.fusesUnknown,
      let base = text.baseAddress
    else { return try encodeAndCache(text, start..<word.end, word.key, offset, &output) }
    var start = start
    while start < word.end {
      let end = splitting.segmentEnd(in: text, from: start, to: word.end)
      let key = PreTokenCache.Key(base + start, count: end - start, paddedCount: text.count - start)
      if !cache.append(key, start: start + offset, to: &output) {
        try encodeAndCache(text, start..<end, key, offset, &output)
      }
      start = end
    }
  }

  private func encodeAndCache(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ key: PreTokenCache.Key, _ offset: Int,
    _ output: inout TokenBuffer.Cursor
  ) throws(TextEncodingError) {
    guard range.count <= PreTokenCache.maxLength else {
      return try encodePart(text, range, offset, &output) { _, _, _ in }
    }
    var entry = PreTokenCache.Entry()
    try encodePart(text, range, offset, &output) { entry.append($0, length: $2 - $1) }
    cache.insert(key, entry)
  }

  // MARK: - Encoding without the cache

  private func encodePart(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ offset: Int, _ output: inout TokenBuffer.Cursor,
    _ record: (Int32, Int, Int) -> Void
  ) throws(TextEncodingError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(range.upperBound, start + Self.maxLength)
      switch model.rule {
      case .merges(let table):
        try appendSymbols(text, start..<end, offset)
        merger.merge(from: start, ListedPairs(table: table)) { (id, start, end) in
          output.append(id, end: end + offset)
          record(id, start, end)
        }
      case .scores(let ranks, let userDefined):
        appendCharacters(text, start..<end, userDefined)
        let pairs = ScoredPairs(
          text: text, pieces: pieces, ranks: ranks.base, known: knownPairs,
          unused: hasUnused ? unusedPieces : nil)
        var unknown: Range<Int>?
        var failure: Int?
        merger.merge(from: start, pairs) { (id, start, end) in
          if id >= 0, !hasUnused, unknown == nil {  // most tokens
            output.append(id, end: end &+ offset)
            record(id, start, end)
          } else {
            appendScored(text, id, start..<end, offset, &unknown, &failure, &output, record)
          }
        }
        if let unknown {
          output.append(model.unknownID, end: unknown.upperBound + offset)
          record(model.unknownID, unknown.lowerBound, unknown.upperBound)
        }
        if let failure { throw TextEncodingError(byte: text[failure], offset: failure + offset) }
        if hasUnused { unusedPieces.splits.removeAll(keepingCapacity: true) }
      }
      start = end
    }
  }

  /// Fills the merger with the initial symbols of a text (`tokenizers`, `BPE::merge_word`).
  private func appendSymbols(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ offset: Int
  ) throws(TextEncodingError) {
    merger.removeAll()
    var unknown = 0  // the length of the unknown token that has not been appended
    var index = range.lowerBound
    while index < range.upperBound {
      var (id, length) = pieces.character(in: text, at: index)
      length = min(length, range.upperBound - index)
      defer { index += length }
      if id >= 0 {
        if unknown > 0 { merger.append(model.unknownID, length: unknown) }
        unknown = 0
        merger.append(id, length: length)
        continue
      }
      if let byteIDs = model.byteIDs {
        let character = text[index..<index + length]
        if character.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
          // The unknown token before these bytes is appended after them, as in the reference
          for byte in character { merger.append(byteIDs[Int(byte)], length: 1) }
          continue
        }
      }
      guard model.unknownID >= 0 else { throw TextEncodingError(byte: text[index], offset: index + offset) }
      if unknown > 0, !model.fusesUnknown {
        merger.append(model.unknownID, length: unknown)
        unknown = 0
      }
      unknown += length
    }
    if unknown > 0 { merger.append(model.unknownID, length: unknown) }
  }

  /// Fills the merger with characters and user-defined pieces (`sentencepiece`, bpe_model.cc).
  private func appendCharacters(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ userDefined: PieceTrie?) {
    merger.removeAll()
    let text = UnsafeBufferPointer(rebasing: text[..<range.upperBound])
    var index = range.lowerBound
    while index < range.upperBound {
      if let (id, length) = userDefined?.longestPiece(in: text, from: index) {
        merger.append(ScoredPairs.frozen(id), length: length)
        index += length
      } else {
        let (id, length) = pieces.character(in: text, at: index)
        merger.append(id, length: length)
        index += length
      }
    }
  }

  /// Appends a symbol of a model with scores.
  @inline(__always)
  private func appendScored(
    _ text: UnsafeBufferPointer<UInt8>, _ id: Int32, _ range: Range<Int>, _ offset: Int, _ unknown: inout Range<Int>?,
    _ failure: inout Int?, _ output: inout TokenBuffer.Cursor, _ record: (Int32, Int, Int) -> Void
  ) {
    if id == ScoredPairs.unknown, model.byteIDs == nil {
      guard model.unknownID >= 0 else {
        failure = failure ?? range.lowerBound
        return
      }
      unknown = (unknown?.lowerBound ?? range.lowerBound)..<range.upperBound
      return
    }
    if let run = unknown {
      output.append(model.unknownID, end: run.upperBound + offset)
      record(model.unknownID, run.lowerBound, run.upperBound)
      unknown = nil
    }
    if id == ScoredPairs.unknown, let byteIDs = model.byteIDs {
      for index in range {
        output.append(byteIDs[Int(text[index])], end: index + 1 + offset)
        record(byteIDs[Int(text[index])], index, index + 1)
      }
    } else if let split = unusedPieces.splits[id] {
      resegment(text, range, split, offset, &unknown, &failure, &output, record)
    } else {
      let id = ScoredPairs.thawed(id)
      output.append(id, end: range.upperBound + offset)
      record(id, range.lowerBound, range.upperBound)
    }
  }

  /// Appends the two halves of an unused piece instead of it.
  @inline(never)
  private func resegment(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ split: Int, _ offset: Int, _ unknown: inout Range<Int>?,
    _ failure: inout Int?, _ output: inout TokenBuffer.Cursor, _ record: (Int32, Int, Int) -> Void
  ) {
    guard let base = text.baseAddress else { return }
    let middle = range.lowerBound + split
    // A half is shorter than the piece, so that the recursion ends; pieces have at most 65,535 bytes
    for half in [range.lowerBound..<middle, middle..<range.upperBound] {
      let id = pieces.id(of: base + half.lowerBound, count: half.count, paddedCount: text.count - half.lowerBound)
      appendScored(text, id, half, offset, &unknown, &failure, &output, record)
    }
  }
}

/// The unused pieces, and the offset at which each was last split.
private final class UnusedPieces {
  let ids: Set<Int32>
  var splits: [Int32: Int] = [:]

  init(_ ids: Set<Int32>) { self.ids = ids }
}

/// A cache of the merges of two tokens. It is direct-mapped: a new pair evicts the old one.
private final class KnownPairs {
  struct Slot: BitwiseCopyable {
    /// The id of the left token plus one in the upper 32 bits, and the id of the right token; 0 if empty.
    var key: UInt64
    var merge: PairTable.Merge
  }

  private let table = DirectMappedTable<Slot>(sizes: [9, 16])

  @inline(__always)
  func merge(_ left: Int32, _ right: Int32, otherwise find: () -> PairTable.Merge) -> PairTable.Merge {
    let key = UInt64(UInt32(bitPattern: left) &+ 1) << 32 | UInt64(UInt32(bitPattern: right))
    let hash = key &* hashFactor1
    let slot = table.slot(hash).pointee
    if slot.key == key { return slot.merge }
    let merge = find()
    table.countMiss()
    table.slot(hash).pointee = Slot(key: key, merge: merge)
    return merge
  }
}

/// Merges that are listed by the ids of their halves.
private struct ListedPairs: SymbolPairs {
  let table: PairTable

  @inline(__always)
  func merge(_ left: Int32, _ right: Int32, _ start: Int, _ split: Int, _ end: Int) -> PairTable.Merge {
    table.merge(left, right) ?? PairTable.Merge(rank: CharacterBPE.noMerge, result: -1)
  }
}

/// Merges of any two symbols that together are a piece.
private struct ScoredPairs: SymbolPairs {
  /// The id of a character that is not a piece.
  static let unknown: Int32 = -1

  let text: UnsafeBufferPointer<UInt8>
  let pieces: PieceTable
  let ranks: UnsafePointer<UInt32>
  let known: KnownPairs
  /// Nil if there are none.
  let unused: UnusedPieces?

  /// Returns the id of the symbol for a user-defined piece, which is never joined; `thawed` is the inverse.
  static func frozen(_ id: Int32) -> Int32 { -2 - id }
  static func thawed(_ id: Int32) -> Int32 { id >= 0 ? id : -2 - id }

  @inline(__always)
  func merge(_ left: Int32, _ right: Int32, _ start: Int, _ split: Int, _ end: Int) -> PairTable.Merge {
    let none = PairTable.Merge(rank: CharacterBPE.noMerge, result: -1)
    guard left >= Self.unknown, right >= Self.unknown else { return none }
    guard left | right >= 0, unused == nil else { return find(start, split, end) }
    return known.merge(left, right) { find(start, split, end) }
  }

  @inline(never)
  private func find(_ start: Int, _ split: Int, _ end: Int) -> PairTable.Merge {
    let none = PairTable.Merge(rank: CharacterBPE.noMerge, result: -1)
    guard let base = text.baseAddress else { return none }
    let id = pieces.id(of: base + start, count: end &- start, paddedCount: text.count &- start)
    guard id >= 0, ranks[Int(id)] < CharacterBPE.noMerge else { return none }
    if let unused, unused.ids.contains(id) { unused.splits[id] = split - start }
    return PairTable.Merge(rank: ranks[Int(id)], result: id)
  }
}
