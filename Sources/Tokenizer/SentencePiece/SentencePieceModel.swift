import JSON

/// The contents of a `tokenizer.model` file of SentencePiece: the pieces, and the settings of the trainer and the
/// normalizer that affect encoding (`sentencepiece`, sentencepiece_model.proto).
package struct SentencePieceModel {
  package enum Algorithm: UInt64 {
    case unigram = 1
    case bpe, word, char
  }

  package struct Piece {
    /// The range of the piece in the file.
    package var range = 0..<0
    package var score: Float = 0
    package var type = SentencePieceType.normal
  }

  /// The normalizer's settings.
  package struct Normalizer {
    /// The table for `CharacterMap`; empty if characters are not changed.
    package var charactersMap: [UInt8] = []
    package var addsDummyPrefix = true
    package var removesExtraWhitespace = true
    package var escapesWhitespace = true
  }

  /// The file.
  package let bytes: [UInt8]
  package private(set) var pieces: [Piece] = []
  package private(set) var algorithm = Algorithm.unigram
  package private(set) var hasByteFallback = false
  /// A space is the end of a word instead of its start.
  package private(set) var treatsWhitespaceAsSuffix = false
  /// The ids of the special tokens; -1 for a token that the model does not have.
  package private(set) var (unknownID, bosID, eosID): (Int32, Int32, Int32) = (0, 1, 2)
  package private(set) var unknownPiece = Array("<unk>".utf8)
  package private(set) var bosPiece = Array("<s>".utf8)
  package private(set) var eosPiece = Array("</s>".utf8)
  package private(set) var normalizer = Normalizer()

  /// Reads a file. The error's reason names the byte.
  package init(_ bytes: [UInt8]) throws(VocabularyError) {
    self.bytes = bytes
    var reader = ProtobufReader(bytes[...])
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .bytes(let range)):
        guard pieces.count < Vocabulary.limit else {
          throw reader.failure("more than \(Vocabulary.limit) tokens", at: range.lowerBound)
        }
        pieces.append(try piece(range))
      case (2, .bytes(let range)): try readTrainer(range)
      case (3, .bytes(let range)): try readNormalizer(range)
      default: continue
      }
    }
    try check()
  }

  private func piece(_ range: Range<Int>) throws(VocabularyError) -> Piece {
    var piece = Piece()
    var reader = ProtobufReader(bytes[range])
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (1, .bytes(let range)): piece.range = range
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .varint(let code)):
        guard code <= 6, let type = SentencePieceType(rawValue: Int32(code)) else {
          throw reader.failure("token \(pieces.count) has the unknown type \(code)", at: range.lowerBound)
        }
        piece.type = type
      default: continue
      }
    }
    return piece
  }

  private mutating func readTrainer(_ range: Range<Int>) throws(VocabularyError) {
    var reader = ProtobufReader(bytes[range])
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (3, .varint(let code)):
        guard let algorithm = Algorithm(rawValue: code) else {
          throw reader.failure("the unknown model type \(code)", at: range.lowerBound)
        }
        self.algorithm = algorithm
      case (24, .varint(let flag)): treatsWhitespaceAsSuffix = flag != 0
      case (35, .varint(let flag)): hasByteFallback = flag != 0
      case (40, .varint(let id)): unknownID = Int32(truncatingIfNeeded: id)
      case (41, .varint(let id)): bosID = Int32(truncatingIfNeeded: id)
      case (42, .varint(let id)): eosID = Int32(truncatingIfNeeded: id)
      case (45, .bytes(let range)): unknownPiece = Array(bytes[range])
      case (46, .bytes(let range)): bosPiece = Array(bytes[range])
      case (47, .bytes(let range)): eosPiece = Array(bytes[range])
      default: continue
      }
    }
  }

  private mutating func readNormalizer(_ range: Range<Int>) throws(VocabularyError) {
    var reader = ProtobufReader(bytes[range])
    while let (number, value) = try reader.next() {
      switch (number, value) {
      case (2, .bytes(let range)): normalizer.charactersMap = Array(bytes[range])
      case (3, .varint(let flag)): normalizer.addsDummyPrefix = flag != 0
      case (4, .varint(let flag)): normalizer.removesExtraWhitespace = flag != 0
      case (5, .varint(let flag)): normalizer.escapesWhitespace = flag != 0
      default: continue
      }
    }
  }

  /// Checks what the reference checks when it opens a model (model_interface.cc).
  private func check() throws(VocabularyError) {
    guard !pieces.isEmpty else { throw VocabularyError(reason: "no tokens: not a model of SentencePiece") }
    var unknown: Int?
    for (id, piece) in pieces.enumerated() {
      guard !piece.range.isEmpty else { throw VocabularyError(reason: "token \(id) is empty") }
      if piece.type == .unknown {
        if let unknown {
          throw VocabularyError(reason: "there are two unknown tokens, with the ids \(unknown) and \(id)")
        }
        unknown = id
      }
      if piece.type == .byte, !hasByteFallback {
        throw VocabularyError(reason: "token \(id) is the token of a byte, but \"byte_fallback\" is false")
      }
    }
    guard unknown != nil else { throw VocabularyError(reason: "there is no unknown token") }
  }

  // MARK: - Models

  /// Returns the table of the pieces.
  ///
  /// - Parameter indexesAll: If true, text is looked up among all pieces, as in tokenizer.json; else only among the
  ///   pieces that can be found in text.
  package func makePieceTable(indexesAll: Bool = false) throws(VocabularyError) -> PieceTable {
    try bytes.withUnsafeBuffer { (bytes) throws(VocabularyError) in
      try PieceTable(
        pieces.lazy.map { UnsafeBufferPointer(rebasing: bytes[$0.range]) },
        duplicates: indexesAll ? .lastWins : .areErrors
      ) { indexesAll || pieces[$0].type.isFoundInText }
    }
  }

  /// Returns the model of a file whose algorithm is `bpe`, which encodes as `sentencepiece` does.
  package func makeBPE() throws(VocabularyError) -> CharacterBPE {
    try CharacterBPE(
      makePieceTable(), scores: pieces.map(\.score), types: pieces.map(\.type), byteFallback: hasByteFallback)
  }

  /// Returns the model of a file whose algorithm is `unigram`.
  ///
  /// - Parameter variant: `tokenizers` for the ids of the tokenizer.json that `transformers` converts the file to.
  package func makeUnigram(_ variant: Unigram.Variant) throws(VocabularyError) -> Unigram {
    switch variant {
    case .tokenizers:
      try Unigram(
        makePieceTable(indexesAll: true), scores: pieces.map { Double($0.score) },
        unknownID: pieces.firstIndex { $0.type == .unknown }, byteFallback: hasByteFallback)
    case .sentencePiece:
      try Unigram(
        makePieceTable(), scores: pieces.map(\.score), types: pieces.map(\.type), byteFallback: hasByteFallback)
    }
  }

  /// Returns the normalizer that encodes text as `sentencepiece` does.
  package func makeNormalizer(_ pieces: PieceTable) throws(VocabularyError) -> SentencePieceNormalizer {
    SentencePieceNormalizer(
      map: normalizer.charactersMap.isEmpty ? nil : try CharacterMap(normalizer.charactersMap),
      userDefined: try PieceTrie(ids: self.pieces.indices.filter { self.pieces[$0].type == .userDefined }, of: pieces),
      addsDummyPrefix: normalizer.addsDummyPrefix, removesExtraWhitespace: normalizer.removesExtraWhitespace,
      escapesWhitespace: normalizer.escapesWhitespace, treatsWhitespaceAsSuffix: treatsWhitespaceAsSuffix)
  }
}
