import Foundation
import Platform
import TestSupport
import Testing
import Tokenizer

/// The tables of a GGUF file's tokenizer, written to a file in the layout of GGUF.
private struct Tables {
  var model = "gpt2"
  var preTokenizer: String? = "gpt-2"
  /// With the types of llama.cpp.
  var tokens = SmallVocabulary().tokens.map { (text: $0, type: Int32(1)) }
  var hasTypes = true
  var merges: [String]? = []
  var bosTokenID: Int?

  init(_ merges: [String] = []) {
    let small = SmallVocabulary(merges)
    tokens = small.tokens.map { ($0, 1) }
    self.merges = merges
  }

  func open(for purpose: Tokenizer.Purpose = .encoding) throws -> Tokenizer {
    var bytes: [UInt8] = [0]  // so that nothing is aligned
    func append<Number: FixedWidthInteger>(_ number: Number) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    func append(_ texts: [String]) -> Range<Int> {
      let start = bytes.count
      for text in texts {
        append(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
      }
      return start..<bytes.count
    }
    let tokenRange = append(tokens.map(\.text))
    let mergeRange = append(merges ?? [])
    let typeStart = bytes.count
    for token in tokens { append(token.type) }
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(bytes).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let file = try MappedFile(path: Path(url.path))
    return try Tokenizer(
      GGUFTokenizerTables(
        path: "model.gguf", model: model, preTokenizer: preTokenizer,
        tokens: MappedStrings(file, tokenRange, count: tokens.count),
        types: hasTypes ? MappedInt32s(file, at: typeStart, count: tokens.count) : nil,
        merges: merges.map { MappedStrings(file, mergeRange, count: $0.count) }, bosTokenID: bosTokenID),
      for: purpose)
  }

  func reason() -> String? {
    do {
      _ = try open()
      return nil
    } catch { return "\(error)" }
  }
}

@Suite struct GGUFTablesTests {
  /// The fixture's vocabulary in both formats.
  @Test func equalTokensGiveTheSameVocabulary() throws {
    let json = try Fixture.tokenizer()
    var tables = Tables()
    tables.tokens = (0..<500).map { id in
      let bytes = json.bytes(of: id).map(Array.init) ?? []
      if json.isSpecial(id) { return (String(decoding: bytes, as: UTF8.self), 3) }
      return (bytes.map { String(byteLevelAlphabet[Int($0)]) }.joined(), 1)
    }
    tables.tokens.append(("[PAD500]", 5))
    tables.merges = try String(contentsOfFile: Fixture.folder + "/files/merges.txt", encoding: .utf8)
      .split(separator: "\n").dropFirst().map(String.init)
    let gpt2 = try tables.open()
    #expect(gpt2.fingerprint == json.fingerprint && gpt2.vocabularySize == json.vocabularySize)
    #expect(try tables.open(for: .decoding).fingerprint == json.fingerprint)
    tables.preTokenizer = "smollm"
    let smollm = try tables.open()
    tables.preTokenizer = "qwen2"
    let qwen2 = try tables.open()
    tables.preTokenizer = "llama-bpe"
    let llama3 = try tables.open()
    for golden in try Fixture.golden() {
      #expect(try gpt2.encode(golden.text) == golden.ids, "\(golden.text)")
      #expect(try gpt2.encode(golden.text, special: true) == golden.special, "\(golden.text)")
      #expect(try smollm.encode(golden.text) == golden.digits, "\(golden.text)")
      #expect(try qwen2.encode(golden.text) == golden.qwen2, "\(golden.text)")
      #expect(try llama3.encode(golden.text) == golden.llama3, "\(golden.text)")
    }
  }

  @Test func tokenTypesAreRead() throws {
    var tables = Tables(["a b"])
    tables.tokens += [("<é>", 3), ("été", 4), ("[PAD]", 5), ("<unk>", 2)]
    tables.bosTokenID = 257
    let tokenizer = try tables.open()
    #expect(tokenizer.vocabularySize == 261 && tokenizer.bosTokenID == 257)
    #expect(try tokenizer.tokens("ab<é>étéa", special: true) == "ab|<é>|été|a")
    #expect(try tokenizer.encode("été<é>").first == 258)
    #expect((257...260).map(tokenizer.isSpecial) == [true, false, false, true])
    #expect(tokenizer.bytes(of: 259) == nil && tokenizer.decode([257]) == Array("<é>".utf8))
    tables.tokens.removeLast(4)
    tables.hasTypes = false
    #expect(try tables.open().tokens("aab") == "a|ab")
  }

