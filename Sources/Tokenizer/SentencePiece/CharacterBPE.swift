import JSON

/// A byte-pair encoding of characters, as in SentencePiece and in tokenizer.json's `BPE` model without `ByteLevel`: a
/// text starts as its characters, and adjacent symbols are joined until no pair can be joined. A character that the
/// vocabulary lacks becomes the tokens `<0xHH>` of its bytes (byte fallback) or the unknown token.
///
/// There are two rules for the order of the merges:
///
/// - A list of merges (Sennrich et al. 2016; `tokenizers`, models/bpe): the pair that is first in the list is joined
///   first. This is how tokenizer.json stores a vocabulary.
/// - Scores (`sentencepiece`, bpe_model.cc): two adjacent symbols can be joined if together they are a piece, and the
///   piece with the highest score is made first. This is how tokenizer.model and GGUF store a vocabulary. Pieces that
///   the user defined are found before merging, and are never split or joined.
///
/// In both, the leftmost of equal pairs is joined first.
///
/// A model is immutable and can be shared by threads. Each thread creates its own `CharacterBPEEncoder`.
package final class CharacterBPE: @unchecked Sendable {  // immutable after init
  enum Rule {
    case merges(PairTable)
    /// `ranks` has an entry for each id: 0 for the highest score, equal numbers for equal scores, or `noMerge` for an
    /// id that is never made.
    case scores(ranks: FlatArray<UInt32>, userDefined: PieceTrie?)
  }

  static let noMerge = UInt32.max

  package let pieces: PieceTable
  let rule: Rule
  /// The id of the unknown token; -1 if the vocabulary has none.
  let unknownID: Int32
  /// `fuse_unk`: adjacent unknown characters become one token.
  let fusesUnknown: Bool
  /// The id of the token `<0xHH>` of each byte, or -1; nil without byte fallback.
  let byteIDs: [Int32]?
  /// `ignore_merges`: a text that is a piece becomes this token, even if the merges do not produce it.
  let ignoresMerges: Bool
  /// The ids of the unused pieces, which are made by merges but are split again.
  let unusedIDs: Set<Int32>
  /// Where a text can be split so that the parts are encoded separately; nil if it cannot be split.
  let splitting: SafeSplitting?

  // MARK: - Merges in a list

  /// Creates a model from the members of tokenizer.json's `BPE` model.
  ///
  /// - Parameters:
  ///   - pieces: The vocabulary, with an index of all pieces.
  ///   - merges: The halves of each merge, first the merge with the lowest rank.
  ///   - unknownToken: `unk_token`
  package init(
    _ pieces: PieceTable, merges: some Sequence<(left: UnsafeBufferPointer<UInt8>, right: UnsafeBufferPointer<UInt8>)>,
    unknownToken: [UInt8]?, fusesUnknown: Bool, byteFallback: Bool, ignoresMerges: Bool
  ) throws(VocabularyError) {
    self.pieces = pieces
    self.fusesUnknown = fusesUnknown
    self.ignoresMerges = ignoresMerges
    unknownID = unknownToken.map(pieces.id(of:)) ?? -1
    if let unknownToken, unknownID < 0, !byteFallback {
      throw VocabularyError(reason: "the unknown token \"\(excerpt(unknownToken))\" is not in the vocabulary")
    }
    byteIDs = byteFallback ? Self.byteIDs(pieces) : nil
    // A byte fallback that lacks bytes, and merges of byte tokens or unknown tokens, depend on more than the spelling
    var isSplittable = byteIDs.map { !$0.contains(-1) } ?? true
    var isApart = [Bool](repeating: false, count: pieces.count)
    for id in (byteIDs ?? []) + [unknownID] where id >= 0 { isApart[Int(id)] = true }
    // Vocabularies have at most two merges per piece; a hostile list can repeat one
    var table = PairTableBuilder(merges: min(merges.underestimatedCount, 2 * pieces.count))
    try MergeLookup(pieces).forEach(merges) {
      table.prefetch($0, $1)
    } _: { (left, right, result) throws(VocabularyError) in
      guard table.count < Vocabulary.limit else {
        throw VocabularyError(reason: "too many merges: more than \(Vocabulary.limit)")
      }
      if isApart[Int(left)] || isApart[Int(right)] { isSplittable = false }
      table.insert(left, right, result: result)
    }
    rule = .merges(table.build())
    unusedIDs = []
    splitting = isSplittable ? SafeSplitting(pieces) : nil
  }

  /// Returns the ids of the tokens `<0x00>` to `<0xFF>`, -1 for a byte without a token.
  static func byteIDs(_ pieces: PieceTable) -> [Int32] {
    (UInt8.min...UInt8.max).map { pieces.id(of: byteTokenSpelling($0)) }
  }

  // MARK: - Scores

  /// Creates a model from the pieces of tokenizer.model, or from the tokens of a GGUF file.
  ///
  /// - Parameters:
  ///   - pieces: The pieces by id, with an index of the pieces whose type is normal, user-defined or unused.
  ///   - scores: The score of each piece.
  ///   - types: The type of each piece.
  ///   - byteFallback: If true, there must be a piece of type `byte` for each byte.
  package init(
    _ pieces: PieceTable, scores: [Float], types: [SentencePieceType], byteFallback: Bool
  ) throws(VocabularyError) {
    self.pieces = pieces
    fusesUnknown = true
    ignoresMerges = false
    guard scores.count >= pieces.count, types.count >= pieces.count else {
      throw VocabularyError(
        reason: "\(pieces.count) tokens, but \(scores.count) scores and \(types.count) types")
    }
    unknownID = Int32(types.prefix(pieces.count).firstIndex(of: .unknown) ?? -1)
    var unused: Set<Int32> = []
    for id in 0..<pieces.count {
      guard !scores[id].isNaN else { throw VocabularyError(reason: "the score of token \(id) is not a number") }
      if types[id] == .unused, pieces.bytes(of: id) != nil { unused.insert(Int32(id)) }
    }
    byteIDs = byteFallback ? try Unigram.byteIDs(pieces, types) : nil
    unusedIDs = unused
    let userDefined = (0..<pieces.count).filter { types[$0] == .userDefined }
    let mergeable = (0..<pieces.count).filter { types[$0].isFoundInText }
    rule = .scores(
      ranks: Self.ranks(mergeable, scores, count: pieces.count),
      userDefined: try PieceTrie(ids: userDefined, of: pieces))
    // The reference splits unused pieces by the last pair that it has seen in the whole text
    splitting = unused.isEmpty ? SafeSplitting(pieces) { types[$0].isFoundInText } : nil
  }

  /// Returns the rank of each id: the position of its score among the different scores, the highest first.
  private static func ranks(_ ids: [Int], _ scores: [Float], count: Int) -> FlatArray<UInt32> {
    var ranks = SlabArray<UInt32>(capacity: count, in: Slab())
    for _ in 0..<count { ranks.append(noMerge) }
    var rank: UInt32 = 0
    var last: Float?
    for id in ids.sorted(by: { scores[$0] > scores[$1] }) {
      if let last, scores[id] != last { rank += 1 }
      last = scores[id]
      ranks.base[id] = rank
    }
    return FlatArray(ranks)
  }

  /// Creates a model from its tables.
  init(
    _ pieces: PieceTable, _ rule: Rule, unknownID: Int32, fusesUnknown: Bool, byteIDs: [Int32]?, ignoresMerges: Bool,
    unusedIDs: Set<Int32>, splitting: SafeSplitting?
  ) {
    (self.pieces, self.rule, self.unknownID, self.fusesUnknown) = (pieces, rule, unknownID, fusesUnknown)
    (self.byteIDs, self.ignoresMerges, self.unusedIDs) = (byteIDs, ignoresMerges, unusedIDs)
    self.splitting = splitting
  }

  /// Returns a new encoder, for use by one thread.
  package func makeEncoder() -> CharacterBPEEncoder { CharacterBPEEncoder(self) }
}

/// The spelling of a byte's token: `<0x00>` to `<0xFF>`.
func byteTokenSpelling(_ byte: UInt8) -> [UInt8] {
  let digits = Array("0123456789ABCDEF".utf8)
  return Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
}

/// Returns the byte whose token has this spelling; nil if no byte's token has. The digits may be lower case, as in the
/// decoder `ByteFallback` of `tokenizers`.
func byteOfTokenSpelling(_ spelling: some RandomAccessCollection<UInt8>) -> UInt8? {
  let bytes = Array(spelling.prefix(7))
  guard bytes.count == 6, bytes.starts(with: "<0x".utf8), bytes[5] == UInt8(ascii: ">") else { return nil }
  func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
  guard let high = digit(bytes[3]), let low = digit(bytes[4]) else { return nil }
  return high << 4 | low
}
