import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

/// A small model for tests.
enum TestModel: CustomTestStringConvertible {
  case random(RandomCheckpoint.Shape)
  /// The name of a folder or GGUF file of the fixtures, which Scripts/reference/small_models.py writes.
  case fixture(String)
  /// The fixture llama-small with other RoPE parameters: members of config.json that replace "rope_type".
  case llama(rope: String, context: Int)

  /// All folders and files of the fixtures.
  static let fixtures: [TestModel] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0 != "logits.jsonl" }.sorted().map { .fixture($0) }
  }()

  /// RoPEs whose frequencies change after 20 positions.
  static let lengthDependent: [TestModel] = [
    .llama(rope: #""rope_type":"dynamic","factor":3"#, context: 20),
    .llama(
      rope: #""rope_type":"longrope","short_factor":[1,1.5,2],"long_factor":[2,5,9],"factor":4,"#
        + #""original_max_position_embeddings":20"#,
      context: 64),
  ]

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/models")

  /// Returns the folder of a fixture.
  static func folder(of name: String) -> URL { folder.appending(path: name) }

  /// Returns the files of a fixture.
  static func files(_ name: String) throws -> ModelFiles {
    try ModelFiles(.find(Path(folder.appending(path: name).path)))
  }

  func open() throws -> MappedModel {
    switch self {
    case .random(let shape): try RandomCheckpoint(shape, seed: 2).open()
    case .fixture(let name): try MappedModel(Self.files(name))
    case .llama(let rope, let context):
      try {
        let source = Self.folder.appending(path: "llama-small")
        let configuration = try String(contentsOf: source.appending(path: "config.json"), encoding: .utf8)
        let folder = try Folder()
        try folder.write(
          "config.json",
          configuration.replacing(#""rope_type": "default""#, with: rope)
            .replacing(#""max_position_embeddings": 64"#, with: #""max_position_embeddings": \#(context)"#))
        try folder.write(
          "model.safetensors", try Data(contentsOf: source.appending(path: "model.safetensors")))
        return try folder.model()
      }()
    }
  }

  /// The logits that transformers computes.
  struct Reference: Decodable {
    let model: String
    let ids: [Int]
    let logits: [Double]  // of the last position
  }

  static func references(of model: TestModel) throws -> [Reference] {
    let lines = try String(contentsOf: folder.appending(path: "logits.jsonl"), encoding: .utf8).split(separator: "\n")
    let all = try lines.map { try JSONDecoder().decode(Reference.self, from: Data($0.utf8)) }
    guard case .fixture(let name) = model else { return [] }
    return all.filter { $0.model == name }
  }

  var testDescription: String {
    switch self {
    case .random(let shape): "\(shape)"
    case .fixture(let name): name
    case .llama(let rope, _): rope
    }
  }
}
