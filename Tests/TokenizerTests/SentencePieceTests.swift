import Foundation
import Testing
import Tokenizer

/// Two small models, and the ids that `sentencepiece` and `tokenizers` give some texts with them. Written by
/// Scripts/reference/tokenizer/make_sentencepiece_fixture.py.
private enum Models {
  static let folder = Fixture.folder + "/sentencepiece/"

  static func file(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: folder + name))) }

  struct Golden: Decodable {
    let text, listedText, latticeText: String
    let listed, lattice, bpe, unigram: [Int32]
    let bpeEnds, unigramEnds: [Int]
  }

  static func golden() throws -> [Golden] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try String(contentsOfFile: folder + "golden.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try decoder.decode(Golden.self, from: Data($0.utf8)) }
  }

  /// The pieces of bpe.model as tokenizer.json stores them: with a list of merges.
  static func listed(
    ignoresMerges: Bool = false, byteFallback: Bool = true, fusesUnknown: Bool = true, merges: [[UInt8]]? = nil
  ) throws -> CharacterBPE {
    let table = try SentencePieceModel(file("bpe.model")).makePieceTable(indexesAll: true)
    return try makeListed(
      table, merges ?? file("merges.txt").split(separator: 0x0A).map(Array.init), ignoresMerges: ignoresMerges,
      byteFallback: byteFallback, fusesUnknown: fusesUnknown)
  }
}

/// Creates a model with merges that are two tokens with a space between them.
private func makeListed(
  _ pieces: PieceTable, _ merges: [[UInt8]], unknown: String? = "<unk>", ignoresMerges: Bool = false,
  byteFallback: Bool = true, fusesUnknown: Bool = true
) throws -> CharacterBPE {
  let text: [UInt8] = merges.flatMap { $0 + [0x20] }
  return try text.withUnsafeBufferPointer { text in
    let halves = text.split(separator: UInt8(ascii: " ")).map { UnsafeBufferPointer(rebasing: $0) }
    let pairs = stride(from: 0, to: halves.count, by: 2).map { (left: halves[$0], right: halves[$0 + 1]) }
    return try CharacterBPE(
      pieces, merges: pairs, unknownToken: unknown.map { Array($0.utf8) }, fusesUnknown: fusesUnknown,
      byteFallback: byteFallback, ignoresMerges: ignoresMerges)
  }
}

private func makePieces(_ pieces: [String]) throws -> PieceTable {
  let text = pieces.flatMap { Array($0.utf8) }
  return try text.withUnsafeBufferPointer { text in
    var start = 0
    let parts = pieces.map { piece in
      defer { start += piece.utf8.count }
      return UnsafeBufferPointer(rebasing: text[start..<start + piece.utf8.count])
    }
    return try PieceTable(parts, duplicates: .lastWins)
  }
}

/// Encodes a text twice, the second time with the cache, and checks that the tokens are the same.
private func encode(
  _ text: [UInt8], _ body: (UnsafeBufferPointer<UInt8>, TokenBuffer) throws -> Void
) throws -> (ids: [Int32], ends: [Int]) {
  let (first, second) = (TokenBuffer(recordsEnds: true), TokenBuffer(recordsEnds: true))
  try text.withUnsafeBufferPointer {
    try body($0, first)
    try body($0, second)
  }
  #expect(first.ids.elementsEqual(second.ids) && first.ends.elementsEqual(second.ends))
  return (Array(first.ids), Array(first.ends))
}

@Suite struct SentencePieceTests {
  @Test func scoresGiveTheIDsAndEndsOfSentencePiece() throws {
    let file = try SentencePieceModel(Models.file("bpe.model"))
    #expect(file.algorithm == .bpe && file.hasByteFallback && file.unknownID == 0 && file.normalizer.addsDummyPrefix)
    let model = try file.makeBPE()
    let (encoder, normalizer) = (model.makeEncoder(), try file.makeNormalizer(model.pieces))
    for golden in try Models.golden() {
      let (ids, ends) = try encode(Array(golden.text.utf8)) { text, tokens in
        let normalized = normalizer.normalize(text, recordsChanges: true)
        try normalized.bytes.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
        normalized.mapEnds(of: tokens, from: 0)
      }
      #expect(ids == golden.bpe, "\(golden.text)")
      #expect(zip(ends, golden.bpeEnds).allSatisfy { $1 < 0 || $0 == $1 }, "\(golden.text) \(ends)")
    }
  }

  @Test func unigramGivesTheIDsAndEndsOfSentencePiece() throws {
    let file = try SentencePieceModel(Models.file("unigram.model"))
    #expect(file.algorithm == .unigram && !file.hasByteFallback && !file.normalizer.charactersMap.isEmpty)
    let model = try file.makeUnigram(.sentencePiece)
    let (encoder, normalizer) = (model.makeEncoder(), try file.makeNormalizer(model.pieces))
    for golden in try Models.golden() {
      let (ids, ends) = try encode(Array(golden.text.utf8)) { text, tokens in
        let normalized = normalizer.normalize(text, recordsChanges: true)
        try normalized.bytes.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
        normalized.mapEnds(of: tokens, from: 0)
      }
      #expect(ids == golden.unigram, "\(golden.text)")
      #expect(ends == golden.unigramEnds, "\(golden.text)")
    }
  }

