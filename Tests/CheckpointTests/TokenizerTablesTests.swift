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

  @Test(arguments: [8, -1, 1 << 30] as [Int32]) func ignoresInvalidBOSTokenIDs(_ id: Int32) throws {
    #expect(try tables { $0["tokenizer.ggml.bos_token_id"] = .int32(id) }?.bosTokenID == nil)
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
    ("bos_token_id", .string("a"), "an integer"),
  ])
  func rejectsMistypedValues(_ name: String, _ value: GGUFBuilder.Value, _ expected: String) {
    let error = #expect(throws: CheckpointError.self) { try tables { $0["tokenizer.ggml." + name] = value } }
    #expect(error?.description.hasSuffix("tokenizer.ggml.\(name) is not \(expected)") == true)
  }
}
