import Checkpoint
import Foundation
import Platform
import Testing

/// A small model for tests.
enum TestModel: CustomTestStringConvertible {
  case random(RandomCheckpoint.Shape)
  /// The name of a folder or GGUF file of the fixtures, which Scripts/reference/small_models.py writes.
  case fixture(String)

  static let fixtures = [
    "llama-3", "llama-linear", "llama-biases", "mistral", "qwen2", "qwen3", "gpt2.Q5_0.gguf", "llama-3.Q4_1.gguf",
    "qwen3.Q8_0.gguf",
  ].map { TestModel.fixture($0) }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/models")

  func open() throws -> Checkpoint {
    switch self {
    case .random(let shape): try RandomCheckpoint(shape, seed: 2).open()
    case .fixture(let name): try Checkpoint(ModelLocation.find(Path(Self.folder.appending(path: name).path)))
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
    }
  }
}