  @Test func listedMergesGiveTheIDsAndTextOfTokenizers() throws {
    let model = try Models.listed()
    let encoder = model.makeEncoder()
    let metaspace = Metaspace(splits: false)
    let decoder = try TokenTextDecoder([
      .replace(Array("▁".utf8), [0x20]), .byteFallback, .fuse, .strip([0x20], start: 1, stop: 0),
    ])
    for golden in try Models.golden() {
      let ids = try encode(Array(golden.text.utf8)) { text, tokens in
        let transformed = metaspace.transform(text, 0..<text.count, isFirst: true)
        try transformed.bytes.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
      }.ids
      #expect(ids == golden.listed, "\(golden.text)")
      let text = decoder.decode(ids.map { Array(model.pieces.bytes(of: Int($0))!) })
      #expect(String(decoding: text, as: UTF8.self) == golden.listedText)
    }
  }

  @Test func unigramGivesTheIDsAndTextOfTokenizers() throws {
    let file = try SentencePieceModel(Models.file("unigram.model"))
    let model = try file.makeUnigram(.tokenizers)
    let (encoder, map) = (model.makeEncoder(), try CharacterMap(file.normalizer.charactersMap))
    let metaspace = Metaspace()
    let decoder = try TokenTextDecoder([.metaspace(replacement: Array("▁".utf8), removesFirst: true)])
    for golden in try Models.golden() {
      let ids = try encode(Array(golden.text.utf8)) { text, tokens in
        let normalized = map.normalizeGraphemes(text, 0..<text.count)?.bytes ?? Array(text)
        let transformed = normalized.withUnsafeBufferPointer {
          metaspace.transform($0, 0..<$0.count, isFirst: true).bytes
        }
        try transformed.withUnsafeBufferPointer { text in
          var start = 0
          while start < text.count {
            let end = metaspace.preTokenEnd(in: text, from: start)
            try encoder.encode(UnsafeBufferPointer(rebasing: text[start..<end]), offset: start, into: tokens)
            start = end
          }
        }
      }.ids
      #expect(ids == golden.lattice, "\(golden.text)")
      let text = decoder.decode(ids.map { Array(model.pieces.bytes(of: Int($0))!) })
      #expect(String(decoding: text, as: UTF8.self) == golden.latticeText)
    }
  }

  @Test func bytesThatAreNotUTF8BecomeByteTokens() throws {
    let model = try Models.listed()
    let (ids, ends) = try encode([0x80, 0x74, 0xE2, 0x96]) { try model.makeEncoder().encode($0, into: $1) }
    let decoder = try TokenTextDecoder([.byteFallback])
    #expect(decoder.decode(ids.map { Array(model.pieces.bytes(of: Int($0))!) }) == [0x80, 0x74, 0xE2, 0x96])
    #expect(ends == [1, 2, 3, 4])
  }

  @Test func longTextsGiveTheTokensOfTheirWords() throws {
    let model = try Models.listed()
    let word = "▁the▁wisdom"
    let expected = try encode(Array(word.utf8)) { try model.makeEncoder().encode($0, into: $1) }.ids
    let text = Array(String(repeating: word, count: 5_000).utf8)
    let tokens = try encode(text) { try model.makeEncoder().encode($0, into: $1) }
    #expect(tokens.ids == Array(repeatElement(expected, count: 5_000).joined()))
    #expect(tokens.ends.last == text.count)
  }

  @Test func manySymbolsAreMergedAsFew() throws {
    // Without `▁` in the vocabulary a text is not split
    let pieces = try makePieces(["<unk>", "a", "b", "ab", "abab", "bb"])
    let merges = ["a b", "b b"].map { Array($0.utf8) }
    let model = try makeListed(pieces, merges, byteFallback: false)
    #expect(try encode(Array("ababbabb".utf8)) { try model.makeEncoder().encode($0, into: $1) }.ids == [3, 3, 2, 3, 2])
    let text = Array(String(repeating: "ababbabbx", count: 300).utf8)
    let ids = try encode(text) { try model.makeEncoder().encode($0, into: $1) }.ids
    #expect(ids == Array(repeatElement([3, 3, 2, 3, 2, 0], count: 300).joined()))
  }

