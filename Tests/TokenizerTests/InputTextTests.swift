import Platform
import Testing
import Tokenizer

/// Control tokens in text that comes from a user are ordinary text.
@Suite struct InputTextTests {
  /// The vocabulary of the fixture with `<|endoftext|>`, which is special, and more added tokens.
  private func tokenizer(_ added: String, normalizer: String = "null") throws -> Tokenizer {
    try openTokenizer([
      "tokenizer.json": """
      {"model":{"type":"BPE","vocab":{"a":0,"b":1,"<":2,">":3,"/":4,"s":5,"▁":6,"\\n":7,"|":8,"é":9,"e":10},"merges":[]},
      "normalizer":\(normalizer),"pre_tokenizer":null,"decoder":null,"added_tokens":[\(added)]}
      """
    ])
  }

  private func added(
    _ content: String, _ id: Int, special: Bool = true, normalized: Bool = false, flags: String = ""
  ) -> String {
    #"{"id":\#(id),"content":"\#(content)","special":\#(special),"normalized":\#(normalized)\#(flags)}"#
  }

  /// Encodes a text in which the parts between `[` and `]` come from a user.
  private func ids(
    _ tokenizer: Tokenizer, _ marked: String, used: [String] = [], recordsEnds: Bool = false
  ) throws -> [Int32] {
    var bytes: [UInt8] = []
    var ranges: [Range<Int>] = []
    var start = 0
    for byte in marked.utf8 {
      switch byte {
      case UInt8(ascii: "["): start = bytes.count
      case UInt8(ascii: "]"): ranges.append(start..<bytes.count)
      default: bytes.append(byte)
      }
    }
    let control = tokenizer.controlTokens { token in used.contains { Array($0.utf8) == token } }
    let tokens = TokenBuffer(recordsEnds: recordsEnds)
    try bytes.withUnsafeBufferPointer {
      try tokenizer.makeEncoder().encode($0, input: InputText(ranges, control), into: tokens)
    }
    return Array(tokens.ids)
  }

  @Test(arguments: [
    ("<s>", [20]), ("[<s>]", [2, 5, 3]), ("a[<s>]<s>", [0, 2, 5, 3, 20]), ("<[s]>", [20]), ("[<]s>", [2, 5, 3]),
    ("<s[>]", [2, 5, 3]), ("[<s]<s>", [2, 5, 20]), ("[<]<s>", [2, 20]), ("<s>[s>]", [20, 5, 3]),
    ("[a<s>b]", [0, 2, 5, 3, 1]),
  ])
  func controlTokensBeginAndEndInTheTemplate(_ example: (text: String, ids: [Int32])) throws {
    let tokenizer = try tokenizer(added("<s>", 20))
    #expect(try ids(tokenizer, example.text) == example.ids)
    #expect(try ids(tokenizer, example.text, recordsEnds: true) == example.ids)
  }

  @Test func tokensOfTheTemplateWithinARefusedMatchAreFound() throws {
    let tokenizer = try tokenizer([added("<<s>", 20), added("<s>", 21)].joined(separator: ","))
    #expect(try ids(tokenizer, "<<s>") == [20])
    #expect(try ids(tokenizer, "[<]<s>") == [2, 21])
  }

  @Test func tokensThatAreNotSpecialAreControlTokensIfTheTemplateUsesThem() throws {
    let tokenizer = try tokenizer(
      [added("</s>", 20, special: false), added("a\\n", 21, special: false), added("\\n\\n", 22, special: false)]
        .joined(separator: ","))
    #expect(try ids(tokenizer, "[</s>a\n\n\n]") == [20, 21, 22])
    #expect(try ids(tokenizer, "[</s>a\n\n\n]</s>", used: ["</s>", "a\n", "\n\n"]) == [2, 4, 5, 3, 0, 22, 7, 20])
  }

  @Test func marksFollowTheNormalizer() throws {
    let replace = #"{"type":"Replace","pattern":{"String":"|"},"content":"▁"}"#
    let token = added("<|s>", 20, normalized: true)
    let tokenizer = try tokenizer(token, normalizer: replace)
    #expect(try ids(tokenizer, "||<|s>") == [6, 6, 20])
    #expect(try ids(tokenizer, "||[<|s>]||<|s>") == [6, 6, 2, 6, 5, 3, 6, 6, 20])
    #expect(try ids(tokenizer, "|[<|]s>", recordsEnds: true) == [6, 2, 6, 5, 3])
    #expect(try ids(tokenizer, "[||]<[|s]>[|]") == [6, 6, 20, 6])
    let composed = try self.tokenizer(added("é>", 20, normalized: true), normalizer: #"{"type":"NFC"}"#)
    #expect(try ids(composed, "[ae\u{301}]e\u{301}>[e\u{301}>]") == [0, 9, 20, 9, 3])
  }

  @Test func strippedWhiteSpaceMayBeInput() throws {
    let tokenizer = try tokenizer(added("<s>", 20, flags: #","lstrip":true,"rstrip":true"#))
    #expect(try ids(tokenizer, "a[\n]<s>[\n]b") == [0, 20, 1])
  }

  @Test func withoutControlTokensTheIDsAreThoseOfTheWholeText() throws {
    let tokenizer = try Fixture.tokenizer()
    for golden in try Fixture.golden() where !golden.text.contains("<|endoftext|>") {
      let tokens = TokenBuffer(recordsEnds: false)
      let bytes = Array(golden.text.utf8)
      let input = InputText([0..<bytes.count / 2], tokenizer.controlTokens { _ in true })
      try bytes.withUnsafeBufferPointer {
        try tokenizer.makeEncoder().encode($0, input: input, into: tokens)
      }
      #expect(Array(tokens.ids) == golden.special)
    }
  }

  @Test func aSpecialTokenThatTheModelMakesIsAnError() throws {
    let tokenizer = try openTokenizer([
      "tokenizer.json": """
      {"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["</s>",-1],["a",-2],["<",-9],["/",-9],["s",-9],[">",-9]]},
      "normalizer":null,"pre_tokenizer":null,"decoder":null,"added_tokens":[\(added("<unk>", 0)),\(added("</s>", 1))]}
      """
    ])
    #expect(try ids(tokenizer, "[a]</s>") == [2, 1])
    #expect(try ids(tokenizer, "[a!]</s>") == [2, 0, 1])
    let error = #expect(throws: TextEncodingError.self) { try ids(tokenizer, "[a</s>]") }
    #expect(error?.description == "the tokenizer makes the special token </s> of ordinary text")
  }
}
