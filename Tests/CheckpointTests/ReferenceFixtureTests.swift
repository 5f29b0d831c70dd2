import Checkpoint
import Foundation
import Platform
import Testing

/// Compares GGUF files with those that the gguf package wrote (Scripts/reference/gguf/make_files.py).
@Suite struct ReferenceFixtureTests {
  /// An entry of files.json: a tensor that the package wrote.
  private struct Entry: Decodable {
    let stored, type: String
    let shape: [Int]
    let bytes: Int
    let fnv1a: String
  }

  @Test(arguments: ["gpt2", "llama", "qwen2", "qwen3"])
  func readsFilesOfTheGGUFPackage(_ architecture: String) throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    let entries = try #require(
      try JSONDecoder().decode(
        [String: [Entry]].self, from: Data(contentsOf: fixtures.appending(path: "files.json")))[architecture])
    let files = try ModelFiles(ModelLocation(file: Path(fixtures.appending(path: "\(architecture).gguf").path)))
    let model = try Checkpoint(files)
    for entry in entries {
      let tensor = try #require(model.tensors[entry.stored])
      #expect(tensor.name == entry.stored && tensor.type.rawValue == entry.type && tensor.shape == entry.shape)
      #expect(tensor.bytes.count == entry.bytes)
      let digest = tensor.bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      #expect(String(digest, radix: 16) == entry.fnv1a.drop { $0 == "0" }, "\(entry.stored)")
    }
    #expect(model.tensors.count == entries.count)
    let tables = try #require(try files.tokenizerTables())
    #expect(tables.tokens.count == 12 && tables.types?.last == 3 && tables.merges?.count == 2)
    #expect(tables.model == "gpt2" && tables.preTokenizer == "gpt-2")
    #expect(files.declaredVocabularySize == 12)
  }
}
