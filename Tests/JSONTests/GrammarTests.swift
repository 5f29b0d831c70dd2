import JSON
import Testing

// The tables cover the classes of the JSON Test Suite (Nicolas Seriot, "Parsing JSON is a minefield").

@Suite struct GrammarTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "0.0", "-0.0", "1e5", "1E5", "1e+5", "1e-5", "0e0",
    "0E+1",
    "1.25e-30", "123456789012345678901234567890", "1e999999", #""""#, #""a""#, "[]", "{}", "[ ]", "{ }",
    " \t\r\n1\n\r\t ",
    "[1,2,3]", "[1 , 2]", "[[],[[]],{}]", #"{"a":1}"#, #"{ "a" : 1 , "b" : [ ] }"#, #"{"a":1,"a":2}"#, #"{"":0}"#,
    #"{"a":{"b":{"c":[1,{"d":null}]}}}"#, #""\"\\\/\b\f\n\r\t""#, #""\u0041""#, #""\uD834\uDD1E""#, #""\ud834\udd1e""#,
    #""\u0000""#, "\"\u{7F}\"", "\"é ☃ 😀 \u{2028}\u{2029}\u{FEFF}\u{FFFF}\u{10FFFF}\"", "[null,true,false,\"\",0]",
  ])
  func accepts(_ text: String) {
    #expect(parseError(text) == nil)
    let length = text.utf8.count  // the range of the value excludes the white space around it
    let range = try? scan(text) { try $0.skipValue() }
    #expect(range.map { $0.upperBound <= length && !$0.isEmpty } == true)
  }

  @Test(arguments: [
    // numbers
    "-", "+1", "01", "-01", "00", "0x10", "1.", ".5", "-.5", "1.e5", "1e", "1E", "1e+", "1e-", "1e5.5", "1e 5", "1 e5",
    "- 1", "00.0", "-00.0", "00e0", "-00e0",
    "--1", "1-", "1+2", "1..2", "1,5", "0.1.2", "NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "1_000", "1f",
    "1a", "-a",
    "１", "0e", "[-]", "[1.]", "[01]", "[1e]",
    // words
    "tru", "truE", "True", "nul", "nulll", "fals", "undefined", "[nul]", "[truth]", "t", "f", "n",
    // arrays
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[1}", "[[]", "[]]", "[\"a\" \"b\"]",
    "[1:2]", "[a]",
    // objects
    "{", "}", "{]", "{,}", "{1:2}", "{a:1}", "{'a':1}", #"{"a"}"#, #"{"a" 1}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#,
    #"{"a":1"#,
    #"{"a":"#, #"{"a""#, #"{"a"#, #"{"a":1 "b":2}"#, #"{"a":1,,"b":2}"#, #"{"a"::1}"#, #"{"a":1]"#, #"{null:1}"#,
    #"{"a",1}"#,
    #"{"a":1}}"#, #"{"a":/**/1}"#, #"{"a":1}//"#, #"{[]:1}"#,
    // strings
    "\"", "\"a", "'a'", "\"\\\"", #""\a""#, #""\x41""#, #""\0""#, #""\17""#, #""\U0041""#, #""\u""#, #""\u1""#,
    #""\u12""#,
    #""\u123""#,
    #""\u123g""#, #""\u 123""#, #""\u+123""#, #""\u00é0""#, #""\uD834\u""#, #""\uD834\uDD1""#, #""\ ""#, "\"\\\n\"",
    "\"\n\"", "\"\t\"",
    "\"\u{0}\"", "\"\u{1F}\"", "\"a\"b", "\"\"\"", "\\u0041", "\"\\u12", "\"\\",
    // around the value
    "", " ", "\n", "\u{0}", "1\u{0}", "[1]x", "1 2", "[] []", "{}{}", ",", ":", "/", "#", "\u{C}1", "\u{A0}1", "\u{B}1",
    "1\u{2028}", "\u{FEFF}1",
    "\u{FEFF}", "<null>", "[1]/*", "[\u{0}]", "é", "\u{7F}",
  ])
  func rejects(_ text: String) {
    #expect(parseError(text) != nil)
  }

  static let invalidUTF8: [[UInt8]] = [
    [0x80], [0xBF], [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0xAF],
    [0xE0, 0x9F, 0xBF],
    [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
    [0xF0, 0x80, 0x80, 0xAF],
    [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
    [0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF],
    [0xFE], [0xFF], [0xFF, 0xFE],
  ]

  @Test(arguments: invalidUTF8)
  func rejectsInvalidUTF8(_ bytes: [UInt8]) {
    #expect(parseError([0x22] + bytes + [0x22]) != nil, "in a string")
    #expect(parseError([0x22] + bytes) != nil, "at the end of the text")
    #expect(parseError([0x7B, 0x22] + bytes + [0x22, 0x3A, 0x30, 0x7D]) != nil, "in a name")
    #expect(parseError([0x5B] + bytes + [0x5D]) != nil, "outside of strings")
  }

  @Test func rejectsEveryTruncation() {
    let text = Array(#"{"a":[1.5e-3,true,false,null,"x\n\u00e9\ud83d\ude00é"],"b":{"c":{}}}"#.utf8)
    #expect(parseError(text) == nil)
    for length in 0..<text.count { #expect(parseError(Array(text[..<length])) != nil, "the first \(length) bytes") }
  }

  /// A recursive parser would overflow the stack, at least the 512 KB of a thread.
  @Test func nestingDoesNotUseTheCallStack() {
    let depth = 100_000
    func nest(_ opening: String, _ closing: String) -> [UInt8] {
      Array((String(repeating: opening, count: depth) + "0" + String(repeating: closing, count: depth)).utf8)
    }
    #expect(parseError(nest("[", "]")) == nil)
    #expect(parseError(nest(#"{"a":"#, "}")) == nil)
    #expect(parseError(nest(#"[{"a":"#, "}]")) == nil)
    #expect(parseError(Array(nest("[", "]").dropLast()))?.offset == 2 * depth)
    #expect(parseError(nest("[", "}"))?.offset == depth + 1)
    #expect(parseError([UInt8](repeating: UInt8(ascii: "["), count: depth))?.offset == depth)
  }

  @Test(arguments: [
    ("", 0), ("  ", 2), ("[1,]", 3), ("[1 2]", 3), ("1 2", 2), ("nul", 0), ("[true,nul]", 6), ("-", 1), ("1.", 2),
    ("[1e+]", 4),
    (#"{"a" 1}"#, 5), (#"{"a":1,}"#, 7), (#"{"a":1"#, 6), (#"["abc"#, 1), (#"["a\x"]"#, 3), (#""\u12G4""#, 1),
    ("\"a\u{1}\"", 2),
    ("01", 1), ("[01]", 2), ("\u{FEFF}1", 0), ("[]]", 2), ("[}", 1), ("[\n\n  x]", 5),
  ])
  func errorsHaveOffsets(_ text: String, _ offset: Int) {
    #expect(parseError(text)?.offset == offset)
  }

  @Test func messagesNameOffsetAndExpectedValue() {
    #expect(parseError([0x5B, 0x22, 0xC0, 0x22, 0x5D]) == JSONError(offset: 2, reason: "invalid UTF-8"))
    #expect("\(JSONError(offset: 16, reason: "a value is missing"))" == "byte 17: a value is missing")
    #expect(parseError("[1,]")?.reason == "expected a value, found \"]\"")
    #expect(parseError("[1")?.reason == "expected a comma or \"]\", found the end of the text")
    #expect(parseError("[\u{1}]")?.reason == "expected a value, found byte 0x01")
    #expect(parseError("\"\u{1F}\"")?.reason == "control character in a string; write it as \\u001f")
    let late = Array("xxxx[1,]".utf8).withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes, position: 4)
      return #expect(throws: JSONError.self) { try scanner.skipValue() }
    }
    #expect(late?.offset == 7)
  }

  @Test func skippedValuesReportTheirSourceText() throws {
    let text = #" { "a" : [1, {"x":2} ] , "b\u0062": 1.50 ,"c":"\n" , "d": null } "#
    var members: [String] = []
    try scan(text) { scanner in
      try scanner.object { (name, scanner) throws(JSONError) in
        let value = try scanner.skipValue()
        members.append(scanner.source(name.range) + "=" + scanner.source(value))
      }
      try scanner.end()
    }
    #expect(members == [#"a=[1, {"x":2} ]"#, #"b\u0062=1.50"#, #"c="\n""#, "d=null"])
  }

  @Test func visitorsReadValuesByKind() throws {
    let kinds = try scan(#"[{},[],"",0,-1,true,false,null]"#) { scanner in
      var kinds: [JSONScanner.Kind] = []
      try scanner.array { (scanner) throws(JSONError) in
        kinds.append(try scanner.kind())
        _ = try scanner.skipValue()
      }
      return kinds
    }
    #expect(kinds == [.object, .array, .string, .number, .number, .boolean, .boolean, .null])
    #expect(
      try scan("[true,false]") { scanner in
        var truths: [Bool] = []
        try scanner.array { (scanner) throws(JSONError) in truths.append(try scanner.boolean()) }
        return truths
      } == [true, false])
    #expect(throws: JSONError.self) { try scan("1") { try $0.boolean() } }
    #expect(throws: JSONError.self) { try scan("{}") { try $0.beginArray() } }
    #expect(throws: JSONError.self) { try scan("[]") { try $0.beginObject() } }
    #expect(throws: JSONError.self) { try scan("1") { try $0.string() } }
    #expect(throws: JSONError.self) { try scan("\"1\"") { try $0.number() } }
  }
}
