import Foundation
import JSON
import JSONLines
import Testing

@Suite struct RecordTests {
  private func with<Result>(_ line: String, _ body: (Record) throws -> Result) throws -> Result {
    try Array(line.utf8).withUnsafeBufferPointer { try body(try Record($0)) }
  }

  /// Returns the record of a line, written with the changes.
  private func rewritten(_ line: String, _ changes: Record.Change...) throws -> String {
    try with(line) { (record: Record) throws in
      let buffer = ByteBuffer()
      record.write(to: buffer, changes)
      return String(decoding: buffer.bytes, as: UTF8.self)
    }
  }

  private let sevens = Record.Change.set("ids") { $0.append(json: [7, 7]) }

  @Test(arguments: [
    "{}", #"{"a":1}"#, #"{"b":1,"a":2}"#, #"{"x":1.50e+01,"y":"\u0041\/","z":[1, 2 , {"q" : null}],"é":"\ud800"}"#,
    #"{"dup":1,"dup":2,"":[]}"#, #"{"big":123456789012345678901234567890,"id\u0073x":0}"#,
  ])
  func keepsSourceTextAndOrderOfOtherMembers(_ line: String) throws {
    #expect(try rewritten(line) == line)
    #expect(try rewritten(line, .drop("absent")) == line)
  }

