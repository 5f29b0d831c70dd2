import JSON
import TestSupport
import Testing

@Suite struct StringTests {
  /// The decoded bytes of a JSON string; nil if it has an unpaired surrogate.
  private func decoded(_ text: String) throws -> [UInt8]? {
    try scan(text) { scanner in
      let text = try scanner.string()
      try scanner.end()
      var characters: [UInt8] = []
      return scanner.decode(text, into: &characters) ? characters : nil
    }
  }

  @Test(arguments: [
    (#""""#, ""), (#""plain""#, "plain"), (#""é☃😀""#, "é☃😀"), (#""\"\\\/""#, "\"\\/"),
    (#""\b\f\n\r\t""#, "\u{8}\u{C}\n\r\t"),
    (#""\u0041""#, "A"), (#""\u00e9\u00E9""#, "éé"), (#""\u0000""#, "\0"),
    (#""\u007f\u0080\u07ff\u0800\uffff""#, "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"),
    (#""\ud7ff\ue000""#, "\u{D7FF}\u{E000}"), (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00""#, "😀"),
    (#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10FFFF}"),
    (#""a\u0062c\\u0064""#, "abc\\u0064"), (#""😀\ud83d\ude00😀""#, "😀😀😀"), (#""\\ud800""#, "\\ud800"),
  ])
  func decodesEscapes(_ text: String, _ characters: String) throws {
    #expect(try decoded(text) == Array(characters.utf8))
    #expect(try scan(text) { Array(try $0.swiftString().utf8) } == Array(characters.utf8))
  }

  /// The grammar of RFC 8259 allows unpaired surrogates without defining their meaning. A tool that only copies them
  /// must not fail.
  @Test(arguments: [
    #""\ud800""#, #""\udc00""#, #""\udbff""#, #""\udfff""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#,
    #""\ud800\ud800""#,
    #""\ud800\ud800\udc00""#, #""\udc00\ud800""#, #""abc\udead""#, #""\ud83d😀""#, #""\ud83d\ude00\ude00""#,
  ])
  func acceptsUnpairedSurrogatesButDoesNotDecodeThem(_ text: String) throws {
    #expect(parseError(text) == nil)
    #expect(try decoded(text) == nil)
    #expect(throws: JSONError.self) { try scan(text) { try $0.swiftString() } }
    try scan(text) { scanner in
      let text = try scanner.string()
      var characters = Array("before".utf8)
      #expect(!scanner.decode(text, into: &characters))
      #expect(characters == Array("before".utf8), "nothing is appended")
    }
  }

  /// Both surrogates of a pair must be in the same string.
  @Test func surrogatePairsDoNotSpanStrings() throws {
    let first = try scan(#"["\ud83d","\ude00"]"#) { scanner in
      _ = try scanner.beginArray()
      let text = try scanner.string()
      var characters: [UInt8] = []
      return scanner.decode(text, into: &characters)
    }
    #expect(!first)
  }

  @Test func matchesNamesWithEscapes() throws {
    func matches(_ text: String, _ word: String) throws -> Bool {
      try scan(text) { scanner in
        let text = try scanner.string()
        return scanner.matches(text, word)
      }
    }
    #expect(try matches(#""ids""#, "ids"))
    #expect(try matches(#""id\u0073""#, "ids"))
    #expect(try matches(#""\u0069\u0064\u0073""#, "ids"))
    #expect(try !matches(#""ids ""#, "ids"))
    #expect(try !matches(#""id""#, "ids"))
    #expect(try !matches(#""""#, "ids"))
    #expect(try matches(#""""#, ""))
    #expect(try !matches(#""a""#, ""))
    #expect(try !matches(#""\ud800""#, "ids"))
  }

  @Test(arguments: [
    ("", #""""#), ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
    ("\u{0}\u{1}\u{B}\u{E}\u{F}\u{10}\u{1A}\u{1F}", #""\u0000\u0001\u000b\u000e\u000f\u0010\u001a\u001f""#),
    ("/é☃😀\u{2028}", "\"/é☃😀\u{2028}\""), ("\nx\n", #""\nx\n""#), ("</script>", #""</script>""#),
  ])
  func escapesRequiredCharacters(_ text: String, _ json: String) {
    #expect(written { $0.append(jsonString: text) } == json)
  }

  @Test func escapesControlCharacters() {
    let text = "\u{7E}\u{7F}\u{80}\u{9B}\u{9F}\u{A0}\u{BF}\u{C0}"
    #expect(
      written { $0.append(jsonString: text) } == "\"\u{7E}" + #"\u007f\u0080\u009b\u009f"# + "\u{A0}\u{BF}\u{C0}\"")
    // At the ends of the chunks in which long texts are written
    for length in 4090...4100 {
      let text = String(repeating: "a", count: length) + "\u{9B}" + String(repeating: "°", count: 3000) + "\u{7F}"
      let json = "\"" + text.replacing("\u{9B}", with: #"\u009b"#).replacing("\u{7F}", with: #"\u007f"#) + "\""
      #expect(written { $0.append(jsonString: text) } == json)
    }
  }

  @Test func readsBackWrittenStrings() throws {
    var generator = SeededGenerator(1)
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        let limit: UInt32 = [0x30, 0x80, 0x800, 0x10000, 0x110000].randomElement(using: &generator)!
        if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) {
          text.unicodeScalars.append(scalar)
        }
      }
      let json = written { $0.append(jsonString: text) }
      #expect(try decoded(json) == Array(text.utf8))
    }
  }

  /// Strings are written and read in blocks of 64 bytes: special characters at every offset in blocks and at their
  /// ends.
  @Test func handlesSpecialCharactersAtAnyOffset() throws {
    let escapes = [
      ("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\u{1F}", "\\u001f"), ("é", "é"), ("☃", "☃"), ("😀", "😀"),
      ("\u{7F}", "\\u007f"), ("\u{9B}", "\\u009b"), ("°", "°"),
    ]
    for length in [0, 1, 40, 62, 63, 64, 65, 66, 100, 127, 128, 129, 200] {
      for position in 0...length {
        for (character, escape) in escapes {
          let (before, after) = (
            String(repeating: "a", count: position), String(repeating: "b", count: length - position)
          )
          let json = "\"" + before + escape + after + escape + "\""
          #expect(written { $0.append(jsonString: before + character + after + character) } == json)
          #expect(try decoded(json) == Array((before + character + after + character).utf8))
        }
      }
    }
  }

  @Test func writesLongTextsOfEscapes() throws {
    let text = String(repeating: "\u{1}\n", count: 5000)
    let json = written { $0.append(jsonString: text) }
    #expect(json == "\"" + String(repeating: "\\u0001\\n", count: 5000) + "\"")
    #expect(try decoded(json) == Array(text.utf8))
  }

  /// The first error is reported, even if another follows in the same block.
  @Test func reportsTheFirstErrorInAString() {
    let errors: [([UInt8], String)] = [
      ([0xFF], "invalid UTF-8"), ([0xC3], "invalid UTF-8"), ([0xED, 0xA0, 0x80], "invalid UTF-8"),
      ([0x01], "control character in a string; write it as \\u0001"),
      ([0x5C, 0x78], "invalid escape sequence"),
      ([0x5C, 0x75, 0x30], "\\u must be followed by four hexadecimal digits"),
    ]
    for before in [0, 1, 30, 60, 61, 62, 63, 64, 65, 126, 127, 128] {
      for between in [0, 1, 20, 70] {
        for (invalid, reason) in errors {
          for (other, _) in errors {
            let (a, b) = ([UInt8](repeating: 0x61, count: before), [UInt8](repeating: 0x7A, count: between))
            #expect(
              parseError([0x22] + a + invalid + b + other + [0x22]) == JSONError(offset: before + 1, reason: reason))
          }
        }
      }
      let unterminated = [0x22] + [UInt8](repeating: 0x61, count: before)
      #expect(parseError(unterminated) == JSONError(offset: 0, reason: "unterminated string"))
    }
  }

  @Test func excerptsAreShortened() {
    #expect(excerpt("") == "" && excerpt("short") == "short")
    let sixty = String(repeating: "é", count: 60)
    #expect(excerpt(sixty) == sixty)
    #expect(excerpt(sixty + "x") == sixty + "… (121 bytes)")
    let emoji = String(repeating: "\u{1F600}", count: 60)
    #expect(excerpt(emoji) == emoji && excerpt(emoji + emoji) == emoji + "… (480 bytes)")
    // A single Character may have any number of scalars.
    #expect(excerpt("e" + String(repeating: "\u{301}", count: 1_000_000)).utf8.count < 150)
    #expect(excerpt([0x61, 0xFF]) == "a\u{FFFD}")
    let replaced = String(repeating: "\u{FFFD}", count: 60)
    #expect(excerpt([UInt8](repeating: 0xFF, count: 1000)) == "\(replaced)… (1000 bytes)")
    let digits = String(repeating: "9", count: 1_000_000)
    let error = #expect(throws: JSONError.self) { try scan(digits) { try $0.integer() } }
    let nines = String(repeating: "9", count: 60)
    #expect(error?.reason == "\(nines)… (1000000 bytes) is too large")
  }

  @Test func buffersGrowAndTruncate() {
    let buffer = ByteBuffer(capacity: 1)
    for index in 0..<1000 { buffer.append(UInt8(index & 255)) }
    buffer.append([UInt8](repeating: 7, count: 100_000))
    #expect(buffer.count == 101_000 && buffer.bytes[999] == 0xE7 && buffer.bytes[100_999] == 7)
    buffer.truncate(to: 2)
    buffer.append("é")
    buffer.append([])
    #expect(Array(buffer.bytes) == [0, 1, 0xC3, 0xA9])
    buffer.removeAll()
    #expect(buffer.bytes.isEmpty)
  }
}
