import Checkpoint
import Foundation
import TestSupport
import Testing
import Threads

@testable import LanguageModel

/// The tensors of models in safetensors files. `GGUFModelTests` has those of GGUF files.
@Suite struct WeightLoaderTests {
  /// Returns a folder with a model of `smallConfiguration` and these tensors instead of its own, or in addition.
  private func folder(
    _ changes: [String: [Int]] = [:], without removed: String? = nil, types: [String: ElementType] = [:],
    configuration: String = smallConfiguration
  ) throws -> Folder {
    var tensors = smallTensors
    for (name, shape) in changes { tensors[name] = shape }
    if let removed { tensors[removed] = nil }
    let folder = try safetensors(tensors.sorted { $0.key < $1.key }, types: types).write(to: Folder())
    try folder.write("config.json", configuration)
    return folder
  }

  // MARK: names

  @Test func acceptsNamesWithAndWithoutPrefix() throws {
    let renamed = ["wte.weight": "transformer.wte.weight", "h.0.ln_1.bias": "transformer.h.0.ln_1.bias"]
    let tensors = smallTensors.map { (key: renamed[$0] ?? $0, value: $1) }
    let weights = try safetensors(tensors).write(to: Folder()).model().weights()
    #expect(weights.map(\.name) == tensors.map(\.key).sorted())
  }

  private static let llama =
    #"{"model_type":"llama","vocab_size":5,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"#
    + #""intermediate_size":6,"tie_word_embeddings":false,"attention_bias":true}"#

  /// The tensors of a model with `llama`. Some names have the prefix.
  private static let llamaTensors: [String: [Int]] = [
    "model.embed_tokens.weight": [5, 4], "norm.weight": [4], "model.layers.0.input_layernorm.weight": [4],
    "model.layers.0.self_attn.q_proj.weight": [4, 4], "model.layers.0.self_attn.k_proj.weight": [4, 4],
    "layers.0.self_attn.v_proj.weight": [4, 4], "model.layers.0.self_attn.o_proj.weight": [4, 4],
    "model.layers.0.self_attn.q_proj.bias": [4], "layers.0.self_attn.k_proj.bias": [4],
    "model.layers.0.self_attn.v_proj.bias": [4], "model.layers.0.self_attn.o_proj.bias": [4],
    "model.layers.0.post_attention_layernorm.weight": [4], "model.layers.0.mlp.gate_proj.weight": [6, 4],
    "layers.0.mlp.up_proj.weight": [6, 4], "model.layers.0.mlp.down_proj.weight": [4, 6], "lm_head.weight": [5, 4],
  ]

  @Test func readsLlamaWithAndWithoutPrefix() throws {
    let unused = ["model.layers.0.self_attn.rotary_emb.inv_freq": [1]]
    let folder = try safetensors(Self.llamaTensors.merging(unused) { $1 }).write(to: Folder())
    try folder.write("config.json", Self.llama)
    #expect(try folder.model().weights().map(\.name) == Self.llamaTensors.keys.sorted())
  }

