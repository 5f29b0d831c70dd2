import FuzzTargets
import TestSupport
import Testing
import Tokenizer

/// Returns the lengths of the pre-tokens of a text, after `digits`.
private func lengths(_ text: [UInt8], _ preTokenizer: KnownPattern, _ digits: DigitSplitting = .none) -> [Int] {
  text.withUnsafeBufferPointer { bytes in
    var result: [Int] = []
    var start = 0
    while start < bytes.count {
      let segmentEnd = digits.segmentEnd(in: bytes, from: start, to: bytes.count)
      while start < segmentEnd {
        let end = preTokenizer.preTokenEnd(in: bytes, from: start, to: segmentEnd)
        result.append(end - start)
        start = end
      }
    }
    return result
  }
}

/// Returns the pre-tokens of a text, separated by `|`.
private func preTokens(_ text: String, _ preTokenizer: KnownPattern = .gpt2, _ digits: DigitSplitting = .none) -> String
{
  var rest = Array(text.utf8)[...]
  let preTokens = lengths(Array(rest), preTokenizer, digits).map { length in
    defer { rest = rest.dropFirst(length) }
    return String(decoding: rest.prefix(length), as: UTF8.self)
  }
  return preTokens.joined(separator: "|")
}

@Suite struct PreTokenizerTests {
  @Test(arguments: [
    // runs of one class, with an optional space before them
    ("Once upon a time", "Once| upon| a| time"),
    ("abc123!?", "abc|123|!?"),
    ("abc 123 !?", "abc| 123| !?"),
    ("1.5e3", "1|.|5|e|3"),
    ("ÉcoleМир東京", "ÉcoleМир東京"),
    ("x²½Ⅳ٣", "x|²½Ⅳ٣"),
    ("e\u{301}a", "e|\u{301}|a"),  // a combining mark is neither letter nor number
    ("hi👍🏽you", "hi|👍🏽|you"),
    // contractions: lower case only, and only at the start of a pre-token
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
    ("a\u{200B}b", "a|\u{200B}|b"),  // a zero-width space is not white space
    ("a \u{0}", "a| \u{0}"),
    ("", ""),
  ])
  func gpt2PreTokens(text: String, expected: String) { #expect(preTokens(text) == expected) }

  @Test(arguments: [
    // any one scalar except a line end may precede letters
    ("Once upon\ta (time", "Once| upon|\ta| (|time"),
    ("a(b)c", "a|(b|)c"),
    ("\u{301}a \u{A0}b", "\u{301}a| |\u{A0}b"),
    ("\na\rb\u{2028}c", "\n|a|\r|b|\u{2028}c"),
    // contractions in any case
    ("it's IT'S they'Re we'LL", "it|'s| IT|'S| they|'Re| we|'LL"),
    ("'ſo 'şo 'K 'lL 'vE", "'ſ|o| '|şo| '|K| '|lL| '|vE"),
    ("x'ſo x'şo x'K x'lL x'vE", "x|'ſ|o| x|'şo| x|'K| x|'lL| x|'vE"),
    ("''s 'r", "''|s| '|r"),
    // at most three numbers together
    ("12345 1 ½²٣Ⅳ", "123|45| |1| |½²٣|Ⅳ"),
    ("a1b", "a|1|b"),
    // a run of other scalars includes the line ends after it
    ("a !?\r\n\nb", "a| !?\r\n\n|b"),
    ("  !", " | !"),
    ("\t!", "\t|!"),
    // white space ends after its last line end
    ("a \n \r\n  b", "a| \n \r\n| | b"),
    ("a  \n", "a|  \n"),
    ("a  1", "a| | |1"),
    ("a   ", "a|   "),
    ("\n\n", "\n\n"),
  ])
  func llama3PreTokens(text: String, expected: String) { #expect(preTokens(text, .llama3) == expected) }

  @Test func qwen2SplitsEachNumber() {
    #expect(preTokens("12345 it'S ½²", .qwen2) == "1|2|3|4|5| it|'S| |½|²")
  }

  /// The hand-written implementations split like the published patterns, alternative by alternative.
  @Test(arguments: KnownPattern.allCases)
  func implementationsMatchPatterns(preTokenizer: KnownPattern) {
    var generator = SeededGenerator(7)
    for _ in 0..<40_000 {
      let characters = PlainPreTokenizer.randomCharacters(using: &generator)
      let text = characters.flatMap(\.bytes)
      let expected = PlainPreTokenizer.lengths(characters, preTokenizer)
      guard lengths(text, preTokenizer) == expected else {
        Issue.record("\(String(decoding: text, as: UTF8.self).debugDescription) should be split into \(expected)")
        return
      }
    }
  }

  @Test(arguments: [
    ("a 12 b", "a| |1|2| b", "a| |12| b"),
    ("2024", "2|0|2|4", "2024"),
    ("a1b22c", "a|1|b|2|2|c", "a|1|b|22|c"),
    ("a  1", "a|  |1", "a|  |1"),  // the white space is at the end of the segment
    ("it's 5's", "it|'s| |5|'s", "it|'s| |5|'s"),
    ("½٣", "½|٣", "½٣"),
    // digits of Unicode 17, which the patterns' tables do not contain yet
    ("1\u{11DE0}\u{11DE1}", "1|\u{11DE0}|\u{11DE1}", "1|\u{11DE0}\u{11DE1}"),
  ])
  func digitsAreSplitOffFirst(text: String, individual: String, runs: String) {
    #expect(preTokens(text, .gpt2, .individual) == individual)
    #expect(preTokens(text, .gpt2, .runs) == runs)
  }

  @Test(arguments: [
    ([0x61, 0xFF, 0x61], [1, 1, 1]),
    ([0x61, 0xFF, 0xFE, 0x21, 0x61], [1, 3, 1]),  // bytes that are not UTF-8 are in one run with punctuation
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
  func invalidUTF8IsNeitherLetterNorNumberNorSpace(bytes: [UInt8], expected: [Int]) {
    #expect(lengths(bytes, .gpt2) == expected)
  }
}
