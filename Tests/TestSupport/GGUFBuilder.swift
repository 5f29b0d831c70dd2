import Checkpoint
import Foundation
import Platform

/// Builds GGUF files. A file is valid unless a property is set to an invalid value.
package struct GGUFBuilder {
  package enum Value: Sendable {
    case uint8(UInt8)
    case uint16(UInt16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case boolean(Bool)
    case string(String)
    case uint64(UInt64)
    case float64(Double)
    case strings([String])
    case int32s([Int32])
    case uint32s([UInt32])
    case int8s([Int8])
    case uint8s([UInt8])
    case float32s([Float])
    /// The number of a type, and the bytes that follow it.
    case raw(UInt32, Data)
  }

  package struct Tensor {
    package var name: String
    /// The dimensions as in the file: the length of a row first.
    package var dimensions: [UInt64]
    package var type: UInt32
    /// The size of the data in bytes; nil for the size of an F32 tensor of this shape.
    package var size: Int?
    /// The offset; nil for the valid offset.
    package var offset: UInt64?
    /// The data; nil for a sequence of bytes that depends on the size only.
    package var contents: Data?

    package init(
      name: String, dimensions: [UInt64], type: UInt32 = 0, size: Int? = nil, offset: UInt64? = nil
    ) {
      (self.name, self.dimensions, self.type, self.size, self.offset) = (name, dimensions, type, size, offset)
    }
  }

  package var magic = "GGUF"
  package var version: UInt32 = 3
  package var keyCount: UInt64?
  package var tensorCount: UInt64?
  package var values: [(key: String, value: Value)] = []
  package var tensors: [Tensor] = []
  package var alignment = 32

  package init() {}

  package subscript(key: String) -> Value? {
    get { values.first { $0.key == key }?.value }
    set {
      values.removeAll { $0.key == key }
      if let newValue { values.append((key, newValue)) }
    }
  }

  package func with(_ changes: (inout GGUFBuilder) -> Void) -> GGUFBuilder {
    var changed = self
    changes(&changed)
    return changed
  }

  package var data: Data {
    var file = Data(magic.utf8) + bytes(version) + bytes(tensorCount ?? UInt64(tensors.count))
    file += bytes(keyCount ?? UInt64(values.count))
    for (key, value) in values { file += string(key) + Self.encoded(value) }
    var end = 0
    var contents = Data()
    for tensor in tensors {
      file += string(tensor.name) + bytes(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { file += bytes(dimension) }
      file += bytes(tensor.type) + bytes(tensor.offset ?? UInt64(end))
      let size = tensor.size ?? tensor.dimensions.reduce(4) { $0 * Int($1) }
      contents += tensor.contents ?? Data((0..<size).map { UInt8($0 & 127) })
      contents += Data(count: contents.count.padding(to: alignment))
      end = contents.count
    }
    return file + Data(count: file.count.padding(to: alignment)) + contents
  }

  private static func encoded(_ value: Value) -> Data {
    switch value {
    case .uint8(let value): bytes(0 as UInt32) + bytes(value)
    case .uint16(let value): bytes(2 as UInt32) + bytes(value)
    case .uint32(let value): bytes(4 as UInt32) + bytes(value)
    case .int32(let value): bytes(5 as UInt32) + bytes(value)
    case .float32(let value): bytes(6 as UInt32) + bytes(value.bitPattern)
    case .boolean(let value): bytes(7 as UInt32) + Data([value ? 1 : 0])
    case .string(let value): bytes(8 as UInt32) + string(value)
    case .uint64(let value): bytes(10 as UInt32) + bytes(value)
    case .float64(let value): bytes(12 as UInt32) + bytes(value.bitPattern)
    case .strings(let values): array(8, values.count) + values.map(string).joined()
    case .int32s(let values): array(5, values.count) + values.map(bytes).joined()
    case .uint32s(let values): array(4, values.count) + values.map(bytes).joined()
    case .int8s(let values): array(1, values.count) + values.map(bytes).joined()
    case .uint8s(let values): array(0, values.count) + Data(values)
    case .float32s(let values): array(6, values.count) + values.map { bytes($0.bitPattern) }.joined()
    case .raw(let kind, let rest): bytes(kind) + rest
    }
  }

  /// Returns the start of an array: its types and its count.
  package static func array(_ kind: UInt32, _ count: Int) -> Data {
    bytes(9 as UInt32) + bytes(kind) + bytes(UInt64(count))
  }
}

package func bytes(_ value: some FixedWidthInteger) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }

package func string(_ text: String) -> Data { bytes(UInt64(text.utf8.count)) + Data(text.utf8) }

extension Int {
  fileprivate func padding(to alignment: Int) -> Int { (alignment - self % alignment) % alignment }
}

// MARK: models

extension GGUFBuilder {
  /// Adds a vocabulary of `count` tokens.
  private mutating func addTokenizer(_ count: Int) {
    self["tokenizer.ggml.model"] = .string("gpt2")
    self["tokenizer.ggml.pre"] = .string("gpt-2")
    self["tokenizer.ggml.tokens"] = .strings((0..<count).map { "t\($0)" })
    self["tokenizer.ggml.token_type"] = .int32s((0..<count).map { $0 == 0 ? 3 : 1 })
    self["tokenizer.ggml.merges"] = .strings(["t 0", "t 1"])
    self["tokenizer.ggml.eos_token_id"] = .uint32(0)
  }

  private mutating func add(_ name: String, _ dimensions: [UInt64], hasBiases: Bool = false) {
    tensors.append(Tensor(name: name + ".weight", dimensions: dimensions))
    if hasBiases { tensors.append(Tensor(name: name + ".bias", dimensions: [dimensions[dimensions.count - 1]])) }
  }

  /// A GPT-2 model with two layers of width 4, two heads, eight tokens and three positions.
  package static var gpt2: GGUFBuilder {
    var file = GGUFBuilder()
    file["general.architecture"] = .string("gpt2")
    file["gpt2.context_length"] = .uint32(3)
    file["gpt2.embedding_length"] = .uint32(4)
    file["gpt2.block_count"] = .uint32(2)
    file["gpt2.feed_forward_length"] = .uint32(6)
    file["gpt2.attention.head_count"] = .uint32(2)
    file["gpt2.attention.layer_norm_epsilon"] = .float32(1e-5)
    file.addTokenizer(8)
    file.add("token_embd", [4, 8])
    file.add("position_embd", [4, 3])
    file.add("output_norm", [4], hasBiases: true)
    for layer in 0..<2 {
      file.add("blk.\(layer).attn_norm", [4], hasBiases: true)
      file.add("blk.\(layer).attn_qkv", [4, 12], hasBiases: true)
      file.add("blk.\(layer).attn_output", [4, 4], hasBiases: true)
      file.add("blk.\(layer).ffn_norm", [4], hasBiases: true)
      file.add("blk.\(layer).ffn_up", [4, 6], hasBiases: true)
      file.add("blk.\(layer).ffn_down", [6, 4], hasBiases: true)
    }
    return file
  }

  /// A Llama model with two layers of width 32, four query heads and two key-value heads of width 8, and eight tokens.
  package static func llama(_ architecture: String = "llama", hasBiases: Bool = false) -> GGUFBuilder {
    var file = GGUFBuilder()
    file["general.architecture"] = .string(architecture)
    file["\(architecture).context_length"] = .uint32(64)
    file["\(architecture).embedding_length"] = .uint32(32)
    file["\(architecture).block_count"] = .uint32(2)
    file["\(architecture).feed_forward_length"] = .uint32(64)
    file["\(architecture).attention.head_count"] = .uint32(4)
    file["\(architecture).attention.head_count_kv"] = .uint32(2)
    file["\(architecture).attention.layer_norm_rms_epsilon"] = .float32(1e-6)
    file["\(architecture).rope.freq_base"] = .float32(5e5)
    file.addTokenizer(8)
    file.add("token_embd", [32, 8])
    file.add("output_norm", [32])
    for layer in 0..<2 {
      file.add("blk.\(layer).attn_norm", [32])
      file.add("blk.\(layer).attn_q", [32, 32], hasBiases: hasBiases)
      file.add("blk.\(layer).attn_k", [32, 16], hasBiases: hasBiases)
      file.add("blk.\(layer).attn_v", [32, 16], hasBiases: hasBiases)
      file.add("blk.\(layer).attn_output", [32, 32])
      if architecture == "qwen3" {
        file.add("blk.\(layer).attn_q_norm", [8])
        file.add("blk.\(layer).attn_k_norm", [8])
      }
      file.add("blk.\(layer).ffn_norm", [32])
      file.add("blk.\(layer).ffn_gate", [32, 64])
      file.add("blk.\(layer).ffn_up", [32, 64])
      file.add("blk.\(layer).ffn_down", [64, 32])
    }
    return file
  }

  /// Changes the tensor with a name.
  package mutating func change(_ name: String, _ change: (inout Tensor) -> Void) {
    for index in tensors.indices where tensors[index].name == name { change(&tensors[index]) }
  }
}

// MARK: parts

extension GGUFBuilder {
  /// Returns the files into which llama-gguf-split splits this file.
  ///
  /// - Parameter sizes: the number of tensors in each of the files.
  package func parts(_ sizes: [Int]) -> [GGUFBuilder] {
    var rest = tensors[...]
    return sizes.enumerated().map { index, size in
      var part = index == 0 ? self : GGUFBuilder()
      part.tensors = Array(rest.prefix(size))
      rest = rest.dropFirst(size)
      part["split.no"] = .uint16(UInt16(index))
      part["split.tensors.count"] = .int32(Int32(tensors.count))
      part["split.count"] = .uint16(UInt16(sizes.count))
      return part
    }
  }

  /// Gives all tensors random weights: those of type F32 numbers from -1 to 1, those of type Q8_0 (8) blocks with small
  /// scales.
  package mutating func setRandomWeights(seed: UInt64) {
    var generator = SeededGenerator(seed)
    for index in tensors.indices {
      let count = tensors[index].dimensions.reduce(1) { $0 * Int($1) }
      var data = Data()
      if tensors[index].type == 8 {
        for _ in 0..<count / 32 {
          data += bytes(0x2400 as UInt16)  // 1/64 as float16
          for _ in 0..<32 { data.append(UInt8.random(in: 0...255, using: &generator)) }
        }
        tensors[index].size = data.count
      } else {
        for _ in 0..<count { data += bytes(Float.random(in: -1...1, using: &generator).bitPattern) }
      }
      tensors[index].contents = data
    }
  }
}

extension Folder {
  /// Writes parts of a model with the names that they must have.
  ///
  /// - Returns: the names of the files.
  @discardableResult
  package func write(parts: [GGUFBuilder], prefix: String = "m") throws -> [String] {
    func padded(_ number: Int) -> String { String(repeating: "0", count: 5 - "\(number)".count) + "\(number)" }
    return try parts.enumerated().map { index, part in
      let name = "\(prefix)-\(padded(index + 1))-of-\(padded(parts.count)).gguf"
      try write(name, part.data)
      return name
    }
  }

  /// Writes a file and opens it. The mapping stays valid after the folder is removed.
  package func files(_ gguf: Data) throws -> ModelFiles {
    try write("model.gguf", gguf)
    return try ModelFiles(.find(Path(path + "/model.gguf")))
  }
}

/// A change that makes a file invalid, and the expected error message.
package struct Flaw: Sendable, CustomStringConvertible {
  package let reason: String
  package let change: @Sendable (inout GGUFBuilder) -> Void

  package init(_ reason: String, _ change: @escaping @Sendable (inout GGUFBuilder) -> Void) {
    (self.reason, self.change) = (reason, change)
  }

  package var description: String { reason }
}
