import Tokenizer

extension FuzzTarget {
  /// tokenizer.model: any file is rejected with a message, or encodes texts whose tokens cover the text.
  static let sentencePiece = FuzzTarget("sentencepiece", longestInput: 4_000) { input in
    let file: SentencePieceModel
    do { file = try SentencePieceModel(Array(input)) } catch let error as VocabularyError {
      return try expect(!error.reason.isEmpty, "no message")
    }
    for text in sampleTexts(of: file) {
      try text.withUnsafeBufferPointer { text in
        do {
          if file.algorithm == .bpe {
            let model = try file.makeBPE()
            let normalized = try file.makeNormalizer(model.pieces).normalize(text, recordsChanges: true)
            try checkTokens(normalized, text.count) { try model.makeEncoder().encode($0, into: $1) }
          } else {
            for variant in [Unigram.Variant.sentencePiece, .tokenizers] {
              let model = try file.makeUnigram(variant)
              let normalized = try file.makeNormalizer(model.pieces).normalize(text, recordsChanges: true)
              try checkTokens(normalized, text.count) { try model.makeEncoder().encode($0, into: $1) }
            }
          }
        } catch let error as VocabularyError {
          try expect(!error.reason.isEmpty, "no message")
        }
      }
    }
  }

  /// A character map and a text: the first two bytes are the size of the text.
  static let characterMap = FuzzTarget("charsmap", longestInput: 2_000) { input in
    guard input.count > 2 else { return }
    let size = min(Int(input[0]) | Int(input[1]) << 8, input.count - 2)
    let text = UnsafeBufferPointer(rebasing: input[2..<2 + size])
    guard let map = try? CharacterMap(Array(input[(2 + size)...])) else { return }
    let recorded = map.normalizeGraphemes(text, 0..<size, recordsChanges: true)
    try expect(recorded?.bytes == map.normalizeGraphemes(text, 0..<size)?.bytes, "different with changes")
    if let recorded { try checkTokens(recorded, size) { tokenizeBytes($0, $1) } }
  }

  /// Scores of pieces over three characters, and a text: the tokens are those of the slowest form of the algorithms.
  static let scores = FuzzTarget("scores", longestInput: 200) { input in
    guard input.count > 40 else { return }
    let alphabet = [Array("a".utf8), Array("é".utf8), Array("▁".utf8)]
    // All pieces of at most three characters; the bits and the sign of a byte say whether and how a piece is used
    var spellings = alphabet
    for _ in 0..<2 { spellings += spellings.suffix(27).flatMap { start in alphabet.map { start + $0 } } }
    spellings = Array(spellings.prefix(39))
    var pieces = [Array("<unk>".utf8)]
    var scores: [Double] = [0]
    for (spelling, byte) in zip(spellings, input) where byte & 1 == 1 && !pieces.contains(spelling) {
      pieces.append(spelling)
      scores.append(-Double(byte >> 1 & 15))
    }
    let text = input.dropFirst(39).flatMap { $0 & 3 == 3 ? [UInt8(ascii: "x")] : alphabet[Int($0 & 3)] }
    let table = try makeTable(pieces)
    let types = pieces.indices.map { $0 == 0 ? SentencePieceType.unknown : .normal }
    let tokens = TokenBuffer(recordsEnds: true)
    let bpe = try CharacterBPE(table, scores: scores.map { Float($0) }, types: types, byteFallback: false)
    try text.withUnsafeBufferPointer { try bpe.makeEncoder().encode($0, into: tokens) }
    try expect(Array(tokens.ids) == plainBPE(text, pieces, scores), "BPE: \(Array(tokens.ids))")
    tokens.removeAll()
    let unigram = try Unigram(table, scores: scores, unknownID: 0, byteFallback: false)
    try text.withUnsafeBufferPointer { try unigram.makeEncoder().encode($0, into: tokens) }
    try expect(tokens.ends.last ?? 0 == text.count, "the tokens end at \(tokens.ends.last ?? 0)")
  }
}

/// Texts, and the pieces of the model in both orders.
private func sampleTexts(of file: SentencePieceModel) -> [[UInt8]] {
  let pieces = file.pieces.prefix(40).map { file.bytes[$0.range].prefix(100) }
  return [Array(" it's  12 é\n▁▁\u{FB01}".utf8) + [0x80], Array(pieces.joined()), Array(pieces.reversed().joined())]
}

/// Checks that ends are ascending offsets in the normalized and in the original text, and that the last is the end.
private func checkTokens(
  _ normalized: NormalizedText, _ originalCount: Int,
  _ encode: (UnsafeBufferPointer<UInt8>, TokenBuffer) throws -> Void
) throws {
  let tokens = TokenBuffer(recordsEnds: true)
  do { try normalized.bytes.withUnsafeBufferPointer { try encode($0, tokens) } } catch let error as TextEncodingError {
    return try expect(error.offset.map { error.reason == .noToken(normalized.bytes[$0]) } ?? false, "\(error)")
  }
  try expect(tokens.ends.last ?? 0 == normalized.bytes.count, "the tokens end at \(tokens.ends.last ?? 0)")
  normalized.mapEnds(of: tokens, from: 0)
  for (end, next) in zip(tokens.ends, tokens.ends.dropFirst()) { try expect(end <= next, "\(end) before \(next)") }
  try expect(tokens.ends.allSatisfy { (0...originalCount).contains($0) }, "an end after the text")
}

/// Appends a token for each byte.
private func tokenizeBytes(_ text: UnsafeBufferPointer<UInt8>, _ tokens: TokenBuffer) {
  for index in text.indices { tokens.append(0, end: index + 1) }
}

private func makeTable(_ pieces: [[UInt8]]) throws -> PieceTable {
  let text = pieces.flatMap { $0 }
  return try text.withUnsafeBufferPointer { text in
    var start = 0
    let parts = pieces.map { piece in
      defer { start += piece.count }
      return UnsafeBufferPointer(rebasing: text[start..<start + piece.count])
    }
    return try PieceTable(parts, duplicates: .lastWins)
  }
}

/// Joins the best pair, the leftmost of equal ones, until no pair is a piece.
private func plainBPE(_ text: [UInt8], _ pieces: [[UInt8]], _ scores: [Double]) -> [Int32] {
  var symbols = String(decoding: text, as: UTF8.self).unicodeScalars.map { Array(String($0).utf8) }
  while true {
    var best: (score: Double, index: Int)?
    for index in symbols.indices.dropLast() {
      guard let id = pieces.firstIndex(of: symbols[index] + symbols[index + 1]), id > 0 else { continue }
      if scores[id] > best?.score ?? -.infinity { best = (scores[id], index) }
    }
    guard let best else { break }
    symbols[best.index] += symbols.remove(at: best.index + 1)
  }
  var ids: [Int32] = []
  for symbol in symbols {
    let id = Int32(pieces.firstIndex(of: symbol) ?? 0)
    if id > 0 || ids.last != 0 { ids.append(id) }
  }
  return ids
}