  @Test func llamaPreTokenizerIgnoresMergesForWholePreTokens() throws {
    var tables = Tables(["a b"])
    tables.preTokenizer = "llama-bpe"
    tables.tokens.append(("abc", 1))
    #expect(try tables.open().tokens("abc abc") == "abc| |ab|c")
  }

  @Test func rejectsUnsupportedTablesByName() {
    var tables = Tables()
    tables.model = "bert"
    #expect(tables.reason()?.hasPrefix("model.gguf: unsupported tokenizer model \"bert\" (supported: gpt2, ") == true)
    tables.model = "llama"
    #expect(tables.reason() == "model.gguf: tokenizer.ggml.scores is missing")
    tables.model = "gpt2"
    tables.preTokenizer = "afmoe"
    #expect(tables.reason()?.hasPrefix("model.gguf: unsupported pre-tokenizer \"afmoe\" (supported: gpt-2, ") == true)
    tables.preTokenizer = nil
    #expect(
      tables.reason()?.contains("tokenizer.ggml.pre is missing); --pre-tokenizer NAME names it") == true)
  }

  @Test func rejectsInvalidTables() {
    func reason(_ change: (inout Tables) -> Void) -> String? {
      var tables = Tables(["a b"])
      change(&tables)
      return tables.reason()
    }
    #expect(reason { $0.merges = nil } == "model.gguf: tokenizer.ggml.merges is missing")
    #expect(
      reason { $0.merges = ["b a"] } == "model.gguf: merge 1: \"ba\" is not in the vocabulary")
    #expect(
      reason { $0.merges = ["a b", "ab"] }
        == "model.gguf: merge 2 has no space; a merge is two tokens with a space between them")
    #expect(
      reason { $0.merges = ["a 東"] } == "model.gguf: merge 1: characters outside the byte-level alphabet: \"東\"")
    let long = String(repeating: "a", count: 200_000)
    #expect(reason { $0.merges = ["a \(long)"] } == "model.gguf: merge 1: the token is longer than 65535 bytes")
    #expect(
      reason { $0.tokens.append(("ab", 1)) } == "model.gguf: the token \"ab\" has two ids, 256 and 257")
    #expect(
      reason { $0.tokens.append(("ab", 4)) }
        == "model.gguf: the added token \"ab\" has the id 257, but the id 256 in the model's vocabulary")
    #expect(
      reason { $0.tokens.append(("a", 7)) } == "model.gguf: token 257 has no type or an unknown one (allowed: 1 to 6)")
    for type: Int32 in [1, 3, 4] {
      if type != 1 { #expect(reason { $0.tokens.append(("", type)) } == "model.gguf: token 257 is empty") }
      #expect(
        reason { $0.tokens.append((long, type)) } == "model.gguf: token 257 has "
          + "\(type == 1 ? 100_000 : 200_000) bytes (at most 65535 allowed)")
    }
    #expect(reason { $0.tokens = [] } == "model.gguf: the vocabulary has no tokens")
    #expect(
      reason { $0.tokens = $0.tokens.map { ($0.text, 5) } } == "model.gguf: the vocabulary has no tokens")
  }

  @Test func limitsNumberAndLengthOfTokens() {
    var tables = Tables()
    tables.tokens += (0..<1 << 20).map { ("<\($0)>", 3) }
    #expect(tables.reason() == "model.gguf: the id 1048576 is out of range (0 to 1048575)")
    tables.tokens =
      (0..<200_000).map { ("<token number \($0 &* 0x9E37_79B9 & 0xFFFF_FFFF)>", 4) } + tables.tokens.prefix(1)
    #expect(
      tables.reason() == "model.gguf: the added tokens are too long: more than 1048576 bytes without shared ends")
  }

  @Test func reportsByteWithoutToken() throws {
    var tables = Tables()
    tables.tokens[0x7A].type = 5
    #expect(throws: TextEncodingError(byte: 0x7A, offset: 2)) { try tables.open().encode("y z") }
  }
}
