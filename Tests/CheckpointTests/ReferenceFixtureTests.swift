import Checkpoint
import Foundation
import Platform
import Testing

private let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// Compares with the results of the reference implementations for the same files (Scripts/reference/gguf).
@Suite struct ReferenceFixtureTests {
  // MARK: config.json, with transformers

  /// A line of configurations.jsonl: a configuration with the hyperparameters that transformers reads in it. Decoded
  /// from snake case.
  private struct Reading: Decodable {
    struct Facts: Decodable {
      let vocabSize, context, heads, headsKv, headWidth: Int
      let endOfText: [Int]
      let tied: Bool
      let epsilon: Float
      let rope: Rope?
    }
    struct Rope: Decodable {
      let ropeType: String
      let ropeTheta: Double
      let factor, lowFreqFactor, highFreqFactor: Double?
      let originalMaxPositionEmbeddings: Int?
    }
    let facts: Facts
    let shapes: [String: [Int]]
  }

  @Test func readsConfigurationsLikeTransformers() throws {
    let lines = try String(contentsOf: fixtures.appending(path: "configurations.jsonl"), encoding: .utf8)
      .split(separator: "\n").map { Data($0.utf8) }
    #expect(lines.count > 20)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase  // not of the keys of dictionaries
    for line in lines {
      let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
      let folder = try Folder()
      try folder.write(
        "config.json",
        JSONSerialization.data(withJSONObject: try #require(object["config"]), options: .fragmentsAllowed))
      let expected = try decoder.decode(Reading.self, from: line)
      let found = try ModelConfiguration(ModelFiles(.find(Path(folder.path))))
      let name = Comment(rawValue: String(decoding: line.prefix(200), as: UTF8.self))
      #expect(found.tensorShapes == expected.shapes, name)
      let facts = expected.facts
      #expect(found.vocabularySize == facts.vocabSize && found.contextLength == facts.context, name)
      #expect(found.heads == facts.heads && found.kvHeads == facts.headsKv, name)
      #expect(found.headDim == facts.headWidth && found.eosTokenIDs == facts.endOfText, name)
      switch found {
      case .gpt2(let c):
        #expect(c.layerNormEpsilon == facts.epsilon && c.tiesEmbeddings == facts.tied && facts.rope == nil, name)
      case .llama(let c):
        #expect(c.normEpsilon == facts.epsilon && c.tiesEmbeddings == facts.tied, name)
        compare(c.rope, try #require(facts.rope), name)
      }
    }
  }

  private func compare(_ found: RoPEConfiguration, _ expected: Reading.Rope, _ name: Comment) {
    #expect(found.base == expected.ropeTheta && found.pairing == .neox, name)
    switch found.scaling {
    case .none: #expect(expected.ropeType == "default", name)
    case .linear(let factor): #expect(expected.ropeType == "linear" && factor == expected.factor, name)
    case .llama3(let scaling):
      #expect(expected.ropeType == "llama3" && scaling.factor == expected.factor, name)
      #expect(scaling.lowFrequencyFactor == expected.lowFreqFactor, name)
      #expect(scaling.highFrequencyFactor == expected.highFreqFactor, name)
      #expect(scaling.originalContextLength == expected.originalMaxPositionEmbeddings, name)
    case .frequencyFactors: Issue.record("config.json cannot have frequency factors")
    }
  }

  // MARK: GGUF files, with the gguf package

  /// An entry of files.json: a tensor that the package wrote.
  private struct Entry: Decodable {
    let name, stored, type: String
    let shape: [Int]
    let bytes: Int
    let fnv1a: String
  }

  @Test(arguments: ["gpt2", "llama", "qwen2", "qwen3"])
  func readsFilesOfTheGGUFPackage(_ architecture: String) throws {
    let files = try JSONDecoder().decode(
      [String: [Entry]].self, from: Data(contentsOf: fixtures.appending(path: "files.json")))
    let entries = try #require(files[architecture])
    let model = try Checkpoint(ModelLocation(file: Path(fixtures.appending(path: "\(architecture).gguf").path)))
    let c = model.configuration
    #expect(c.modelType == architecture && c.layers == 2 && c.width == 32 && c.heads == 4 && c.headDim == 8)
    #expect(c.ffnWidth == 64 && c.vocabularySize == 12 && c.contextLength == 20 && c.eosTokenIDs == [11])
    #expect(c.kvHeads == (architecture == "gpt2" ? 4 : 2))
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
    #expect(tables.model == "gpt2" && tables.preTokenizer == "gpt-2")
  }
}