  @Test(arguments: [
    (#"{"ids":[1],"doc":17}"#, #"{"ids":[7,7],"doc":17}"#),
    (#"{"doc":17,"ids":[1],"x":1.0}"#, #"{"doc":17,"ids":[7,7],"x":1.0}"#),
    (#"{"doc":17}"#, #"{"doc":17,"ids":[7,7]}"#), ("{}", #"{"ids":[7,7]}"#), ("[1,2]", #"{"ids":[7,7]}"#),
    (#"{"id\u0073":[1],"b":2}"#, #"{"id\u0073":[7,7],"b":2}"#), ("  { \"a\" : 1 }\r", #"{"a":1,"ids":[7,7]}"#),
  ])
  func replacesOrAppendsMembers(_ line: String, _ expected: String) throws {
    #expect(try rewritten(line, sevens) == expected)
  }

  @Test(arguments: [
    (#"{"ids":[1],"doc":17}"#, #"{"doc":17}"#), (#"{"doc":17,"ids":[1]}"#, #"{"doc":17}"#), (#"{"ids":[1]}"#, "{}"),
    (#"{"\u0069ds":[1],"a":0}"#, #"{"a":0}"#), ("[1]", "{}"), ("{}", "{}"), (#"{"ids":1,"x":2,"ids":3}"#, #"{"x":2}"#),
  ])
  func dropsMembers(_ line: String, _ expected: String) throws {
    #expect(try rewritten(line, .drop("ids")) == expected)
  }

  @Test func appliesTheFirstOfSeveralChanges() throws {
    #expect(try rewritten(#"{"ids":[1]}"#, sevens, .drop("ids")) == #"{"ids":[7,7]}"#)
    #expect(try rewritten(#"{"ids":[1]}"#, .drop("ids"), sevens) == "{}")
    #expect(try rewritten("{}", sevens, .set("b") { $0.append("true") }) == #"{"ids":[7,7],"b":true}"#)
    #expect(
      try rewritten(
        #"{"tokens":[],"logits":[1],"topk":[],"offsets":[],"attention_mask":[],"ids":[1]}"#, .drop("logits")
      ).hasPrefix(#"{"tokens""#))
  }

  @Test func dropsMembersThatAreStaleWithNewIDs() throws {
    let line = #"{"a":1,"logits":[1],"topk":[],"tokens":[],"offsets":[],"attention_mask":[],"ids":[1],"position":3}"#
    let result = try with(line) { (record: Record) throws in
      let buffer = ByteBuffer()
      record.write(to: buffer, Record.Change.staleWithNewIDs)
      return String(decoding: buffer.bytes, as: UTF8.self)
    }
    #expect(result == #"{"a":1,"ids":[1]}"#)
  }

  @Test func rejectsDuplicatesOfMembersThatAreRead() throws {
    for line in [#"{"ids":[1],"ids":[1]}"#, #"{"ids":[1],"id\u0073":[2]}"#] {
      try with(line) { (record: Record) throws in
        let error = #expect(throws: JSONError.self) { try record.ids() }
        #expect(error?.reason == #"duplicate member "ids""#)
        #expect(try !record.has("text"))
      }
    }
  }

  @Test(arguments: ["", "   ", "\t", "\r"])
  func rejectsBlankLines(_ line: String) {
    let error = #expect(throws: JSONError.self) { try with(line) { _ in } }
    #expect(error?.reason == "blank line; a record is a JSON object")
  }

  @Test(arguments: [
    "1", "null", "\"ids\"", "true", "{", "{}x", "{} {}", "[1", "[1]]", #"{"a":1,}"#, "x", "{\"a\":\"\u{1}\"}",
  ])
  func rejectsLinesThatAreNotRecords(_ line: String) {
    #expect(throws: JSONError.self) { try with(line) { _ in } }
  }

  @Test func readsBareArraysAsIDs() throws {
    try with(" [7454, 2402 ] ") { (record: Record) throws in
      #expect(try record.ids() == [7454, 2402])
      #expect(try record.has("ids") && !record.has("text"))
    }
    #expect(try rewritten(" [7454, 2402 ] ") == #"{"ids":[7454, 2402 ]}"#)
    #expect(try rewritten("[]", .set("x") { $0.append("1") }) == #"{"ids":[],"x":1}"#)
  }

  @Test func readsMembers() throws {
    try with(#"{"ids":[0,50256],"text":"a\u00e9\n","logits":[1,-2.5e0,0.1],"bad":"\ud800","n":1}"#) {
      (record: Record) throws in
      #expect(try record.ids() == [0, 50256])
      #expect(try record.string("text") == Array("aé\n".utf8))
      #expect(try record.logits() == [1, -2.5, 0.1])
      #expect(try record.string("absent") == nil)
      #expect(throws: JSONError.self) { try record.string("bad") }
      #expect(throws: JSONError.self) { try record.string("n") }
    }
    try with(#"{"ids":null,"logits": null}"#) { (record: Record) throws in  // jq writes null for a missing member
      #expect(try record.ids() == nil)
      #expect(try record.logits() == nil)
    }
    try with("{}") { (record: Record) throws in
      #expect(try record.ids() == nil)
      #expect(try record.logits() == nil)
    }
  }

  @Test(arguments: ["1", "\"x\"", "[1.5]", "[1,\"2\"]", "[[1]]", "[null]", "[99999999999999999999]", "{}"])
  func rejectsIDsThatAreNotIntegers(_ value: String) throws {
    _ = try with(#"{"ids":\#(value)}"#) { record in #expect(throws: JSONError.self) { try record.ids() } }
  }

  @Test func writesArraysOfIntegers() {
    let buffer = ByteBuffer()
    buffer.append(json: [Int]())
    buffer.append(json: [1, -2, 50256])
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == "[][1,-2,50256]")
  }

  /// Decimal numbers and base64 both preserve every bit of a logit.
  @Test(arguments: [0, 1, 2, 3, 4, 5, 100, 50257])
  func bothFormsPreserveLogits(_ count: Int) throws {
    var state: UInt32 = 1
    var logits: [Float] = [0, -0.0, 1, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, 0.1]
    while logits.count < count {
      state = state &* 1_664_525 &+ 1_013_904_223
      let value = Float(bitPattern: state)
      if value.isFinite { logits.append(value) }
    }
    logits = Array(logits.prefix(count))
    for base64 in [false, true] {
      let buffer = ByteBuffer()
      buffer.append(#"{"logits":"#)
      logits.withUnsafeBufferPointer { if base64 { buffer.append(base64: $0) } else { buffer.append(json: $0) } }
      buffer.append("}")
      let back = try Record(buffer.bytes).logits()
      #expect(back?.map(\.bitPattern) == logits.map(\.bitPattern))
    }
  }

  /// Base64 is encoded and decoded in blocks of 24 bytes and 32 characters: tests all lengths around a block.
  @Test func base64AgreesWithFoundation() throws {
    for count in 0..<70 {
      let logits = (0..<count).map { Float($0 * $0) * -1.37 + 5 }
      let expected = logits.withUnsafeBytes { Data($0) }.base64EncodedString()
      let buffer = ByteBuffer()
      logits.withUnsafeBufferPointer { buffer.append(base64: $0) }
      #expect(String(decoding: buffer.bytes, as: UTF8.self) == "\"\(expected)\"")
      for position in expected.indices where count % 23 == 22 {
        for wrong in ["-", "_", " ", "=", "@", "[", "`", "{", ".", ":", "\u{7F}", "é"] {
          let text = expected.replacingCharacters(in: position...position, with: wrong)
          guard text != expected else { continue }
          #expect(throws: JSONError.self, "\(wrong) at \(position)") {
            try with(#"{"logits":"\#(text)"}"#) { record in try record.logits() }
          }
        }
      }
    }
    let everyLetter = (0..<192).map { UInt8(truncatingIfNeeded: $0 * 171 + 5) } + Array(0...255)
    let logits = everyLetter.withUnsafeBytes { raw in
      (0..<112).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    let text = Data(everyLetter).base64EncodedString()
    let read = try with(#"{"logits":"\#(text)"}"#) { record in try record.logits() }
    #expect(read?.map(\.bitPattern) == logits.map(\.bitPattern))
  }

  @Test(
    arguments: [
      ("", []), ("AACAPw==", [1]), ("AACAPwAAAMA=", [1, -2]), ("AACAPwAAAMAAAAA/", [1, -2, 0.5]),
      (#"AACAP\u0077=="#, [1]),
      ("AACAPw", nil), ("AACAPw=", nil), ("AACAPw===", nil), ("AACAPwA=", nil), ("AAA=", nil), ("AA==", nil),
      ("A", nil), ("====", nil), ("=AAA", nil),
      ("AACA Pw==", nil), ("AACAPw==\\n", nil), ("AACA_w==", nil), ("AACA-w==", nil), ("AA=APw==", nil), ("é===", nil),
      ("AACAPw=A", nil),
    ] as [(String, [Float]?)])
  func readsOrRejectsBase64(_ text: String, _ expected: [Float]?) throws {
    try with(#"{"logits":"\#(text)"}"#) { (record: Record) throws in
      guard let expected else {
        let error = #expect(throws: JSONError.self) { try record.logits() }
        #expect(error?.reason == #""logits" is not base64 of float32 numbers"#)
        return
      }
      #expect(try record.logits() == expected)
    }
  }
}
