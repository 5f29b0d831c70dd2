import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

@testable import LanguageModel

private let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

/// Compares with the results of the reference implementations for the same files (Scripts/reference/gguf).
@Suite struct ReferenceFixtureTests {
  // MARK: config.json, with transformers

  /// A line of configurations.jsonl: a configuration with the hyperparameters that transformers reads in it. Decoded
  /// from snake case.
  private struct Reading: Decodable {
    struct Facts: Decodable {
      let vocabSize, context, heads, headsKv, headWidth: Int
      let windows: [Int?]
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
      let name = Comment(rawValue: String(decoding: line.prefix(200), as: UTF8.self))
      try writeSparseWeights(expected.shapes, to: folder)
      #expect(try folder.model().weights().map(\.name) == expected.shapes.keys.sorted(), name)
      let (found, facts) = (try folder.shape(), expected.facts)
      #expect(found.vocabularySize == facts.vocabSize && found.contextLength == facts.context, name)
      #expect(found.heads == facts.heads && found.kvHeads == facts.headsKv, name)
      #expect(found.headDim == facts.headWidth && found.eosTokenIDs == facts.endOfText, name)
      #expect(found.normEpsilon == facts.epsilon && found.tiesEmbeddings == facts.tied, name)
      #expect(found.attention.map(\.window) == facts.windows, name)
      #expect(found.attention.allSatisfy { $0.rope == (facts.rope == nil ? nil : 0) }, name)
      #expect(found.ropes.count == (facts.rope == nil ? 0 : 1), name)
      if let rope = facts.rope, let found = found.ropes.first { compare(found, rope, name) }
    }
  }

  /// Writes weights of these shapes that are zero, in a sparse file: real models have gigabytes of weights. The output
  /// head differs from the token embedding in its first byte, so that it is not a copy of it.
  private func writeSparseWeights(_ shapes: [String: [Int]], to folder: Folder) throws {
    let head = "lm_head.weight"
    let sorted = shapes.sorted { ($0.key == head ? 0 : 1, $0.key) < ($1.key == head ? 0 : 1, $1.key) }
    let types = shapes.mapValues { _ in ElementType.bfloat16 }
    let (header, size) = safetensorsHeader(sorted, types: types)
    try folder.write("model.safetensors", safetensors(header, data: [1]))
    let file = try FileHandle(forUpdating: URL(filePath: folder.path + "/model.safetensors"))
    try file.truncate(atOffset: UInt64(8 + header.utf8.count + size))
    try file.close()
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
    default: Issue.record("\(found.scaling), expected \(expected)")
    }
  }

  // MARK: GGUF files, with the gguf package

  /// An entry of files.json: a tensor that the package wrote.
  private struct Entry: Decodable {
    let stored: String
  }

  /// The files are fixtures of CheckpointTests, which compares the contents of the tensors.
  @Test(arguments: ["gpt2", "llama", "qwen2", "qwen3"])
  func readsFilesOfTheGGUFPackage(_ architecture: String) throws {
    let folder = fixtures.appending(path: "../../CheckpointTests/Fixtures").standardized
    let entries = try #require(
      try JSONDecoder().decode(
        [String: [Entry]].self, from: Data(contentsOf: folder.appending(path: "files.json")))[architecture])
    let files = try ModelFiles(ModelLocation(file: Path(folder.appending(path: "\(architecture).gguf").path)))
    let c = try files.shape()
    #expect(c.modelType == architecture && c.layers == 2 && c.width == 32 && c.heads == 4 && c.headDim == 8)
    #expect(c.ffnWidth == 64 && c.vocabularySize == 12 && c.contextLength == 20 && c.eosTokenIDs == [11])
    #expect(c.kvHeads == (architecture == "gpt2" ? 4 : 2))
    #expect(try files.weights().map(\.name) == entries.map(\.stored).sorted())
  }
}
