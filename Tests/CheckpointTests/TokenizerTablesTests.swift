import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct TokenizerTablesTests {
  private func tables(_ change: (inout GGUFBuilder) -> Void = { _ in }) throws -> TokenizerTables? {
    try Folder().files(GGUFBuilder.gpt2.with(change).data).tokenizerTables()
  }

  private func texts(_ strings: MappedStrings) -> [String] { strings.map { String(decoding: $0, as: UTF8.self) } }

  @Test func readsTables() throws {
    let tables = try #require(try tables())
    #expect(tables.model == "gpt2" && tables.preTokenizer == "gpt-2")
    #expect(tables.tokens.count == 8 && texts(tables.tokens) == (0..<8).map { "t\($0)" })
    #expect(tables.types.map(Array.init) == [3, 1, 1, 1, 1, 1, 1, 1])
    #expect(tables.merges.map(texts) == ["t 0", "t 1"])
    #expect(tables.bosTokenID == nil)
    #expect(tables.path.hasSuffix("/model.gguf"))
  }

  @Test func readsOptionalTables() throws {
    let tables = try #require(
      try tables {
        $0["tokenizer.ggml.pre"] = nil
        $0["tokenizer.ggml.token_type"] = .uint32s([1, 1, 1, 1, 1, 1, 1, 4])
        $0["tokenizer.ggml.bos_token_id"] = .int32(7)

        $0["tokenizer.ggml.tokens"] = .strings(["", "é", "\0", "Ġa", "e\u{301}", "ġ", "<|x|>", "z"])
      })
    #expect(tables.preTokenizer == nil && tables.types?.last == 4 && tables.bosTokenID == 7)

    #expect(tables.tokens.map { $0.count } == [0, 2, 1, 3, 3, 2, 5, 1])
  }

  @Test func readsSentencePieceMembers() throws {
    let absent = try #require(try tables())
    #expect(absent.scores == nil && absent.characterMap == nil && absent.unknownTokenID == nil)
    #expect(absent.addsSpacePrefix == nil && absent.addsBOS == nil && absent.addsEOS == nil)
    #expect(absent.removesExtraWhitespace == nil)
    let scores: [Float] = [0, -1, -2.5, 3, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, 1e-3, -1000]
    let tables = try #require(
      try tables {
        $0["tokenizer.ggml.scores"] = .float32s(scores)
        $0["tokenizer.ggml.unknown_token_id"] = .uint32(7)
        $0["tokenizer.ggml.add_space_prefix"] = .boolean(false)
        $0["tokenizer.ggml.add_bos_token"] = .boolean(true)
        $0["tokenizer.ggml.add_eos_token"] = .boolean(false)
        $0["tokenizer.ggml.remove_extra_whitespaces"] = .boolean(true)
        $0["tokenizer.ggml.precompiled_charsmap"] = .uint8s([4, 0, 0, 0, 255])
      })
    #expect(tables.scores == scores && tables.unknownTokenID == 7)
    #expect(tables.addsSpacePrefix == false && tables.addsBOS == true && tables.addsEOS == false)
    #expect(tables.removesExtraWhitespace == true && tables.characterMap == [4, 0, 0, 0, 255])
  }

  @Test func readsCharacterMapsOfSignedBytes() throws {
    for (values, bytes) in [([], []), ([4, 0, -1, -128, 127], [4, 0, 255, 128, 127])] as [([Int8], [UInt8])] {
      #expect(try tables { $0["tokenizer.ggml.precompiled_charsmap"] = .int8s(values) }?.characterMap == bytes)
    }
  }

  @Test(arguments: [8, -1, 1 << 30] as [Int32]) func ignoresInvalidTokenIDs(_ id: Int32) throws {
    let tables = try tables {
      $0["tokenizer.ggml.bos_token_id"] = .int32(id)
      $0["tokenizer.ggml.unknown_token_id"] = .int32(id)
    }
    #expect(tables != nil && tables?.bosTokenID == nil && tables?.unknownTokenID == nil)
  }

  @Test(arguments: [
    ("token_type", GGUFBuilder.Value.int32s([1]), "but tokenizer.ggml.token_type has 1"),
    ("scores", .float32s([]), "but tokenizer.ggml.scores has 0"),
    ("scores", .float32s(Array(repeating: 0, count: 9)), "but tokenizer.ggml.scores has 9"),
  ])
  func rejectsTablesOfOtherLengths(_ name: String, _ value: GGUFBuilder.Value, _ expected: String) {
    let error = #expect(throws: CheckpointError.self) { try tables { $0["tokenizer.ggml." + name] = value } }
    #expect(error?.description.hasSuffix("tokenizer.ggml.tokens has 8 entries, \(expected)") == true)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func rejectsScoresThatAreNotFinite(_ score: Float) {
    let error = #expect(throws: CheckpointError.self) {
      try tables { $0["tokenizer.ggml.scores"] = .float32s([0, 0, 0, 0, 0, score, 0, 0]) }
    }
    #expect(error?.description.hasSuffix("tokenizer.ggml.scores has \(score) for token 5; must be finite") == true)
  }

  @Test func readsFilesWithoutTensors() throws {
    let file = GGUFBuilder.gpt2.with { file in
      file.values.removeAll { !$0.key.hasPrefix("tokenizer.") }
      file.tensors = []
    }
    #expect(try Folder().files(file.data.dropLast(1)).tokenizerTables()?.tokens.count == 8)  // without padding
  }

  @Test func foldersHaveNoTables() throws {
    let folder = try Folder()
    #expect(try ModelFiles(ModelLocation(folder: Path(folder.path))).tokenizerTables() == nil)
  }

  @Test(arguments: ["model", "tokens"]) func reportsMissingTokenizer(_ name: String) {
    let error = #expect(throws: CheckpointError.self) { try tables { $0["tokenizer.ggml." + name] = nil } }
    #expect(
      error?.description.contains("no tokenizer: tokenizer.ggml.model or tokenizer.ggml.tokens is missing") == true)
  }

  @Test(arguments: [
    ("tokens", GGUFBuilder.Value.uint32(3), "an array of strings"), ("tokens", .int32s([1]), "an array of strings"),
    ("tokens", .string("a"), "an array of strings"), ("merges", .int32s([1]), "an array of strings"),
    ("token_type", .strings([]), "an array of 32-bit integers"),
    ("model", .uint32(1), "a string of at most 1024 bytes"),
    ("bos_token_id", .string("a"), "an integer"), ("unknown_token_id", .float32(1), "an integer"),
    ("scores", .float32(1), "an array of 32-bit numbers"), ("scores", .int32s([1]), "an array of 32-bit numbers"),
    ("add_space_prefix", .uint8(1), "true or false"), ("add_bos_token", .uint32(1), "true or false"),
    ("add_eos_token", .string("a"), "true or false"), ("remove_extra_whitespaces", .float32(1), "true or false"),
    ("precompiled_charsmap", .string("a"), "an array of 8-bit integers"),
    ("precompiled_charsmap", .int32s([1]), "an array of 8-bit integers"),
    ("precompiled_charsmap", .uint8(1), "an array of 8-bit integers"),
  ])
  func rejectsMistypedValues(_ name: String, _ value: GGUFBuilder.Value, _ expected: String) {
    let error = #expect(throws: CheckpointError.self) { try tables { $0["tokenizer.ggml." + name] = value } }
    #expect(error?.description.hasSuffix("tokenizer.ggml.\(name) is not \(expected)") == true)
  }
}
