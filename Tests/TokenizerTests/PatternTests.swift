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
  }

  /// The fixture contains the pieces of tokenizers (Scripts/reference/tokenizer/patterns.py).
  @Test func splitsAsTokenizersDoes() throws {
    let path = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Fixtures/patterns.jsonl"
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count > 200)
    var matchers: [String: PatternMatcher] = [:]
    for line in lines {
      let expected = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
      let text = Array(expected.text.utf8)
      var ends: Set<Int> = [text.count]
      let matcher = try matchers[expected.pattern] ?? PatternMatcher(Pattern(expected.pattern))
      matchers[expected.pattern] = matcher
      for range in try matcher.matches(in: text) { ends.formUnion([range.lowerBound, range.upperBound]) }
      #expect(
        ends.subtracting([0]).sorted() == expected.ends, "\(expected.pattern) on \(expected.text.debugDescription)")
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
  }

  @Test func leavesOutEmptyMatchesAfterMatches() throws {
    #expect(try matches("x*", Array("axxb".utf8)) == [0..<0, 1..<3, 4..<4])
  }

  @Test func treatsInvalidBytesAsReplacementCharacters() throws {
    #expect(try matches(#"[^\s\p{L}]+"#, [0x61, 0xFF, 0xE2, 0x82, 0x20]) == [1..<4])
  }

  @Test(arguments: [
    (#"a(b)\1"#, "byte 5 of the pattern: a backreference is not supported"),
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

  @Test(arguments: [" ", "a", "A", "\u{301}", "1", "漢", "."]) func takesLinearTime(_ unit: String) throws {
    let text = Array((String(repeating: unit, count: 100_000) + "x").utf8)
    for pattern in KnownPattern.allCases { _ = try matches(pattern.rawValue, text) }
  }

  @Test func endsSearchesWithExponentialTime() throws {
    #expect(throws: PatternError(cause: .tooSlow, offset: 0, reason: "the pattern takes too many steps")) {
      try matches("(?:a|aa)+b", Array(String(repeating: "a", count: 100).utf8))
    }
  }

  /// What is before the start is seen by look-behind, and what is after a buffer's end is not seen.
  @Test func searchesFromAPlace() throws {
    let matcher = PatternMatcher(try Pattern(#"(?<!a)b|\s+(?!\S)|c"#))
    let text = Array("abcb  c".utf8)
    #expect(try matcher.matches(in: text, from: 1) == [2..<3, 3..<4, 4..<5, 6..<7])
    #expect(try matcher.matches(in: Array(text[1..<6])) == [0..<1, 1..<2, 2..<3, 3..<5])
    #expect(try matcher.matches(in: text, from: 7).isEmpty)
  }
}