  @Test func unknownCharactersAreFusedOrNot() throws {
    let pieces = try makePieces(["<unk>", "▁", "a"])
    let text = Array("a▁xyx▁ax".utf8)
    for (fuses, expected) in [(true, [2, 1, 0, 1, 2, 0]), (false, [2, 1, 0, 0, 0, 1, 2, 0])] as [(Bool, [Int32])] {
      let model = try makeListed(pieces, [], byteFallback: false, fusesUnknown: fuses)
      #expect(try encode(text) { try model.makeEncoder().encode($0, into: $1) }.ids == expected)
    }
    let model = try makeListed(pieces, [], unknown: nil, byteFallback: false)
    #expect(throws: TextEncodingError(byte: 0x78, offset: 4)) {
      _ = try encode(text) { try model.makeEncoder().encode($0, into: $1) }
    }
  }

  @Test func ignoredMergesGiveTheWholeToken() throws {
    let pieces = try makePieces(["<unk>", "a", "b", "ab"])
    for (ignores, expected) in [(true, [3]), (false, [1, 2])] as [(Bool, [Int32])] {
      let model = try makeListed(pieces, [], ignoresMerges: ignores)
      #expect(try encode(Array("ab".utf8)) { try model.makeEncoder().encode($0, into: $1) }.ids == expected)
    }
  }

  @Test func unusedPiecesAreSplitAgain() throws {
    let pieces = try makePieces(["<unk>", "a", "b", "ab", "abb"])
    let model = try CharacterBPE(
      pieces, scores: [0, -3, -4, -1, -2], types: [.unknown, .normal, .normal, .unused, .normal], byteFallback: false)
    #expect(try encode(Array("abbab".utf8)) { try model.makeEncoder().encode($0, into: $1) }.ids == [4, 1, 2])
  }

  @Test func equalScoresAreMergedFromTheLeft() throws {
    let pieces = try makePieces(["<unk>", "a", "aa"])
    let model = try CharacterBPE(
      pieces, scores: [0, 0, 0], types: [.unknown, .normal, .normal], byteFallback: false)
    #expect(try encode(Array("aaaaa".utf8)) { try model.makeEncoder().encode($0, into: $1) }.ids == [2, 2, 1])
  }

  @Test func reportsErrorsInModels() throws {
    func reason(_ bytes: [UInt8]) -> String? {
      do {
        _ = try SentencePieceModel(bytes)
        return nil
      } catch { return error.reason }
    }
    #expect(reason([]) == "no tokens: not a model of SentencePiece")
    #expect(reason([0x0A, 0x05, 0x0A]) == "byte 1: field 1 has 5 bytes, but its message has only 1 more")
    #expect(reason([0x0A, 0x03, 0x0A, 0x01, 0x61]) == "there is no unknown token")
    #expect(reason([0x0A, 0x02, 0x18, 0x09]) == "byte 3: token 0 has the unknown type 9")
    #expect(reason([0x0B]) == "byte 1: field 1 has the unsupported wire type 3")
    #expect(reason([0xFF]) == "byte 1: the message ends within a number")
    #expect(throws: VocabularyError.self) { try CharacterMap([8, 0, 0, 0, 0, 0, 0, 0]) }
    #expect(throws: VocabularyError.self) { try TokenTextDecoder([.fuse, .byteFallback]) }
    #expect(throws: VocabularyError.self) { try Models.listed(merges: [Array("the qqqq".utf8)]) }
    #expect(throws: VocabularyError.self) {
      try Unigram(makePieces(["a"]), scores: [.nan], unknownID: 0, byteFallback: false)
    }
    #expect(throws: VocabularyError.self) {
      try Unigram(makePieces(["a"]), scores: [0], unknownID: 1, byteFallback: false)
    }
  }

  @Test(arguments: [
    (Metaspace.PrependScheme.always, true, "▁a▁b|▁▁a|▁"), (.always, false, "▁a▁b|▁▁a|▁"),
    (.first, true, "▁a▁b|▁▁a|▁"), (.first, false, "a▁b|▁▁a|▁"), (.never, true, "a▁b|▁▁a|▁"),
    (.exceptFirst, true, "a▁b|▁▁a|▁"), (.exceptFirst, false, "▁a▁b|▁▁a|▁"),
  ])
  func metaspaceIsPrepended(scheme: Metaspace.PrependScheme, isFirst: Bool, expected: String) {
    let metaspace = Metaspace(prependScheme: scheme)
    let found = ["a b", " ▁a", " "].map { text in
      Array(text.utf8).withUnsafeBufferPointer { text in
        String(decoding: metaspace.transform(text, 0..<text.count, isFirst: isFirst).bytes, as: UTF8.self)
      }
    }
    #expect(found.joined(separator: "|") == expected)
  }

  @Test func textIsStrippedAcrossTokens() throws {
    let decoder = try TokenTextDecoder([.fuse, .strip([0x20], start: 2, stop: 0)])
    #expect(decoder.decode([[0x20], [], [0x20, 0x20, 0x61], [0x20]]) == [0x20, 0x61, 0x20])
    let each = try TokenTextDecoder([.strip([0x20], start: 1, stop: 1)])
    #expect(each.decode([[0x20, 0x20, 0x61], [0x62, 0x20]]) == [0x20, 0x61, 0x62])
  }
}
