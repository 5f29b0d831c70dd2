import Checkpoint
import Foundation
import Platform
import TestSupport

/// A small GPT-2 checkpoint with random weights, in a temporary folder that it removes, and the weights as float64.
final class RandomCheckpoint {
  struct Shape {
    var vocabulary = 53
    var positions = 48
    var width = 20
    var layers = 2
    var heads = 2
    var inner: Int? = 37
    var type = ElementType.float32
    var isTied = true
    var prefix = ""
    var more = ""  // additional members of config.json
  }

  let shape: Shape
  let folder: URL
  /// The exact values in the file.
  private(set) var weights: [String: [Double]] = [:]

  init(_ shape: Shape = Shape(), seed: UInt64 = 1) throws {
    self.shape = shape
    folder = FileManager.default.temporaryDirectory.appending(path: "lmpipe-model-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let inner = shape.inner ?? 4 * shape.width
    try """
    {"model_type":"gpt2","vocab_size":\(shape.vocabulary),"n_positions":\(shape.positions),"n_embd":\(shape.width),
     "n_layer":\(shape.layers),"n_head":\(shape.heads),"n_inner":\(shape.inner.map(String.init) ?? "null"),
     "tie_word_embeddings":\(shape.isTied)\(shape.more)}
    """.write(to: folder.appending(path: "config.json"), atomically: true, encoding: .utf8)

    var tensors: [(String, [Int])] = [
      ("wte.weight", [shape.vocabulary, shape.width]), ("wpe.weight", [shape.positions, shape.width]),
      ("ln_f.weight", [shape.width]), ("ln_f.bias", [shape.width]),
    ]
    if !shape.isTied { tensors.append(("lm_head.weight", [shape.vocabulary, shape.width])) }
    for layer in 0..<shape.layers {
      let maps = [
        ("attn.c_attn", shape.width, 3 * shape.width), ("attn.c_proj", shape.width, shape.width),
        ("mlp.c_fc", shape.width, inner), ("mlp.c_proj", inner, shape.width),
      ]
      for (name, inputs, outputs) in maps {
        tensors += [("h.\(layer).\(name).weight", [inputs, outputs]), ("h.\(layer).\(name).bias", [outputs])]
      }
      for name in ["ln_1", "ln_2"] {
        tensors += [("h.\(layer).\(name).weight", [shape.width]), ("h.\(layer).\(name).bias", [shape.width])]
      }
    }
    var generator = SeededGenerator(seed)
    var data = Data()
    var entries: [String] = []
    for (name, dimensions) in tensors {
      let begin = data.count
      let isNorm = name.contains("ln_") && name.hasSuffix("weight")
      weights[name] = (0..<dimensions.reduce(1, *)).map { _ in
        let value = Float.random(in: -0.5...0.5, using: &generator) + (isNorm ? 1 : 0)
        return append(value, to: &data)
      }
      entries.append(
        "\"\(shape.prefix)\(name)\":{\"dtype\":\"\(shape.type.rawValue)\",\"shape\":\(dimensions),\"data_offsets\":[\(begin),\(data.count)]}"
      )
    }
    // A header of odd length, so that no tensor is aligned.
    var header = "{\(entries.joined(separator: ","))}"
    if header.utf8.count % 2 == 0 { header += " " }
    var file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    file += Data(header.utf8) + data
    try file.write(to: folder.appending(path: "model.safetensors"))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func open() throws -> MappedModel { try MappedModel(ModelFiles(ModelLocation(folder: Path(folder.path)))) }

  /// Appends a value in the type of the checkpoint and returns the stored value.
  private func append(_ value: Float, to data: inout Data) -> Double {
    switch shape.type {
    case .float16:
      let stored = Float16(value)
      withUnsafeBytes(of: stored.bitPattern) { data.append(contentsOf: $0) }
      return Double(stored)
    case .bfloat16:
      let stored = UInt16(value.bitPattern >> 16)
      withUnsafeBytes(of: stored) { data.append(contentsOf: $0) }
      return Double(Float(bitPattern: UInt32(stored) << 16))
    case .float64:
      withUnsafeBytes(of: (Double(value) * (1 + 0x1p-26)).bitPattern) { data.append(contentsOf: $0) }
      return Double(value) * (1 + 0x1p-26)
    default:
      withUnsafeBytes(of: value.bitPattern) { data.append(contentsOf: $0) }
      return Double(value)
    }
  }
}
