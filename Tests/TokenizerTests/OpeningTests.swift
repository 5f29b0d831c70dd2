import Foundation
import Platform
import TestSupport
import Testing
import Tokenizer

@Suite struct OpeningTests {
  @Test func bothFileFormatsGiveTheSameVocabulary() throws {
    let json = try Fixture.tokenizer()
    let files = try Tokenizer(folder: Path(Fixture.folder + "/files"))
    #expect(json.fingerprint == files.fingerprint)
    #expect(json.vocabularySize == 500 && files.vocabularySize == 500)
    #expect(json.bosTokenID == files.bosTokenID && files.isSpecial(files.bosTokenID!))
    for golden in try Fixture.golden() {
      #expect(try files.encode(golden.text) == golden.ids)
      #expect(try files.encode(golden.text, special: true) == golden.special)
    }
  }

  @Test func fingerprintsOfVocabulariesDiffer() throws {
    let one = try SmallVocabulary(["a b", "c d"]).open()
    let other = try SmallVocabulary(["c d", "a b"]).open()
    #expect(one.fingerprint != other.fingerprint)
  }

  @Test func idsWithoutTokensHaveNoBytes() throws {
    let tokenizer = try Fixture.tokenizer(
      replacing: [#""added_tokens":["#: #""added_tokens":[{"id":510,"content":"<x>","special":true},"#])
    #expect(tokenizer.vocabularySize == 511)
    #expect(tokenizer.bytes(of: 505) == nil)
    #expect(tokenizer.bytes(of: 511) == nil && tokenizer.bytes(of: -1) == nil && tokenizer.bytes(of: .max) == nil)
    #expect(tokenizer.bytes(of: 510).map(Array.init) == Array("<x>".utf8))
  }

  @Test func readsAllFormatsOfMerges() throws {
    let small = SmallVocabulary(["a b", "Ġ ab"])
    let preTokenizer = #""pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(Self.byteLevel)]}"#
    let pairs = #"[["a", "b"], ["\u0120","ab"]]"#
    let strings = #"["a b","\u0120 ab"]"#
    for merges in [pairs, strings] {
      let vocabularyFirst = #""model":{"vocab":\#(small.vocabularyJSON),"merges":\#(merges)}"#
      let mergesFirst = #""model":{"merges":\#(merges),"vocab":\#(small.vocabularyJSON)}"#
      for model in [vocabularyFirst, mergesFirst] {
        #expect(try openTokenizer(["tokenizer.json": "{\(model),\(preTokenizer)}"]).tokens("ab ab") == "ab| ab")
      }
    }
    let crlf = small.mergesText.replacing("\n", with: "\r\n")
    #expect(try openTokenizer(["vocab.json": small.vocabularyJSON, "merges.txt": crlf]).tokens("ab ab") == "ab| ab")
  }

  /// The fast path and the general reader give the same tokens, whatever the length, the spelling and the format.
  @Test func fastPathReadsAllSpellingsAndFormats() throws {
    var generator = SeededGenerator(6)
    var small = SmallVocabulary()
    var bytes = (0...255).map { [UInt8($0)] }
    for length in 2...40 {
      for _ in 0..<12 {
        let letters = (1..<length).map { _ in UInt8.random(in: 0x21...0x7E, using: &generator) }
        let first: UInt8 = Bool.random(using: &generator) ? 0x20 : .random(in: 0...255, using: &generator)
        let cut = Int.random(in: 1..<length, using: &generator)
        let token = [first] + letters
        guard !bytes.contains(token) else { continue }
        func spelled(_ bytes: some Sequence<UInt8>) -> String {
          bytes.map { String(byteLevelAlphabet[Int($0)]) }.joined()
        }
        small.add(spelled(token[..<cut]) + " " + spelled(token[cut...]))
        bytes.append(token)
      }
    }
    let escaped = small.vocabularyJSON.unicodeScalars
      .map { $0.isASCII ? String($0) : "\\u" + String($0.value + 0x10000, radix: 16).dropFirst() }.joined()
    let spaced =
      "{"
      + small.tokens.enumerated().map { "\(SmallVocabulary.quoted($1)) : \n\t\($0) " }.joined(separator: ",\r\n     ")
      + "}"
    let pairs = small.merges.map { merge in
      "[" + merge.split(separator: " ").map { SmallVocabulary.quoted(String($0)) }.joined(separator: ", ") + "]"
    }
    func json(_ vocabulary: String, _ merges: String) -> [String: String] {
      [
        "tokenizer.json":
          #"{"model":{"vocab":\#(vocabulary),"merges":\#(merges)},"pre_tokenizer":\#(Self.byteLevel)}"#
      ]
    }
    let strings = small.merges.map(SmallVocabulary.quoted).joined(separator: ",\n      ")
    let formats = [
      ["vocab.json": small.vocabularyJSON, "merges.txt": small.mergesText],
      ["vocab.json": escaped, "merges.txt": small.mergesText.replacing("\n", with: "\r\n")],
      ["vocab.json": spaced, "merges.txt": small.mergesText + "\n"],
      json(escaped, "[" + strings + "]"),
      json(small.vocabularyJSON, "[\n" + pairs.joined(separator: " ,\r\n        ") + "\n]"),
      json(small.vocabularyJSON, "[" + pairs.map { $0.replacing(", ", with: ",") }.joined(separator: ",") + "]"),
    ]
    let texts = bytes.map { $0 + bytes.randomElement(using: &generator)! }
    let first = try openTokenizer(formats[0])
    for format in formats {
      let tokenizer = try openTokenizer(format)
      #expect((0..<bytes.count).allSatisfy { tokenizer.bytes(of: $0).map(Array.init) == bytes[$0] })
      #expect(tokenizer.fingerprint == first.fingerprint)
      for text in texts { #expect(try tokenizer.encode(text).ids == first.encode(text).ids) }
    }
  }

  /// As in Llama 3's file: a template that adds a token before the text, if the caller asks for it.
  @Test func readsBOSTokenFromPostProcessor() throws {
    let processor = #"""
      {"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false},
       {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A"}}],
        "pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[500],"tokens":["<s>"]}}}]}
      """#
    let tokenizer = try Fixture.tokenizer(replacing: [
      #""added_tokens":["#: #""added_tokens":[{"id":500,"content":"<s>","special":true},"#,
      #""post_processor":null"#: #""post_processor":\#(processor)"#,
    ])
    #expect(tokenizer.bosTokenID == 500)
    #expect(try tokenizer.encode("it") == Fixture.tokenizer().encode("it"))
  }

  // MARK: - Errors

  private func reason(_ files: [String: String]) -> (file: String, reason: String)? {
    do {
      _ = try openTokenizer(files)
      return nil
    } catch let error as TokenizerError {
      return (error.path.lastComponent.text, error.reason)
    } catch {
      return ("", "\(error)")
    }
  }

  @Test func rejectsFoldersWithoutTokenizer() throws {
    #expect(reason([:])?.reason == "no tokenizer found: tokenizer.json, or vocab.json and merges.txt, is required")
    #expect(
      reason(["vocab.json": "{}"])?.reason
        == "merges.txt is missing beside vocab.json, and there is no tokenizer.json")
    do {
      _ = try Tokenizer(folder: "/nonexistent")
      Issue.record("opened a folder that does not exist")
    } catch {
      #expect(error.description == "/nonexistent: no such folder")
      guard case .notFound = error.cause else {
        Issue.record("\(error.cause)")
        return
      }
    }
  }

  @Test(arguments: [
    ("", "byte 1: expected an object, found the end of the text"),
    (#"{"a":0,"a":1}"#, "the token \"a\" has two ids, 0 and 1"),
    (#"{"a":0,"b":0}"#, "byte 9: two tokens have the id 0"),
    (#"{"a":-1}"#, "byte 3: the id -1 is out of range (0 to 1048575)"),
    (#"{"a":1048576}"#, "byte 3: the id 1048576 is out of range (0 to 1048575)"),
    (#"{"a":99999999999999999999}"#, "byte 6: 99999999999999999999 is too large"),
    (#"{"a":1.5}"#, "byte 6: 1.5 is not an integer"),
    (#"{"a b":0}"#, "byte 3: token 0 has characters outside the byte-level alphabet"),
    (#"{"東":0}"#, "byte 3: token 0 has characters outside the byte-level alphabet"),
    (#"{"\ud800":0}"#, "byte 3: unpaired surrogate in an escape sequence"),
    (#"{"":0}"#, "byte 3: token 0 is empty"),
    (#"{"a":0"#, #"byte 7: expected a comma or "}", found the end of the text"#),
  ])
  func rejectsInvalidVocabulary(vocabulary: String, message: String) {
    let result = reason(["vocab.json": vocabulary, "merges.txt": ""])
    #expect(result?.file == "vocab.json")
    #expect(result?.reason == message)
  }

  @Test(arguments: [
    ("a b\nab", "line 2: no space; a merge is two tokens with a space between them"),
    ("#version: 0.2\n\na b\nab", "line 4: no space; a merge is two tokens with a space between them"),
    ("b a", "line 1: merge 1: \"ba\" is not in the vocabulary"),
    ("a b\nab ", "line 2: merge 2 has an empty token"),
    (" a", "line 1: merge 1 has an empty token"),
    ("a b c", "line 1: merge 1: characters outside the byte-level alphabet: \"b c\""),
    ("a 東", "line 1: merge 1: characters outside the byte-level alphabet: \"東\""),
  ])
  func rejectsInvalidMerges(merges: String, message: String) {
    let result = reason(["vocab.json": #"{"a":0,"b":1,"ab":2}"#, "merges.txt": merges])
    #expect(result?.file == "merges.txt")
    #expect(result?.reason == message)
  }

  private static let byteLevel = #"{"type":"ByteLevel","add_prefix_space":false}"#
  private static func split(_ pattern: String, _ behavior: String = "Isolated") -> String {
    let pattern = SmallVocabulary.quoted(pattern)
    return #"{"type":"Split","pattern":{"Regex":\#(pattern)},"behavior":"\#(behavior)","invert":false}"#
  }
  private static let oneToken = #""pre_tokenizer":\#(byteLevel),"model":{"vocab":{"a":0},"merges":[]}"#

  @Test(arguments: [
    (#""normalizer":{"type":"BertNormalizer"}"#, "the normalizer \"BertNormalizer\""),
    (
      #""normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"BertNormalizer"}]}"#,
      "the normalizer \"BertNormalizer\""
    ),
    (#""pre_tokenizer":{"type":"UnicodeScripts"}"#, "the pre-tokenizer \"UnicodeScripts\""),
    (
      #""pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(byteLevel),{"type":"UnicodeScripts"}]}"#,
      "the pre-tokenizer \"UnicodeScripts\""
    ),
    (#""post_processor":{"type":"PairProcessing"}"#, "the post-processor \"PairProcessing\""),
    (#""decoder":{"type":"WordPiece"}"#, "the decoder \"WordPiece\""),
    (#""model":{"type":"WordPiece","vocab":{}}"#, "the model type \"WordPiece\""),
    (
      #""pre_tokenizer":\#(byteLevel),"normalizer":null,"model":{"type":"Unigram","vocab":[]}"#,
      "the model type \"Unigram\" with \"ByteLevel\""
    ),
    (#""model":{"dropout":0.1}"#, "\"dropout\" of the model"),
    (#""model":{"continuing_subword_prefix":"@@"}"#, "\"continuing_subword_prefix\" of the model"),
    (#""model":{"end_of_word_suffix":"</w>"}"#, "\"end_of_word_suffix\" of the model"),
  ])
  func rejectsUnsupportedMembersByName(member: String, what: String) {
    let result = reason(["tokenizer.json": "{\(member)}"])
    #expect(result?.file == "tokenizer.json")
    #expect(
      result?.reason.hasSuffix(
        ": \(what) is not supported") == true,
      "\(result?.reason ?? "opened")")
  }

  @Test(arguments: [
    ("{}", "byte 1: \"model\" is missing"),
    (#"{"pre_tokenizer":\#(byteLevel),"model":{"merges":[]}}"#, "byte 85: \"vocab\" of the model is missing"),
    (#"{"pre_tokenizer":\#(byteLevel),"model":{"vocab":{"a":0}}}"#, "byte 89: \"merges\" of the model is missing"),
    (#"{"pre_tokenizer":\#(byteLevel),"model":{"vocab":{}}}"#, "byte 81: the vocabulary has no tokens"),
    (
      #"{"pre_tokenizer":\#(byteLevel),"model":{"vocab":{"a":0},"merges":[],"vocab":{"b":1}}}"#,
      "byte 109: duplicate vocabulary"
    ),
    (#"{"pre_tokenizer":{"type":"ByteLevel"}}"#, "byte 18: \"add_prefix_space\" of \"ByteLevel\" is missing"),
    (
      #"{"pre_tokenizer":\#(byteLevel),"normalizer":null,"model":{"vocab":{"a":0},"merges":["a"]}}"#,
      "byte 118: no space; a merge is two tokens with a space between them"
    ),
    (
      #"{"model":{"vocab":{"a":0},"merges":["a"]}}"#,
      "byte 37: a merge is two tokens with a space between them"
    ),
    (#"{"model":{"vocab":{"a":0},"merges":[["a"]]}}"#, "byte 37: a merge is two tokens with a space between them"),
    (
      #"{"model":{"vocab":{"a":0},"merges":[["a","a"]]}}"#,
      "byte 10: merge 1: \"aa\" is not in the vocabulary"
    ),
    (
      #"{"added_tokens":[{"id":1}],\#(oneToken)}"#,
      "byte 18: an added token has no \"content\" or no \"id\""
    ),
    (
      #"{"pre_tokenizer":\#(byteLevel),"model":{"unk_token":"a","vocab":{"a":0},"merges":[]}}"#,
      "\"unk_token\" or \"byte_fallback\" in a byte-level vocabulary without a token for every byte is not supported"
    ),
  ])
  func rejectsInvalidTokenizerJSON(json: String, message: String) {
    #expect(reason(["tokenizer.json": json])?.reason == message)
  }

  @Test func messagesAbbreviateLongText() throws {
    let long = String(repeating: "x", count: 100_000)
    let cut = String(repeating: "x", count: 60) + "… (100000 bytes)"
    func reason(_ json: String) -> String { self.reason(["tokenizer.json": json])?.reason ?? "opened" }
    for (member, what) in [
      (#""normalizer":{"type":"\#(long)"}"#, "the normalizer \"\(cut)\""),
      (#""pre_tokenizer":{"type":"\#(long)"}"#, "the pre-tokenizer \"\(cut)\""),
      (#""pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(Self.byteLevel),{"type":"\#(long)"}]}"#, "\"\(cut)\""),
      (
        #""pre_tokenizer":{"type":"Sequence","pretokenizers":[\#(Self.split("(" + long)),\#(Self.byteLevel)]}"#,
        "with the pattern (\(cut.dropFirst().prefix(58))"
      ),
      (#""post_processor":{"type":"\#(long)"}"#, "the post-processor \"\(cut)\""),
      (#""decoder":{"type":"\#(long)"}"#, "the decoder \"\(cut)\""), (#""model":{"type":"\#(long)"}"#, "\"\(cut)\""),
      (#""model":{"vocab":{"x":0},"merges":["x \#(long)"]}"#, "(100000 bytes)"),
      (#""model":{"vocab":{"x":0},"merges":["x 東\#(long)"]}"#, "(100003 bytes)"),
      (#""model":{"vocab":{"x":\#(String(repeating: "1", count: 100_000))}}"#, "(100000 bytes) is too large"),
    ] {
      let reason = reason("{\(member)}")
      #expect(reason.contains(what) && reason.utf8.count < 400, "\(reason.prefix(500))")
    }
    let merges = self.reason(["vocab.json": #"{"a":0}"#, "merges.txt": "#version: 0.2\na \(long)\n"])?.reason ?? ""
    #expect(merges.hasPrefix("line 2: ") && merges.utf8.count < 200, "\(merges.prefix(500))")
  }

  @Test func recognizesFilesOfFailedDownloads() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n"
    for files in [["tokenizer.json": pointer], ["vocab.json": "{}", "merges.txt": pointer]] {
      #expect(reason(files)?.reason.hasPrefix("this is a Git LFS pointer and not the file itself") == true)
    }
    #expect(
      reason(["tokenizer.json": "<html>"])?.reason.hasPrefix("this is a web page, not the file itself") == true)
  }

  @Test func limitsPartsAndRejectsDuplicateIDs() {
    let parts = Array(repeating: #"{"type":"NFC"}"#, count: 65).joined(separator: ",")
    #expect(
      reason(["tokenizer.json": #"{"normalizer":{"type":"Sequence","normalizers":[\#(parts)]}}"#])?.reason
        .contains("a sequence of more than 64 parts is not supported") == true)
    #expect(
      reason(["tokenizer.json": #"{"model":{"vocab":{" ":300," ":300},"merges":[]}}"#])?.reason
        == "byte 29: two tokens have the id 300")
  }

  @Test func reportsUnreadableFile() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(
      at: folder.appending(path: "tokenizer.json"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      _ = try Tokenizer(folder: Path(folder.path))
      Issue.record("opened a folder as a file")
    } catch {
      #expect(error.description == "\(folder.path)/tokenizer.json: Is a directory")
      guard case .unreadable = error.cause else {
        Issue.record("\(error.cause)")
        return
      }
    }
  }
}
