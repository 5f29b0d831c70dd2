import Foundation
import TestSupport
import Testing
import Tokenizer

@Suite struct NFCTests {
  /// Opens a tokenizer that normalizes to NFC and has a token for each byte only.
  private func tokenizer(addedTokens: String = "") throws -> Tokenizer {
    try openTokenizer([
      "tokenizer.json": #"""
      {"added_tokens":[\#(addedTokens)],"normalizer":{"type":"NFC"},
       "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
       "model":{"vocab":\#(SmallVocabulary().vocabularyJSON),"merges":[]}}
      """#
    ])
  }

  private func normalized(_ text: [UInt8]) throws -> [UInt8] {
    let tokenizer = try tokenizer()
    return tokenizer.decode(try tokenizer.encode(text).ids)
  }

  @Test(arguments: [
    ("e\u{301}", "é"),
    ("A\u{30A}", "Å"),
    ("a\u{308}\u{323}", "ạ\u{308}"),  // marks are reordered; then there is no composite for the second
    ("o\u{302}\u{301}", "ố"),
    ("\u{1100}\u{1161}\u{11A8}", "각"),
    ("가\u{11A8}\u{11A8}", "각\u{11A8}"),
    ("\u{212B}\u{2126}\u{F900}", "ÅΩ豈"),  // singleton decompositions
    ("\u{958}\u{FB1D}", "\u{915}\u{93C}\u{5D9}\u{5B4}"),  // decomposed and not composed again
    ("\u{344}\u{301}", "\u{308}\u{301}\u{301}"),
    ("\u{301}a \u{308}", "\u{301}a \u{308}"),
    ("a\u{5B0}\u{301}", "á\u{5B0}"),  // a mark of a lower class does not block
    ("a\u{315}\u{301}x", "á\u{315}x"),
    ("नमस्ते ด้วย é 각", "नमस्ते ด้วย é 각"),
  ])
  func composesLettersAndMarks(text: String, expected: String) throws {
    #expect(try normalized(Array(text.utf8)) == Array(expected.utf8))
  }

  /// Syllables without a trailing consonant are omitted: Foundation does not compose them with a trailing consonant.
  @Test func agreesWithFoundation() throws {
    let scalars =
      "aeoAzéạộü갂각 \u{1100}\u{1161}\u{11A8}\u{300}\u{301}\u{302}\u{308}\u{323}\u{327}\u{328}\u{338}\u{345}"
      .unicodeScalars.map { $0 }
      + "\u{5B0}\u{5BC}\u{64B}\u{653}\u{627}\u{93C}\u{915}\u{94D}\u{DD9}\u{DCA}\u{DCF}\u{F71}\u{F74}\u{3099}\u{304B}"
      .unicodeScalars
      + "\u{212B}\u{2126}\u{F900}\u{FB1D}\u{344}\u{1E9B}\u{1F71}\u{3C9}\u{1D15E}\u{2F800}".unicodeScalars
    let tokenizer = try tokenizer()
    let encoder = tokenizer.makeEncoder()
    let tokens = TokenBuffer(recordsEnds: true)
    var generator = SeededGenerator(8)
    for _ in 0..<20_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 1...10, using: &generator) { text.append(scalars.randomElement(using: &generator)!) }
      let bytes = Array(String(text).utf8)
      tokens.removeAll()
      try bytes.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
      let expected = Array(String(text).precomposedStringWithCanonicalMapping.utf8)
      guard tokenizer.decode(Array(tokens.ids)) == expected else {
        Issue.record("\(text.map { String($0.value, radix: 16) }) becomes \(tokenizer.decode(Array(tokens.ids)))")
        return
      }
      #expect(tokens.ends.last == bytes.count && zip(tokens.ends, tokens.ends.dropFirst()).allSatisfy { $0 <= $1 })
    }
  }

  @Test func keepsBytesThatAreNotUTF8() throws {
    for bytes: [UInt8] in [
      [0xCC], [0x65, 0xCC], [0xFF, 0xCC, 0x81], [0x65, 0xCC, 0x81, 0xCC], [0xE1, 0x85, 0xA1, 0xE1],
    ] {
      let expected = bytes.starts(with: [0x65, 0xCC, 0x81]) ? [0xC3, 0xA9] + bytes[3...] : bytes
      #expect(try normalized(bytes) == expected)
    }
  }

  @Test func endsAreOffsetsInTheOriginalText() throws {
    // The token of C3, the first byte of é, ends at the start of e; that of A9 after the accent
    #expect(try tokenizer().encode(Array("xe\u{301}y".utf8)).ends == [1, 1, 4, 5])
    #expect(try tokenizer().encode(Array("xe\u{301}y".utf8), prefix: true).ends == [0, 1, 1, 4, 5])
    #expect(try tokenizer().encode(Array("e\u{301}e\u{301}é".utf8)).ends == [0, 3, 3, 6, 7, 8])
  }

  @Test func addedTokensAreFoundBeforeOrAfterNormalization() throws {
    let tokenizer = try tokenizer(
      addedTokens: #"""
        {"id":300,"content":"e\u0301!","normalized":true},{"id":301,"content":"e\u0301?","normalized":false}
        """#)
    #expect(try tokenizer.encode("é!e\u{301}!e\u{301}?é?").suffix(6) == [300, 300, 301, 0xC3, 0xA9, 0x3F])
    #expect(try tokenizer.encode(Array("e\u{301}!a".utf8)).ends == [4, 5])
    #expect(tokenizer.decode([300]) == Array("e\u{301}!".utf8))
  }
}
