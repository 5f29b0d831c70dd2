import CPlatform

// The tables of models of characters in an image, checked like those of a byte-level vocabulary.

extension ImageWriter {
  mutating func append(_ tokens: DecodedTokens) {
    let spellings = tokens.spellings
    append(spellings.added.ids)
    append(spellings.added.ends)
    append(spellings.added.text)
    append(tokens.decoder)
    append(tokens.ends)
    append(tokens.text)
  }

  /// - Parameter hasIndex: If false, no piece can be found by its bytes.
  mutating func append(_ pieces: PieceTable, hasIndex: Bool) {
    append(pieces.arrays.tokens)
    append(pieces.arrays.bytes)
    append(hasIndex ? pieces.arrays.index : TokenIndex(capacity: 0, in: Slab()))
    append(pieces.arrays.characters)
  }

  mutating func append(_ model: CharacterBPE) {
    append(Int(model.unknownID))
    append(model.fusesUnknown)
    append(model.ignoresMerges)
    appendByteIDs(model.byteIDs)
    append(model.splitting) { writer, splitting in
      let (pairs, beforeMark) = splitting.tables
      writer.append(table: pairs)
      beforeMark.withUnsafeBufferPointer { writer.append(table: $0) }
    }
    switch model.rule {
    case .merges(let table):
      append(0)
      append(table.table)
      append(table.resultsByRank)
    case .scores(let ranks, let userDefined):
      append(1)
      append(ranks)
      append(model.unusedIDs.sorted()) { $0.append(Int($1)) }
      append(userDefined) { $0.append($1) }
    }
  }

  mutating func append(_ model: Unigram) {
    append(Int(model.unknownID))
    append(model.unknownScore.bitPattern)
    append(model.variant == .sentencePiece)
    appendByteIDs(model.byteIDs)
    append(model.scores)
    append(model.trie) { $0.append($1) }
  }

  private mutating func append(_ trie: PieceTrie) {
    append(trie.arrays.entries)
    append(trie.arrays.ids)
    append(trie.arrays.rootChildren)
  }

  private mutating func appendByteIDs(_ ids: [Int32]?) {
    append(ids) { writer, ids in writer.append(ids) { writer, id in writer.append(Int(id)) } }
  }
}

extension ImageReader {
  mutating func decodedTokens(_ pieces: PieceTable) throws(ImageError) -> DecodedTokens {
    let added = TokenSpellings.Added(ids: try array(), ends: try array(), text: try array())
    try added.ids.checkIDs(below: Vocabulary.limit, least: 0)
    try require(zip(added.ids.buffer, added.ids.buffer.dropFirst()).allSatisfy { $0 < $1 })
    try require(added.ends.count == added.ids.count + 1)
    try added.ends.checkEnds(in: added.text.count)
    let spellings = TokenSpellings(pieces, added)
    let decoder = try decoder()
    let (ends, text): (FlatArray<UInt32>, FlatArray<UInt8>) = (try array(), try array())
    try require(ends.count == spellings.count + 1)
    try ends.checkEnds(in: text.count)
    return DecodedTokens(spellings, decoder, ends: ends, text: text)
  }

  mutating func pieceTable() throws(ImageError) -> PieceTable {
    let tokens: FlatArray<Vocabulary.Token> = try array()
    let bytes: FlatArray<UInt8> = try array()
    try checkTokens(tokens, bytes)
    let index = try tokenIndex(tokenCount: tokens.count)
    let characters: FlatArray<Int32> = try array()
    try require(characters.count == PieceTable.characterLimit)
    try characters.checkIDs(below: tokens.count, least: -1)
    let table = PieceTable(
      PieceTable.Arrays(tokens: tokens, bytes: bytes, index: index, characters: characters))
    // Unused pieces are split within their bytes
    for scalar in 0..<PieceTable.characterLimit where characters.base[scalar] >= 0 {
      let piece = table.bytes(of: Int(characters.base[scalar]))
      try require(piece.flatMap(PieceTable.character).map(Int.init) == scalar)
    }
    return table
  }

