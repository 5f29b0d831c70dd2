import Checkpoint
import Foundation
import Platform
import Testing

private let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// What the reference implementations read in the same files (Tests/Reference/gguf).
@Suite struct ReferenceFixtureTests {
  // MARK: config.json, by transformers

  /// A line of configurations.jsonl: a configuration, and what transformers makes of it.
  private struct Reading: Decodable {
    struct Facts: Decodable {
      let vocab_size, context, heads, heads_kv, head_width: Int
      let end_of_text: [Int]
      let tied: Bool
      let epsilon: Float
      let rope: Rope?
    }
    struct Rope: Decodable {
      let rope_type: String
      let rope_theta: Double
      let factor, low_freq_factor, high_freq_factor: Double?
      let original_max_position_embeddings: Int?
    }
    let facts: Facts
    let shapes: [String: [Int]]
  }

  @Test func configurationsAreReadAsTransformersReadsThem() throws {
    let lines = try String(contentsOf: fixtures.appending(path: "configurations.jsonl"), encoding: .utf8)
      .split(separator: "\n").map { Data($0.utf8) }
    #expect(lines.count > 20)
    for line in lines {
      let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
      let folder = try Folder()
      try folder.write(
        "config.json",
        JSONSerialization.data(withJSONObject: try #require(object["config"]), options: .fragmentsAllowed))
      let expected = try JSONDecoder().decode(Reading.self, from: line)
      let found = try ModelConfiguration(ModelFiles(.find(Path(folder.path))))
      let name = Comment(rawValue: String(decoding: line.prefix(200), as: UTF8.self))
      #expect(found.tensorShapes == expected.shapes, name)
      let facts = expected.facts
      #expect(found.vocabularySize == facts.vocab_size && found.contextLength == facts.context, name)
      #expect(found.n_head == facts.heads && found.n_head_kv == facts.heads_kv, name)
      #expect(found.headWidth == facts.head_width && found.endOfTextTokens == facts.end_of_text, name)
      switch found {
      case .gpt2(let c):
        #expect(c.layerNormEpsilon == facts.epsilon && c.tiesEmbeddings == facts.tied && facts.rope == nil, name)
      case .llama(let c):
        #expect(c.normEpsilon == facts.epsilon && c.tiesEmbeddings == facts.tied, name)
        compare(c.rotaryEmbedding, try #require(facts.rope), name)
      }
    }
  }

  private func compare(_ found: RotaryEmbedding, _ expected: Reading.Rope, _ name: Comment) {
    #expect(found.base == expected.rope_theta && found.pairing == .halves, name)
    switch found.scaling {
    case .none: #expect(expected.rope_type == "default", name)
    case .linear(let factor): #expect(expected.rope_type == "linear" && factor == expected.factor, name)
    case .llama3(let scaling):
      #expect(expected.rope_type == "llama3" && scaling.factor == expected.factor, name)
      #expect(scaling.lowFrequencyFactor == expected.low_freq_factor, name)
      #expect(scaling.highFrequencyFactor == expected.high_freq_factor, name)
      #expect(scaling.originalContextLength == expected.original_max_position_embeddings, name)
    case .divisors: Issue.record("config.json has no divisors")
    }
  }

  // MARK: files that the gguf package wrote

  /// An entry of files.json: a tensor as the package wrote it.
  private struct Entry: Decodable {
    let name, stored, type: String
    let shape: [Int]
    let bytes: Int
    let fnv1a: String
  }

  @Test(arguments: ["gpt2", "llama", "qwen2", "qwen3"])
  func filesAreReadAsTheGGUFPackageWroteThem(_ architecture: String) throws {
    let files = try JSONDecoder().decode(
      [String: [Entry]].self, from: Data(contentsOf: fixtures.appending(path: "files.json")))
    let entries = try #require(files[architecture])
    let model = try Checkpoint(ModelLocation(file: Path(fixtures.appending(path: "\(architecture).gguf").path)))
    let c = model.configuration
    #expect(c.modelType == architecture && c.n_layer == 2 && c.n_embd == 32 && c.n_head == 4 && c.headWidth == 8)
    #expect(c.n_inner == 64 && c.vocabularySize == 12 && c.contextLength == 20 && c.endOfTextTokens == [11])
    #expect(c.n_head_kv == (architecture == "gpt2" ? 4 : 2))
    for entry in entries {
      let tensor = try model.tensor(entry.name)
      #expect(tensor.name == entry.stored && tensor.type.rawValue == entry.type && tensor.shape == entry.shape)
      #expect(tensor.bytes.count == entry.bytes)
      let digest = tensor.bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      #expect(String(digest, radix: 16) == entry.fnv1a.drop { $0 == "0" }, "\(entry.name)")
    }
    #expect(try model.modelTensors().count == entries.count)
    let tables = try #require(
      try ModelFiles(ModelLocation(file: Path(fixtures.appending(path: "\(architecture).gguf").path))).tokenizerTables()
    )
    #expect(tables.tokens.count == 12 && tables.types?.last == 3 && tables.merges?.count == 2)
    #expect(tables.model == "gpt2" && tables.preTokenizer == "gpt-2" && tables.addsBeginOfText == false)
    #expect(tables.endOfText == 11)
  }
}
