import Foundation
import TestSupport
import Testing

@testable import Tokenizer

/// Returns the matches as ranges of bytes.
private func matches(
  _ pattern: String, _ text: [UInt8], _ dialect: PatternDialect = .oniguruma
) throws -> [Range<Int>] {
  try PatternMatcher(try Pattern(pattern, dialect: dialect)).matches(in: text)
}

extension PatternMatcher {
  fileprivate func matches(in text: [UInt8], from start: Int = 0) throws -> [Range<Int>] {
    try text.withUnsafeBufferPointer {
      reset($0, from: start)
      var result: [Range<Int>] = []
      while let range = try next() { result.append(range) }
      return result
    }
  }
}

private func found(_ pattern: String, _ text: String, _ dialect: PatternDialect = .oniguruma) throws -> [String] {
  let bytes = Array(text.utf8)
  return try matches(pattern, bytes, dialect).map { String(decoding: bytes[$0], as: UTF8.self) }
}

struct PatternTests {
  private struct Case: Decodable {
    let pattern: String
    let text: String
    let ends: [Int]
    let dialect: String?
    let isPublished: Bool?
  }

  private static func cases() throws -> [Case] {
    let path = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures/patterns.jsonl"
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
  }

  /// The fixture contains the pieces of tokenizers and tiktoken for published patterns and for all kinds of constructs
  /// (Scripts/reference/tokenizer/patterns.py).
  @Test func splitsAsTokenizersDoes() throws {
    let cases = try Self.cases()
    #expect(cases.count > 700)
    for (pattern, cases) in Dictionary(grouping: cases, by: { [$0.pattern, $0.dialect ?? ""] }) {
      let dialect = pattern[1].isEmpty ? PatternDialect.oniguruma : .fancyRegex
      let matcher = PatternMatcher(try Pattern(pattern[0], dialect: dialect))
      for expected in cases {
        let text = Array(expected.text.utf8)
        var ends: Set<Int> = [text.count]
        for range in try matcher.matches(in: text) { ends.formUnion([range.lowerBound, range.upperBound]) }
        #expect(
          ends.subtracting([0]).sorted() == expected.ends, "\(pattern) on \(expected.text.debugDescription)")
      }
    }
  }

  @Test(arguments: KnownPattern.allCases) func equalsTheScanner(_ preTokenizer: KnownPattern) throws {
    let parts = [
      "a", "B", "é", " ", "  ", "\n", "\r\n", "1", "23", "'s", "'LL", "'ſ", ".", "!?", "\u{301}", "漢", "\u{3000}", "Ⅷ",
    ]
    var generator = SystemRandomNumberGenerator()
    let matcher = PatternMatcher(try Pattern(preTokenizer.rawValue))
    for _ in 0..<2000 {
      var text: [UInt8] = []
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        text += (parts.randomElement(using: &generator) ?? "").utf8
        if Int.random(in: 0..<12, using: &generator) == 0 { text.append(.random(in: 0x80...0xFF, using: &generator)) }
      }
      var expected: [Range<Int>] = []
      text.withUnsafeBufferPointer { bytes in
        while true {
          let start = expected.last?.upperBound ?? 0
          guard start < bytes.count else { break }
          expected.append(start..<preTokenizer.preTokenEnd(in: bytes, from: start, to: bytes.count))
        }
      }
      #expect(try matcher.matches(in: text) == expected, "\(text)")
    }
  }

  @Test func followsTheDialect() throws {
    #expect(try found(#"\p{N}{1,3}+"#, "12345") == ["12345"])
    #expect(try found(#"\p{N}{1,3}+"#, "12345", .fancyRegex) == ["123", "45"])
    #expect(try found(#"\s+$"#, "a  \nb") == ["  "])
    #expect(try found(#"\s+$"#, "a  \nb", .fancyRegex) == [])
    #expect(try found(#"a\Z"#, "a\n\n") == [])
    #expect(try found(#"a\Z"#, "a\n\n", .fancyRegex) == ["a"])
    #expect(try found("[[:alpha:]]+", "aé") == ["aé"])
    #expect(try found("[[:alpha:]]+", "aé", .fancyRegex) == ["a"])
  }

  @Test func leavesOutEmptyMatchesAfterMatches() throws {
    #expect(try matches("x*", Array("axxb".utf8)) == [0..<0, 1..<3, 4..<4])
  }

  @Test func treatsInvalidBytesAsReplacementCharacters() throws {
    #expect(try matches(#"[^\s\p{L}]+"#, [0x61, 0xFF, 0xE2, 0x82, 0x20]) == [1..<4])
  }

  @Test(arguments: [
    (
      #"(ab)\1"#,
      "byte 5 of the pattern: a backreference, except directly after its group of one character, is not supported"
    ),
    (#"\X"#, "byte 1 of the pattern: the escape \"\\X\" is not supported"),
    (#"a\Kb"#, "byte 2 of the pattern: the escape \"\\K\" is not supported"),
    ("(?~a)", "byte 1 of the pattern: this kind of group is not supported"),
    ("(?x) a", "byte 3 of the pattern: the option \"x\" is not supported"),
    ("(?<=a+)b", "byte 1 of the pattern: a lookbehind of variable length is not supported"),
    (#"[a"#, "byte 1 of the pattern: \"[\" without \"]\""),
    (#"é(a"#, "byte 3 of the pattern: \"(\" without \")\""),
    (#"a)"#, "byte 2 of the pattern: unmatched \")\""),
    (#"\p{Foo}"#, "byte 1 of the pattern: the property \"Foo\" is not supported"),
    ("*a", "byte 1 of the pattern: nothing to repeat"),
    ("(?:a|b*)*", "byte 1 of the pattern: the repetition of what can be empty is not supported"),
  ])
  func namesThePlaceOfAnError(_ pattern: String, _ message: String) {
    do {
      _ = try Pattern(pattern)
      Issue.record("accepted: \(pattern)")
    } catch { #expect("\(error)" == message) }
  }

  /// Each text ends with another character than it repeats, so that `\s+$` and its like fail at the end.
  @Test(arguments: [" ", "a", "A", "\u{301}", "1", "漢", ".", "\n", "'", " a", "1 "])
  func takesLinearTime(_ unit: String) throws {
    let texts = ["", "x", ".", "漢"].map { Array((String(repeating: unit, count: 20_000) + $0).utf8) }
    for pattern in Set(
      try Self.cases().filter { $0.isPublished ?? false || $0.dialect != nil }.map { [$0.pattern, $0.dialect ?? ""] })
    {
      let matcher = PatternMatcher(
        try Pattern(pattern[0], dialect: pattern[1].isEmpty ? .oniguruma : .fancyRegex))
      for text in texts { #expect(throws: Never.self, "\(pattern)") { try matcher.matches(in: text) } }
    }
  }

  /// The second pattern of each pair is the same without the notes of `PatternMatcher` on runs and loops.
  @Test(arguments: [
    (#"\s+$"#, #"(?:\s(?:))+$"#), (#"[0-9]+x"#, #"(?:[0-9](?:))+x"#), (#"[0-9]*+x"#, #"(?>(?:[0-9](?:))*)x"#),
    (#"\s*[\r\n]+"#, #"(?:\s(?:))*[\r\n]+"#), (#"\d{2,}(?=\d\d [a-z])"#, #"(?:\d(?:)){2,}(?=\d\d [a-z])"#),
    (#"(?:\d+ +)+x|1+ "#, #"(?:(?:\d(?:))+(?: (?:))+)+x|(?:1(?:))+ "#),
    (#"\d{1,3}(?=(?:\d{3})*\b)"#, #"\d{1,3}(?=(?>(?:\d{3})*)\b)"#),
    (#"(?=(\d{3})+(?!\d))"#, #"(?=(?>(\d{3})+)(?!\d))"#),
    (#"(?!(?:\d\d)*x|(?: [a-z]*)+\n)."#, #"(?!(?>(?:\d\d)*)x|(?>(?: [a-z]*)+)\n)."#),
  ])
  func findsMatchesInLongRuns(_ pattern: String, _ other: String) throws {
    let (matcher, otherMatcher) = (PatternMatcher(try Pattern(pattern)), PatternMatcher(try Pattern(other)))
    for unit in ["1", " "] {
      for end in ["", "x", "x  ", "\n", " a\n 123"] {
        for length in [31, 32, 33, 70] {
          let text = String(repeating: unit, count: length) + end
          let bytes = Array((text + "12 x" + text).utf8)
          #expect(try matcher.matches(in: bytes) == otherMatcher.matches(in: bytes), "\(text.debugDescription)")
        }
      }
    }
  }

  @Test func endsSearchesWithExponentialTime() throws {
    #expect(throws: PatternError(cause: .tooSlow, offset: 0, reason: "the pattern takes too many steps")) {
      try matches("(?:a|aa)+b", Array(String(repeating: "a", count: 100).utf8))
    }
  }

  /// What is before the start is seen by lookbehind, and what is after a buffer's end is not seen.
  @Test func searchesFromAPlace() throws {
    let matcher = PatternMatcher(try Pattern(#"(?<!a)b|\s+(?!\S)|c"#))
    let text = Array("abcb  c".utf8)
    #expect(try matcher.matches(in: text, from: 1) == [2..<3, 3..<4, 4..<5, 6..<7])
    #expect(try matcher.matches(in: Array(text[1..<6])) == [0..<1, 1..<2, 2..<3, 3..<5])
    #expect(try matcher.matches(in: text, from: 7).isEmpty)
  }
}
