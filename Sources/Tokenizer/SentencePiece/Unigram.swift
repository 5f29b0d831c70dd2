import JSON

/// A unigram language model (Kudo, Subword Regularization, ACL 2018): the tokens of a text are the sequence of pieces
/// with the highest sum of scores, which are log probabilities. The Viterbi algorithm finds it in one pass.
///
/// A character that no piece consists of can be a part of the unknown token, whose score is below all others. Adjacent
/// unknown characters become one token, or the tokens `<0xHH>` of their bytes (byte fallback).
///
/// A model is immutable and can be shared by threads. Each thread creates its own `UnigramEncoder`.
package final class Unigram: @unchecked Sendable {  // immutable after init
  /// The differences of the two implementations.
  package enum Variant {
    /// `tokenizers` (models/unigram): sums in double precision; every piece is found in text, also control pieces.
    case tokenizers
    /// `sentencepiece` (unigram_model.cc): sums in single precision; only normal and user-defined pieces are found in
    /// text, and user-defined pieces get a score that makes them win.
    case sentencePiece
  }

  package let pieces: PieceTable
  let trie: PieceTrie?
  /// The score of each piece that is found in text.
  let scores: FlatArray<Double>
  let variant: Variant
  /// The id of the unknown token; -1 if there is none.
  let unknownID: Int32
  /// The score of an unknown character.
  let unknownScore: Double
  /// The id of the token `<0xHH>` of each byte, or -1; nil without byte fallback. Unknown text of which a byte has no
  /// token becomes the unknown token.
  let byteIDs: [Int32]?
  /// In `tokenizers` a token is found again by its text, so that adjacent unknown characters that together are a piece
  /// become this piece.
  var looksUpUnknown: Bool { variant == .tokenizers }

  /// An unknown character has the lowest score minus this number, in both implementations.
  private static let unknownPenalty = 10.0

  /// Creates a model from the members of tokenizer.json's `Unigram` model.
  ///
  /// - Parameters:
  ///   - pieces: The pieces by id, with an index of all pieces in which the last of equal pieces wins.
  ///   - scores: The score of each piece.
  ///   - unknownID: `unk_id`
  package init(
    _ pieces: PieceTable, scores: [Double], unknownID: Int?, byteFallback: Bool
  ) throws(VocabularyError) {
    try Self.check(pieces, scoreCount: scores.count) { scores[$0].isNaN }
    if let unknownID, !(0..<pieces.count).contains(unknownID) {
      throw VocabularyError(reason: "\"unk_id\" is \(unknownID), but there are \(pieces.count) tokens")
    }
    self.pieces = pieces
    self.scores = Self.flat(scores)
    variant = .tokenizers
    self.unknownID = unknownID.map(Int32.init) ?? -1
    unknownScore = (scores.prefix(pieces.count).min() ?? 0) - Self.unknownPenalty
    let bytes = byteFallback ? CharacterBPE.byteIDs(pieces) : []
    byteIDs = byteFallback && (self.unknownID >= 0 || !bytes.contains(-1)) ? bytes : nil
    trie = try PieceTrie(ids: 0..<pieces.count, of: pieces)
  }

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
    try Self.check(pieces, scoreCount: min(scores.count, types.count)) { scores[$0].isNaN }
    let normal = (0..<pieces.count).filter { types[$0] == .normal }
    let (lowest, highest) = (normal.map { scores[$0] }.min() ?? 0, normal.map { scores[$0] }.max() ?? 0)
    self.pieces = pieces
    self.scores = Self.flat(
      (0..<pieces.count).map { id in
        guard types[id] == .userDefined else { return Double(scores[id]) }
        // The product is in single precision, the difference in double precision
        return Double(Float(pieces.bytes(of: id)?.count ?? 0) * highest) - 0.1
      })
    variant = .sentencePiece
    unknownID = Int32(types.prefix(pieces.count).firstIndex(of: .unknown) ?? -1)
    unknownScore = Double(lowest - Float(Self.unknownPenalty))
    byteIDs = byteFallback ? try Self.byteIDs(pieces, types) : nil
    trie = try PieceTrie(
      ids: (0..<pieces.count).filter { types[$0] == .normal || types[$0] == .userDefined }, of: pieces)
  }

  private static func flat(_ scores: [Double]) -> FlatArray<Double> {
    var array = SlabArray<Double>(capacity: scores.count, in: Slab())
    scores.withUnsafeBufferPointer { array.append($0) }
    return FlatArray(array)
  }

  /// Creates a model from its tables.
  init(
    _ pieces: PieceTable, _ trie: PieceTrie?, scores: FlatArray<Double>, _ variant: Variant, unknownID: Int32,
    unknownScore: Double, byteIDs: [Int32]?
  ) {
    (self.pieces, self.trie, self.scores, self.variant) = (pieces, trie, scores, variant)
    (self.unknownID, self.unknownScore, self.byteIDs) = (unknownID, unknownScore, byteIDs)
  }

  /// Returns the ids of the pieces of type `byte`.
  static func byteIDs(_ pieces: PieceTable, _ types: [SentencePieceType]) throws(VocabularyError) -> [Int32] {
    var bytes = [Int32](repeating: -1, count: 256)
    for id in 0..<pieces.count where types[id] == .byte {
      guard let byte = pieces.bytes(of: id).flatMap({ byteOfTokenSpelling($0) }) else {
        throw VocabularyError(reason: "token \(id) has the type of a byte, but is not spelled <0x00> to <0xFF>")
      }
      bytes[Int(byte)] = Int32(id)
    }
    if let missing = bytes.firstIndex(of: -1) {
      throw VocabularyError(reason: "byte fallback, but no token for the byte \(missing)")
    }
    return bytes
  }

  private static func check(
    _ pieces: PieceTable, scoreCount: Int, isNaN: (Int) -> Bool
  ) throws(VocabularyError) {
    guard scoreCount >= pieces.count else {
      throw VocabularyError(reason: "\(pieces.count) tokens, but scores or types for \(scoreCount)")
    }
    if let id = (0..<pieces.count).first(where: isNaN) {
      throw VocabularyError(reason: "the score of token \(id) is not a number")
    }
  }

  /// Returns a new encoder, for use by one thread.
  package func makeEncoder() -> UnigramEncoder { UnigramEncoder(self) }
}
