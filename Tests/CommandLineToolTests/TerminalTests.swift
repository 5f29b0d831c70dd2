import CommandLineTool
import JSON
import JSONLines
import Testing

@Suite struct TerminalTests {
  private func shown(_ bytes: [UInt8], isUTF8: Bool = true) -> String {
    bytes.withUnsafeBufferPointer { quoted($0, isUTF8: isUTF8) }
  }

  @Test(arguments: [
    (" of", "\" of\""), ("", "\"\""), ("a\"b\\", #""a\"b\\""#), ("\n\t\r", #""\n\t\r""#),
    ("\u{1B}[31m", #""\u{1B}[31m""#), ("\u{0}\u{7F}", #""\u{0}\u{7F}""#),
    ("é☃", "\"é☃\""), ("\u{200B}\u{2028}\u{E000}", #""\u{200B}\u{2028}\u{E000}""#),
  ])
  func escapesInvisibleCharacters(_ text: String, _ expected: String) {
    #expect(shown(Array(text.utf8)) == expected)
  }

  @Test(arguments: [
    (0.19406 as Float, 4, "0.1941"), (0, 4, "0.0000"), (0.99999, 4, "1.0000"), (12.34, 1, "12.3"), (0.96, 0, "1"),
    (1e13, 1, ">1e12"), (-0.2, 1, "0.0"),
  ])
  func writesNumbersWithFixedDecimals(_ number: Float, _ decimals: Int, _ expected: String) {
    #expect(fixedPoint(number, decimals: decimals) == expected)
  }

  @Test func escapesInvalidUTF8AndNonASCII() {
    #expect(shown([0xE2, 0x82]) == #""\xE2\x82""#)
    #expect(shown([0xC3, 0xA9, 0xE2, 0x61, 0xFF]) == #""é\xE2a\xFF""#)
    #expect(shown(Array("é".utf8), isUTF8: false) == #""\u{E9}""#)
  }

  @Test(arguments: [
    ("plain", "plain"), ("0…5", "0...5"), ("“x” ‘y’", "\"x\" 'y'"), ("a – b — c", "a - b -- c"),
    ("café", #"caf\u{E9}"#),
    ("日\u{1F600}", #"\u{65E5}\u{1F600}"#), ("2 × 3 → 6", "2 x 3 -> 6"),
  ])
  func messagesAreASCIIIfTheLocaleIsNotUTF8(_ text: String, _ expected: String) {
    #expect(asciiOnly(text) == expected)
  }

  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("😀", 2), ("한", 2), ("ｱ", 1), ("⌚🚀🪿", 6),
    ("한", 2), ("🇫🇷", 2), ("☃", 1), ("Ａ", 2), ("ไก่", 2), ("שלום", 4),
  ])
  func countsTerminalColumns(_ text: String, _ width: Int) {
    #expect(columns(text) == width)
    #expect(
      padded(text, 6).hasPrefix(text) && columns(padded(text, 6)) == 6 && padded(text, 6, right: true).hasSuffix(text))
    #expect(padded(text, 0) == text)
  }

  @Test(arguments: [
    ("abc", 3, "abc"), ("abc", 2, "a…"), ("abc", 1, "…"), ("abc", 0, ""), ("日本語", 5, "日本…"), ("日本語", 4, "日…"),
    ("e\u{301}te", 2, "e\u{301}…"),
  ])
  func cutsTextToAWidth(_ text: String, _ width: Int, _ expected: String) {
    let cut = Terminal(width: 80, showsBars: false, palette: .none, isUTF8: true).cut(text, to: width)
    #expect(cut == expected && columns(cut) <= width)
    #expect(!Terminal(width: 80, showsBars: false, palette: .none, isUTF8: false).cut(text, to: width).contains("…"))
  }

  @Test func reportsIDsOutsideTheVocabulary() throws {
    func message(_ line: String, _ count: Int) throws -> String? {
      try Array(line.utf8).withUnsafeBufferPointer { bytes in
        let record = try Record(bytes)
        do {
          _ = try record.ids(inVocabularyOf: count)
          return nil
        } catch { return (error as? RecordError)?.message }
      }
    }
    #expect(try message("[0,4]", 5) == nil)
    #expect(try message("[0,5]", 5) == #""ids"[1] is 5, but the vocabulary has 5 tokens (0 to 4)"#)
    #expect(try message("[-1]", 5) == #""ids"[0] is -1, but the vocabulary has 5 tokens (0 to 4)"#)
    #expect(try message("{}", 5) == #""ids" is missing"#)
  }

  @Test func rejectsNonFiniteLogits() {
    func message(_ logits: [Float]) -> String? {
      do {
        try logits.withUnsafeBufferPointer { try requireFinite($0, position: 4) }
        return nil
      } catch { return (error as? RecordError)?.message }
    }
    #expect(message([1, 2]) == nil)
    #expect(message([1, .nan]) == "the logit of token 1 at position 4 is nan: the model's weights are damaged")
    #expect(message([-.infinity, 1])?.contains("token 0 at position 4 is -inf") == true)
  }
}