  mutating func characterBPE(_ pieces: PieceTable) throws(ImageError) -> CharacterBPE {
    let unknownID = Int32(try integer(in: -1...pieces.count - 1))
    let (fusesUnknown, ignoresMerges) = (try flag(), try flag())
    let byteIDs = try byteIDs(pieces)
    let splitting = try optional { (reader) throws(ImageError) -> SafeSplitting in
      let (pairs, beforeMark): (FlatArray<UInt64>, FlatArray<UInt8>) = (try reader.array(), try reader.array())
      try require(pairs.count == SafeSplitting.pairWords && beforeMark.count == 256)
      return SafeSplitting(pairs: pairs.buffer, beforeMark: beforeMark.buffer)
    }
    let rule: CharacterBPE.Rule
    var unusedIDs: Set<Int32> = []
    if try flag() {
      let ranks: FlatArray<UInt32> = try array()
      try require(ranks.count == pieces.count && byteIDs?.contains(-1) != true)
      try require(ranks.buffer.allSatisfy { $0 == CharacterBPE.noMerge || $0 < Vocabulary.limit })
      unusedIDs = Set(
        try values { (reader) throws(ImageError) in Int32(try reader.integer(in: 0...pieces.count - 1)) })
      rule = .scores(
        ranks: ranks, userDefined: try optional { (reader) throws(ImageError) in try reader.pieceTrie(pieces) })
    } else {
      rule = .merges(try pairTable(pieces))
    }
    return CharacterBPE(
      pieces, rule, unknownID: unknownID, fusesUnknown: fusesUnknown, byteIDs: byteIDs, ignoresMerges: ignoresMerges,
      unusedIDs: unusedIDs, splitting: splitting)
  }

  mutating func unigram(_ pieces: PieceTable) throws(ImageError) -> Unigram {
    let unknownID = Int32(try integer(in: -1...pieces.count - 1))
    let unknownScore = Double(bitPattern: try word())
    let variant: Unigram.Variant = try flag() ? .sentencePiece : .tokenizers
    let byteIDs = try byteIDs(pieces)
    try require(unknownID >= 0 || byteIDs?.contains(-1) != true)
    let scores: FlatArray<Double> = try array()
    try require(scores.count >= pieces.count)
    let trie = try optional { (reader) throws(ImageError) in try reader.pieceTrie(pieces) }
    return Unigram(
      pieces, trie, scores: scores, variant, unknownID: unknownID, unknownScore: unknownScore, byteIDs: byteIDs)
  }

  private mutating func byteIDs(_ pieces: PieceTable) throws(ImageError) -> [Int32]? {
    let ids = try optional { (reader) throws(ImageError) in
      try reader.values { (reader) throws(ImageError) in Int32(try reader.integer(in: -1...pieces.count - 1)) }
    }
    try require(ids.map { $0.count == 256 } ?? true)
    return ids
  }

  private mutating func pairTable(_ pieces: PieceTable) throws(ImageError) -> PairTable {
    let entries: FlatArray<UInt64> = try array()
    let results: FlatArray<Int32> = try array()
    try require(entries.hasSizeOfHashTable && results.count <= Vocabulary.limit)
    try results.checkIDs(below: pieces.count, least: 0)
    let summary = lmpipe_summarize_64(entries.base, entries.count, 1 << PairTable.rankBits - 1)
    try require(summary.highest <= results.count)
    // An entry that is not empty has a rank plus one
    try require(summary.empty == summary.valueless && 2 * Int(summary.empty) >= entries.count)
    return PairTable(entries, results: results)
  }

  private mutating func pieceTrie(_ pieces: PieceTable) throws(ImageError) -> PieceTrie {
    let arrays = PieceTrie.Arrays(entries: try array(), ids: try array(), rootChildren: try array())
    let (entries, ids) = (arrays.entries, arrays.ids)
    try require(entries.hasSizeOfHashTable && 1...PieceTrie.maxNodes ~= ids.count && arrays.rootChildren.count == 256)
    try ids.checkIDs(below: pieces.count, least: -1)
    // A child is created after its parent, which bounds the length of a path
    var (empty, isValid) = (0, true)
    for entry in entries.buffer {
      let (child, parent) = (entry & 0xFFFF_FFFF, entry >> 40)
      empty &+= entry == 0 ? 1 : 0
      isValid = isValid && (entry == 0 || child > parent && child < ids.count)
    }
    try require(isValid && 2 * empty >= entries.count)
    try require(arrays.rootChildren.buffer.allSatisfy { $0 < ids.count })
    return PieceTrie(arrays)
  }
}
