import TestSupport
import Testing
import Tokenizer

/// Expected values are those of `tokenizers` 0.23.
@Suite struct NormalizerTests {
  /// Opens a tokenizer with this normalizer and a token for each byte only.
  private func tokenizer(_ normalizer: String, addedTokens: String = "") throws -> Tokenizer {
    try openTokenizer([
      "tokenizer.json": #"""
      {"added_tokens":[\#(addedTokens)],"normalizer":\#(normalizer),
       "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
       "model":{"vocab":\#(SmallVocabulary().vocabularyJSON),"merges":[]}}
      """#
    ])
  }

  @Test(arguments: [
    (#"{"type":"NFD"}"#, "é각ﬁ", "e\u{301}\u{1100}\u{1161}\u{11A8}ﬁ"),
    (#"{"type":"NFKD"}"#, "éﬁ①\u{FDFA}", "e\u{301}fi1صلى الله عليه وسلم"),
    (#"{"type":"NFKC"}"#, "e\u{301}ﬁ①²ｶﾞ", "éfi12ガ"),
    (#"{"type":"Lowercase"}"#, "AΣ ΑΣ. İǄ", "aσ ασ. i\u{307}ǆ"),
    (#"{"type":"Strip","strip_left":true,"strip_right":true}"#, " \u{3000}a\u{A0} \u{200B} \u{85}", "a\u{A0} \u{200B}"),
    (#"{"type":"Strip","strip_left":true,"strip_right":false}"#, "  a ", "a "),
    (#"{"type":"StripAccents"}"#, "e\u{301}\u{300}é\u{903}", "eé"),
    (#"{"type":"Replace","pattern":{"String":"aa"},"content":"b"}"#, "aaaaa", "bba"),
    (#"{"type":"Replace","pattern":{"String":""},"content":"x"}"#, "aé", "xaxéx"),
    (#"{"type":"Replace","pattern":{"String":" "},"content":"▁"}"#, "a  b", "a▁▁b"),
    (#"{"type":"Prepend","prepend":"▁"}"#, "a", "▁a"),
    (#"{"type":"Prepend","prepend":"▁"}"#, "", ""),
    (#"{"type":"ByteLevel"}"#, "é a\n", "Ã©ĠaĊ"),
    (#"{"type":"Nmt"}"#, "a\u{1}b\u{200B}c", "ab c"),
    (
      #"{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]}"#, "ÉÀ",
      "ea"
    ),
  ])
  func agreesWithTokenizers(normalizer: String, text: String, expected: String) throws {
    let tokenizer = try tokenizer(normalizer)
    let (ids, ends) = try tokenizer.encode(Array(text.utf8))
    #expect(tokenizer.decode(ids) == Array(expected.utf8))
    #expect(zip(ends, ends.dropFirst()).allSatisfy { $0 <= $1 } && ends.last ?? text.utf8.count == text.utf8.count)
  }

  @Test func endsAreOffsetsInTheOriginalText() throws {
    let prepend = #"{"type":"Prepend","prepend":"_"}"#
    #expect(try tokenizer(prepend).encode(Array("ab".utf8)).ends == [0, 1, 2])
    let strip = #"{"type":"Strip","strip_left":true,"strip_right":true}"#
    #expect(try tokenizer(strip).encode(Array("  ab ".utf8)).ends == [3, 5])
    let both = #"{"type":"Sequence","normalizers":[\#(strip),\#(prepend)]}"#
    #expect(try tokenizer(both).encode(Array("  ab ".utf8)).ends == [2, 3, 5])
    #expect(try tokenizer(#"{"type":"Lowercase"}"#).encode(Array("ÀB".utf8)).ends == [1, 2, 3])
  }

  @Test func takesLinearTimeForMarks() throws {
    let text = Array(String(repeating: "\u{301}\u{323}", count: 25_000).utf8)
    for form in ["NFC", "NFD", "NFKC", "NFKD"] {
      #expect(try tokenizer(#"{"type":"\#(form)"}"#).encode(text).ids.count == text.count)
    }
  }

  @Test func rejectsExcessiveGrowth() throws {
    let replace = #"{"type":"Replace","pattern":{"String":"a"},"content":"\#(String(repeating: "a", count: 5000))"}"#
    #expect(throws: TokenizerError.self) { try tokenizer(replace) }
  }
}

@Suite struct AddedTokenRuleTests {
  private func tokenizer(_ addedTokens: String) throws -> Tokenizer {
    try openTokenizer([
      "tokenizer.json": #"""
      {"added_tokens":[\#(addedTokens)],"normalizer":null,
       "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
       "model":{"vocab":\#(SmallVocabulary(["t h"]).vocabularyJSON),"merges":["t h"]}}
      """#
    ])
  }

  @Test func includesWhiteSpaceInMatches() throws {
    let tokenizer = try tokenizer(
      #"{"id":300,"content":"<l>","lstrip":true},{"id":301,"content":"<r>","rstrip":true},{"id":302,"content":" x"}"#)
    let (ids, ends) = try tokenizer.encode(Array("a \u{3000}<l> <r> \n <r>b".utf8))
    #expect(ids == [97, 300, 32, 301, 301, 98])
    #expect(ends == [1, 8, 9, 15, 18, 19])
    // A token within the white space that belongs to the token before it is found nevertheless
    #expect(try tokenizer.encode("<r>  x") == [301, 302])
  }

  @Test func findsSingleWords() throws {
    let tokenizer = try tokenizer(#"{"id":300,"content":"cat","single_word":true}"#)
    #expect(try tokenizer.encode("cat cats ecat cat.").filter { $0 >= 300 }.count == 2)
    #expect(try tokenizer.encode("écat cat_ cat\u{301} 1cat (cat)").filter { $0 >= 300 }.count == 1)
  }

  @Test func assignsIDs() throws {
    let tokenizer = try tokenizer(
      #"""
      {"id":400,"content":""},{"id":300,"content":"<a>"},{"id":300,"content":"<b>"},{"id":5,"content":"th"},
      {"id":6,"content":"<c>"},{"id":7,"content":"<a>","special":true}
      """#)
    #expect(try tokenizer.encode("<a><b>th<c>", special: true) == [300, 301, 256, 302])
    #expect(tokenizer.isSpecial(300) && tokenizer.warnings.count == 4)
  }

  @Test func filesBesideDefineTokens() throws {
    let small = SmallVocabulary()
    let files = [
      "tokenizer.json": #"""
      {"added_tokens":[],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
       "model":{"vocab":\#(small.vocabularyJSON),"merges":[]}}
      """#,
      "special_tokens_map.json": #"{"bos_token":"<m>"}"#,
      "tokenizer_config.json": #"{"bos_token":"<s>","eos_token":{"content":"</s>"}}"#,
    ]
    let tokenizer = try openTokenizer(files)
    #expect(tokenizer.bosTokenID == 256 && tokenizer.eosTokenID == 257)
    #expect(try tokenizer.encode("<m></s>", special: true) == [256, 257])
    // If there is an `added_tokens_decoder`, special_tokens_map.json is ignored
    var withDecoder = files
    withDecoder["tokenizer_config.json"] =
      #"{"bos_token":"<s>","added_tokens_decoder":{"260":{"content":"<s>","special":true}}}"#
    #expect(try openTokenizer(withDecoder).bosTokenID == 260)
  }

  @Test func classDeterminesRuleOfVocabularyFiles() throws {
    let small = SmallVocabulary()
    func open(_ config: String) throws -> Tokenizer {
      try openTokenizer([
        "vocab.json": small.vocabularyJSON, "merges.txt": "\u{FEFF}" + small.mergesText,
        "tokenizer_config.json": config,
      ])
    }
    #expect(try open(#"{"tokenizer_class":"Qwen2TokenizerFast"}"#).encode("e\u{301}") == [0xC3, 0xA9])
    #expect(try open(#"{"tokenizer_class":"GPT2Tokenizer"}"#).encode("e\u{301}") == [0x65, 0xCC, 0x81])
    #expect(throws: TokenizerError.self) { try open(#"{"tokenizer_class":"LlamaTokenizer"}"#) }
  }
}
