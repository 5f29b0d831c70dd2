import Scoring
import Testing

@Suite struct TokenizedTextTests {
  private func text(_ tokens: String...) -> TokenizedText {
    TokenizedText(tokens.map { (bytes: Array($0.utf8), isSpecial: $0.hasPrefix("<|")) })
  }

  private func words(_ text: TokenizedText) -> [String] { text.words().map { string(text, $0) } }

  private func string(_ text: TokenizedText, _ word: TokenizedText.Word) -> String {
    let bytes = String(decoding: text.bytes[word.bytes], as: UTF8.self)
    return "\(bytes) \(word.tokens.lowerBound)-\(word.tokens.upperBound)"
  }

  @Test func whiteSpaceSeparatesWords() {
    #expect(words(text("The", " key", "s", ".")) == ["The 0-1", "keys. 1-4"])
    #expect(words(text("a", " ", " b")) == ["a 0-1", "b 1-3"], "two spaces")
    #expect(words(text("a", "\r", "\n", "b", "\n")) == ["a 0-1", "b 1-4"], "line ends; the last belongs to no word")
    #expect(words(text("  ", "\t")) == [])
    #expect(words(text()) == [])
    #expect(
      words(text(" a", "\u{A0}", "b", "\u{2003}c", "\u{3000}", "d\u{85}e")) == [
        "a 0-1", "b 1-3", "c 3-4", "d 4-6", "e 0-0",
      ])
  }

  @Test func tokensCanBePartsOfCharacters() {
    let euro: [UInt8] = [0xE2, 0x82, 0xAC]
    let text = TokenizedText([
      (bytes: [0x35], isSpecial: false), (bytes: [0x20] + euro[..<1], isSpecial: false),
      (bytes: Array(euro[1...]), isSpecial: false), (bytes: [0xC2], isSpecial: false),
      (bytes: [0xA0, 0xFF], isSpecial: false),
    ])
    #expect(text.words().map(\.tokens) == [0..<1, 1..<3, 3..<5], "the no-break space is divided between two tokens")
    #expect(text.words().map { text.characterCount(in: $0.bytes) } == [1, 1, 1])
  }

  @Test func specialTokensSeparateWords() {
    #expect(words(text("<|endoftext|>", "a", " b")) == ["a 1-2", "b 2-3"])
    #expect(words(text("a", " ", "<|x|>", "b")) == ["a 0-1", "b 3-4"], "white space before it belongs to no word")
  }

  @Test func listedWordsCanHaveSpacesAndBePartsOfTokens() throws {
    let text = text("The", " old", " man", " don", "'t", " sit", ".")
    func words(_ list: String...) throws -> [String] {
      try text.words(list.map { Array($0.utf8) }).map { string(text, $0) }
    }
    #expect(try words("The old man", "don't", "sit", ".") == ["The old man 0-3", "don't 3-5", "sit 5-6", ". 6-7"])
    #expect(
      try words("The old ", " man", "do", "n't sit", ".") == [
        "The old 0-2", "man 2-3", "do 3-4", "n't sit 4-6", ". 6-7",
      ])
    #expect(try words("T", "he", "old man don't sit.") == ["T 0-1", "he 0-0", "old man don't sit. 1-7"])
    #expect(throws: TokenizedText.WordListError(index: 1, offset: 4)) { try words("The", "young man") }
    #expect(throws: TokenizedText.WordListError(index: nil, offset: 18)) { try words("The old man don't") }
    #expect(throws: TokenizedText.WordListError(index: 0, offset: 0)) { try words(" ") }
  }

  @Test func findsTheTokensOfABeginning() {
    let text = text("<|endoftext|>", "The", " key", " is", ".")
    func count(_ beginning: String) -> Int? { text.tokenCount(ofBeginning: Array(beginning.utf8)) }
    #expect(count("The key") == 3)
    #expect(count("The key ") == 3, "the space belongs to the next word")
    #expect(count("The k") == 3, "the token that begins in the context is context")
    #expect(count("") == 1)
    #expect(count("The key is.") == 5)
    #expect(count("The key is. No") == nil)
    #expect(count("the") == nil)
  }
}
