import Foundation
import Platform
import Testing
import Tokenizer

/// The expected ids are those of transformers 5.24 (`AutoTokenizer`).
@Suite struct TokenizerClassTests {
  private static let text = "Hello the  world\n<s>x"

  /// Opens a folder with a fixture of SentencePiece and other files.
  private func open(
    _ fixture: String, as name: String = "tokenizer.model", _ files: [String: String] = [:]
  ) throws -> Tokenizer {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = URL(filePath: Fixture.folder).appending(path: "sentencepiece/\(fixture).model")
    try FileManager.default.copyItem(at: source, to: folder.appending(path: name))
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    return try Tokenizer(folder: Path(folder.path))
  }

  private func open(_ fixture: String, class name: String, as file: String = "tokenizer.model") throws -> Tokenizer {
    try open(fixture, as: file, ["tokenizer_config.json": #"{"tokenizer_class":"\#(name)"}"#])
  }

  private func reason(_ open: () throws -> Tokenizer) -> String? {
    do {
      _ = try open()
      return nil
    } catch let error as TokenizerError { return error.reason } catch { return "\(error)" }
  }

  @Test func encodesAsSentencePieceIfNoClassIsNamed() throws {
    let ids: [Int32] = [331, 77, 332, 348, 348, 339, 266, 331, 262, 301, 348, 345, 15, 1, 331, 400]
    for files in [
      [:], ["config.json": #"{"model_type":"llama"}"#],
      ["tokenizer_config.json": #"{"tokenizer_class":"FooTokenizer"}"#],
      [
        "config.json": #"{"model_type":"phi3"}"#,
        "tokenizer_config.json": #"{"tokenizer_class":"LlamaTokenizer"}"#,
      ],
      [
        "config.json": #"{"model_type":"internlm2"}"#,
        "tokenizer_config.json":
          #"{"tokenizer_class":"InternLM2Tokenizer","auto_map":{"AutoTokenizer":["a.B",null]}}"#,
      ],
    ] {
      let tokenizer = try open("bpe", files)
      #expect(try tokenizer.encode(Self.text, special: true) == ids, "\(files)")
      #expect(tokenizer.bosTokenID == 1 && tokenizer.eosTokenID == 2 && tokenizer.isSpecial(1))
    }
    let unigram: [Int32] = [4, 0, 8, 23, 23, 25, 9, 17, 59, 23, 12, 0, 1, 4, 134]
    #expect(try open("unigram").encode(Self.text, special: true) == unigram)
  }

  @Test func classesOfBPEHaveTheirOwnRules() throws {
    let llama: [Int32] = [331, 77, 332, 348, 348, 339, 266, 331, 262, 301, 348, 345, 15, 1, 400]
    for name in ["LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer"] {
      #expect(try open("bpe", class: name).encode(Self.text, special: true) == llama, "\(name)")
    }
    let gemma = try open("bpe", class: "GemmaTokenizer")
    #expect(
      try gemma.encode(Self.text, special: true)
        == [77, 332, 348, 348, 339, 266, 331, 262, 301, 348, 345, 15, 1, 400])
    // The vocabulary lacks the class's tokens, which are added after it
    #expect(gemma.bosTokenID == 420 && gemma.eosTokenID == 421 && gemma.vocabularySize == 424)
  }

  @Test func classesOfUnigramModelsHaveTheirOwnRules() throws {
    let t5 = try open("unigram", class: "T5Tokenizer", as: "spiece.model")
    #expect(try t5.encode(Self.text, special: true) == [4, 2, 8, 23, 23, 25, 9, 17, 59, 23, 12, 1, 4, 134])
    #expect(t5.tokensAfterText == [2] && t5.vocabularySize == 261)
    #expect(
      t5.warnings == [
        "unknown characters become the token \"</s>\" (2), because the tokenizer class T5Tokenizer uses this id, not "
          + "the id of the unknown token in the file"
      ])
    let none = try open(
      "unigram", ["tokenizer_config.json": #"{"tokenizer_class":"T5Tokenizer","extra_ids":0}"#])
    #expect(none.vocabularySize == 161)
  }

  @Test func filesWithoutRuleAreErrors() {
    #expect(
      reason { try open("bpe", class: "XLNetTokenizer") }?.hasPrefix(
        "the rule of this file is unknown for the tokenizer class \"XLNetTokenizer\" (supported: LlamaTokenizer, ")
        ?? false)
    #expect(
      reason { try open("bpe", class: "GPT2Tokenizer") }
        == "the tokenizer class \"GPT2Tokenizer\" requires vocab.json and merges.txt")
    let ownCode = #"{"tokenizer_class":"FooTokenizer","auto_map":{"AutoTokenizer":["a.B",null]}}"#
    #expect(reason { try open("bpe", ["tokenizer_config.json": ownCode]) }?.contains("FooTokenizer") ?? false)
    #expect(
      reason { try openTokenizer(["tekken.json": "{}"]) }
        == "tekken.json is not supported; tokenizer.json of the same model is required")
    #expect(reason { try openTokenizer(["tokenizer.model": "no model"]) } != nil)
  }

  @Test func readsListsOfRankedTokens() throws {
    var list = (0...255).map { "\(Data([UInt8($0)]).base64EncodedString()) \($0)\n" }.joined()
    for (rank, token) in [(256, "ab"), (257, " a"), (258, "abc"), (259, " abcd")] {
      list += "\(Data(token.utf8).base64EncodedString()) \(rank)\n"
    }
    let tokenizer = try openTokenizer([
      "tokenizer.model": list,
      "tokenizer_config.json":
        #"{"added_tokens_decoder":{"262":{"content":"<|x|>","special":true}},"bos_token":"<|x|>"}"#,
    ])
    #expect(try tokenizer.encode("abc abc abcd") == [258, 32, 258, 259])
    #expect(try tokenizer.encode("<|x|>", special: true) == [262] && tokenizer.bosTokenID == 262)
    #expect(tokenizer.bytes(of: 260).map(Array.init) == Array("<|reserved_token_260|>".utf8))
  }

  @Test func classReplacesComponentsOfTokenizerJSON() throws {
    func ids(_ config: String, normalizers: String = "") throws -> [Int32] {
      let json = #"""
        {"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},\#(normalizers)
          {"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"pre_tokenizer":null,"decoder":null,
          "added_tokens":[{"id":3,"content":"<s>","special":true}],"model":{"type":"BPE","byte_fallback":true,
          "vocab":{"▁":0,"a":1,"▁a":2,"<s>":3,"</s>":4,"<unk>":5},"merges":[["▁","a"]]}}
        """#
      let tokenizer = try openTokenizer(["tokenizer.json": json, "tokenizer_config.json": config])
      return try tokenizer.encode("a<s>a", special: true)
    }
    #expect(try ids(#"{"tokenizer_class":"PreTrainedTokenizerFast"}"#) == [2, 3, 2])
    #expect(try ids(#"{"tokenizer_class":"LlamaTokenizer"}"#) == [2, 3, 1])
    #expect(try ids(#"{"tokenizer_class":"LlamaTokenizer","legacy":true}"#) == [2, 3, 2])
    #expect(try ids(#"{"tokenizer_class":"LlamaTokenizer","add_prefix_space":false}"#) == [1, 3, 1])
    // A step that the class lacks
    #expect(try ids(#"{"tokenizer_class":"LlamaTokenizer"}"#, normalizers: #"{"type":"NFKC"},"#) == [2, 3, 2])
  }
}