  @Test(
    arguments: [
      (
        "model.layers.0.mlp.down_proj.weight", [6, 4],
        #""model.layers.0.mlp.down_proj.weight" has shape [6, 4], but config.json requires [4, 6]"#
      ),
      (
        "model.layers.0.self_attn.q_proj.bias", nil,
        #"missing tensor "layers.0.self_attn.q_proj.bias", which a llama model needs"#
      ),
      ("lm_head.weight", nil, #"missing tensor "lm_head.weight", which a llama model needs"#),  // untied
    ] as [(String, [Int]?, String)])
  func rejectsWrongTensorsOfLlama(_ name: String, _ shape: [Int]?, _ reason: String) throws {
    var tensors = Self.llamaTensors
    tensors[name] = shape
    let folder = try safetensors(tensors).write(to: Folder())
    try folder.write("config.json", Self.llama)
    #expect(folder.errorMessage() == "model.safetensors: " + reason)
  }

  /// Every tensor is required, and has one shape.
  @Test func requiresEachTensor() throws {
    for (name, shape) in smallTensors {
      #expect(
        try folder(without: name).errorMessage()
          == "model.safetensors: missing tensor \"\(name)\", which a gpt2 model needs")
      #expect(
        try folder([name: shape + [1]]).errorMessage()
          == "model.safetensors: \"\(name)\" has shape \(shape + [1]), but config.json requires \(shape)")
    }
    #expect(try folder().errorMessage() == nil)
  }

  @Test(
    arguments: [
      ("ln_f.bias", .int64, "F64, F32, F16 and BF16"),
      ("wte.weight", .int32, matrixTypes),
    ] as [(String, ElementType, String)])
  func rejectsTypes(_ name: String, _ type: ElementType, _ types: String) throws {
    #expect(
      try folder(types: [name: type]).errorMessage()
        == "model.safetensors: \"\(name)\" is of type \(type.rawValue), which is not implemented; \(types) are")
  }

  @Test func weightsExcludeUnusedTensors() throws {
    func names(_ more: [String: [Int]]) throws -> [String] { try folder(more).model().weights().map(\.name) }
    let plain = smallTensors.keys.sorted()
    #expect(try names([:]) == plain)
    #expect(try names(["h.0.attn.bias": [1, 1, 3, 3], "h.0.attn.masked_bias": []]) == plain)  // masks
    // An output head is used even if config.json ties the embeddings.
    #expect(try names(["lm_head.weight": [4, 2]]) == (plain + ["lm_head.weight"]).sorted())
  }

  /// An output head that is a copy of the token embedding is not counted again.
  @Test func weightsExcludeCopiedHead() throws {
    // The data of the tensors is 0, 1, 2, …, 250, 0, 1, …: 251 numbers after a tensor, the bytes are the same.
    let tensors: [(key: String, value: [Int])] =
      [("wte.weight", [4, 2]), ("unused", [243]), ("lm_head.weight", [4, 2])]
      + smallTensors.filter { $0.key != "wte.weight" }
    let weights = try safetensors(tensors).write(to: Folder()).model().weights()
    #expect(weights.map(\.name) == smallTensors.keys.sorted())
  }

  @Test func rejectsMissingUntiedHead() throws {
    let configuration = smallConfiguration.replacing("}", with: #","tie_word_embeddings":false}"#)
    #expect(
      try folder(configuration: configuration).errorMessage()
        == #"model.safetensors: missing tensor "lm_head.weight", which a gpt2 model needs"#)
    #expect(try folder(["lm_head.weight": [4, 2]], configuration: configuration).errorMessage() == nil)
  }

  @Test func rejectsUnexpectedAndDuplicateTensors() throws {
    #expect(
      try folder(["h.1.ln_1.weight": [2]]).errorMessage()
        == #"model.safetensors: unexpected tensor "h.1.ln_1.weight": config.json gives 1 as the number of layers"#)
    #expect(
      try folder(["transformer.wte.weight": [4, 2]]).errorMessage()
        == #"model.safetensors: duplicate tensor: "wte.weight" and "transformer.wte.weight""#)
  }

  @Test func rejectsLayersBeyondTheLast() throws {
    let folder = try safetensors(["model.layers.1.mlp.up_proj.weight": [2]]).write(to: Folder())
    try folder.write("config.json", #"{"model_type":"qwen3","num_hidden_layers":1}"#)
    #expect(
      folder.errorMessage()
        == #"model.safetensors: unexpected tensor "model.layers.1.mlp.up_proj.weight": "#
        + "config.json gives 1 as the number of layers")
  }

  // MARK: contents

  /// Vectors are copied and converted, matrices are used in place, and each is found by its own name.
  @Test func findsEachTensorOfGPT2() throws {
    let mapped = try folder(types: ["ln_f.bias": .bfloat16, "wte.weight": .float16]).model()
    let (checkpoint, definition) = (mapped.checkpoint, mapped.definition)
    let loader = try WeightLoader(checkpoint, definition.family.names, definition.shape)
    let model = try GPT2(definition.shape, loader)
    try loader.finish(ThreadPool(threads: 1))
    let block = model.h[0]
    for (matrix, name) in [
      (model.wte, "wte"), (model.wpe, "wpe"), (model.lm_head.weight, "wte"), (block.c_attn.weight, "h.0.attn.c_attn"),
      (block.attn_c_proj.weight, "h.0.attn.c_proj"), (block.c_fc.weight, "h.0.mlp.c_fc"),
      (block.mlp_c_proj.weight, "h.0.mlp.c_proj"),
    ] {
      let tensor = try #require(checkpoint.tensors[name + ".weight"])
      #expect(matrix.start == tensor.bytes.baseAddress && [matrix.rows, matrix.columns] == tensor.shape, "\(name)")
    }
    for (vector, name) in [
      (model.ln_f.weight, "ln_f.weight"), (model.ln_f.bias, "ln_f.bias"), (block.ln_1.weight, "h.0.ln_1.weight"),
      (block.ln_1.bias, "h.0.ln_1.bias"), (block.ln_2.weight, "h.0.ln_2.weight"),
      (block.ln_2.bias, "h.0.ln_2.bias"), (block.c_attn.bias, "h.0.attn.c_attn.bias"),
      (block.attn_c_proj.bias, "h.0.attn.c_proj.bias"), (block.c_fc.bias, "h.0.mlp.c_fc.bias"),
      (block.mlp_c_proj.bias, "h.0.mlp.c_proj.bias"),
    ] {
      let tensor = try #require(checkpoint.tensors[name])
      #expect(vector?.array.map(\.bitPattern) == numbers(tensor).map(\.bitPattern), "\(name)")
    }
  }

  private func numbers(_ tensor: Tensor) -> [Float] {
    (0..<tensor.count).map { index in
      tensor.type == .bfloat16
        ? Float(bitPattern: UInt32(tensor.bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
        : tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
    }
  }

  @Test func vectorsCanBeShifted() throws {
    let mapped = try folder().model()
    let (checkpoint, definition) = (mapped.checkpoint, mapped.definition)
    let loader = try WeightLoader(checkpoint, definition.family.names, definition.shape)
    let vector = try loader.layer(0).vector("ln_1.weight", gguf: "attn_norm.weight", [2], adding: 1)
    #expect(vector.array == [0, 0])  // filled later
    try loader.finish(ThreadPool(threads: 1))
    let numbers = numbers(try #require(checkpoint.tensors["h.0.ln_1.weight"]))
    #expect(vector.array.map(\.bitPattern) == numbers.map { ($0 + 1).bitPattern })
  }
}
