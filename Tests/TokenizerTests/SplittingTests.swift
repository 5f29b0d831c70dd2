import Testing
import Tokenizer

/// The pieces of a text, `|` between them, after what `Digits` does, if it does.
private func pieces(_ text: [UInt8], _ digits: DigitSplitting = .none) -> [ArraySlice<UInt8>] {
  text.withUnsafeBufferPointer { bytes in
    var result: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
      let partEnd = digits.partEnd(in: bytes, from: start, to: bytes.count)
      while start < partEnd {
        let end = pieceEnd(in: bytes, from: start, to: partEnd)
        result.append(text[start..<end])
        start = end
      }
    }
    return result
  }
}

private func pieces(_ text: String, _ digits: DigitSplitting = .none) -> String {
  pieces(Array(text.utf8), digits).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
}

@Suite struct SplittingTests {
  @Test(arguments: [
    // runs of one class, a space in front
    ("Once upon a time", "Once| upon| a| time"),
    ("abc123!?", "abc|123|!?"),
    ("abc 123 !?", "abc| 123| !?"),
    ("1.5e3", "1|.|5|e|3"),
    ("ÉcoleМир東京", "ÉcoleМир東京"),
    ("x²½Ⅳ٣", "x|²½Ⅳ٣"),
    ("e\u{301}a", "e|\u{301}|a"),  // a combining mark is neither letter nor number
    ("hi👍🏽you", "hi|👍🏽|you"),
    // contractions, lower case only, and only where a piece begins
    ("it's they're I'm we've he'll she'd can't", "it|'s| they|'re| I|'m| we|'ve| he|'ll| she|'d| can|'t"),
    ("IT'S", "IT|'|S"),
    ("'sound", "'s|ound"),
    (" 's", " '|s"),
    ("!'s", "!'|s"),
    ("''s", "''|s"),
    ("'l 've 'r 'v '", "'|l| '|ve| '|r| '|v| '"),
    ("'", "'"),
    ("’s", "’|s"),
    // white space
    ("a  b", "a| | b"),
    ("a   b", "a|  | b"),
    ("a   ", "a|   "),
    (" ", " "),
    ("   ", "   "),
    ("a\tb", "a|\t|b"),
    ("a \tb", "a| |\t|b"),
    ("a\t b", "a|\t| b"),
    ("a\n\nb", "a|\n|\n|b"),
    ("a\r\nb", "a|\r|\n|b"),
    ("a\r\n", "a|\r\n"),
    ("a\u{A0}\u{A0}b", "a|\u{A0}|\u{A0}|b"),
    ("a\u{3000} b", "a|\u{3000}| b"),
    ("a\u{85}b\u{2028}c", "a|\u{85}|b|\u{2028}|c"),
    ("a\u{200B}b", "a|\u{200B}|b"),  // a zero-width space is no white space
    ("a \u{0}", "a| \u{0}"),
    ("", ""),
  ])
  func gpt2Rule(text: String, expected: String) { #expect(pieces(text) == expected) }

  @Test(arguments: [
    ("a 12 b", "a| |1|2| b", "a| |12| b"),
    ("2024", "2|0|2|4", "2024"),
    ("a1b22c", "a|1|b|2|2|c", "a|1|b|22|c"),
    ("a  1", "a|  |1", "a|  |1"),  // the white space ends the part
    ("it's 5's", "it|'s| |5|'s", "it|'s| |5|'s"),
    ("½٣", "½|٣", "½٣"),
    // digits of Unicode 17, which the splitting rule does not know yet
    ("1\u{11DE0}\u{11DE1}", "1|\u{11DE0}|\u{11DE1}", "1|\u{11DE0}\u{11DE1}"),
  ])
  func digitsAreCutOutFirst(text: String, individual: String, runs: String) {
    #expect(pieces(text, .individual) == individual)
    #expect(pieces(text, .runs) == runs)
  }

  @Test(arguments: [
    ([0x61, 0xFF, 0x61], [1, 1, 1]),
    ([0x61, 0xFF, 0xFE, 0x21, 0x61], [1, 3, 1]),  // bytes that are not UTF-8 run on with punctuation
    ([0x20, 0x80], [2]),
    ([0xC3], [1]),
    ([0xC3, 0x61], [1, 1]),
    ([0xC0, 0x80, 0xC1, 0xBF], [4]),  // overlong
    ([0xE0, 0x80, 0x80, 0xED, 0xA0, 0x80], [6]),  // overlong, a surrogate
    ([0xF5, 0x80, 0x80, 0x80], [4]),
    ([0xF4, 0x90, 0x80, 0x80], [4]),  // beyond U+10FFFF
    ([0xE6, 0x9D, 0x61], [2, 1]),
    ([0xC3, 0xA9, 0xA9, 0x61], [2, 1, 1]),  // é and a stray byte
  ])
  func invalidUTF8IsNeitherLetterNorNumberNorSpace(bytes: [UInt8], lengths: [Int]) {
    #expect(pieces(bytes).map(\.count) == lengths)
  }
}
