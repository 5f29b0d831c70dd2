import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing
import Threads

@testable import LanguageModel

/// The hyperparameters and the tensors of models in GGUF files.
@Suite struct GGUFModelTests {
  private func read(_ file: GGUFBuilder) throws -> ModelShape { try file.files().shape() }

  /// Returns the only RoPE of a model.
  private func rope(_ file: GGUFBuilder) throws -> RoPEConfiguration {
    let shape = try read(file)
    #expect(shape.ropes.count == 1 && shape.attention.allSatisfy { $0.rope == 0 })
    return try #require(shape.ropes.first)
  }

  @Test(arguments: [2, 3] as [UInt32]) func readsGPT2(_ version: UInt32) throws {
    let c = try read(GGUFBuilder.gpt2.with { $0.version = version })
    #expect(
      c.contextLength == 3 && c.width == 4 && c.layers == 2 && c.ffnWidth == 6 && c.heads == 2 && c.headDim == 2)
    #expect(c.modelType == "gpt2" && c.vocabularySize == 8 && c.normEpsilon == 1e-5 && c.eosTokenIDs == [0])
    #expect(c.kvHeads == 2 && c.activation == .geluTanh && c.tiesEmbeddings && c.ropes.isEmpty)
    #expect(c.attention == Array(repeating: AttentionSettings(scale: 1 / Float(2).squareRoot()), count: 2))
  }

  /// Opens a model and its tensors.
  private func open<Model: Network>(_ file: GGUFBuilder, _: Model.Type) throws -> (Model, Checkpoint) {
    let files = try file.files()
    let (checkpoint, definition) = (try Checkpoint(files), try ModelDefinition(files))
    let loader = try WeightLoader(checkpoint, definition.family.names, definition.shape)
    let model = try Model(definition.shape, loader)
    try loader.finish(ThreadPool(threads: 1))
    return (model, checkpoint)
  }

  private func expect(
    _ linear: Linear, isTensor name: String, _ shape: [Int], hasBias: Bool = false, in checkpoint: Checkpoint
  ) throws {
    #expect(linear.layout == .outputsByInputs && linear.outputs == shape[0])
    try expect(linear.weight, isTensor: name, shape, in: checkpoint)
    #expect((linear.bias != nil) == hasBias)
    if let bias = linear.bias { try expect(bias, isTensor: name + ".bias", in: checkpoint) }
  }

  /// Expects that a matrix is a tensor of the file, in place.
  private func expect(_ matrix: WeightMatrix, isTensor name: String, _ shape: [Int], in checkpoint: Checkpoint) throws {
    let tensor = try #require(checkpoint.tensors[name + ".weight"])
    #expect(matrix.start == tensor.bytes.baseAddress && [matrix.rows, matrix.columns] == shape, "\(name)")
    #expect(tensor.name == name + ".weight" && tensor.shape == shape && tensor.bytes.count == shape.reduce(4, *))
    #expect(tensor.bytes.elementsEqual((0..<tensor.bytes.count).map { UInt8($0 & 127) }))
  }

  /// Expects that a vector has the numbers of a tensor of the file.
  private func expect(_ vector: WeightVector, isTensor name: String, in checkpoint: Checkpoint) throws {
    let tensor = try #require(checkpoint.tensors[name])
    #expect(vector.count * 4 == tensor.bytes.count, "\(name)")
    vector.array.withUnsafeBytes { #expect($0.elementsEqual(tensor.bytes), "\(name)") }
  }

  @Test func findsEachTensorOfGPT2() throws {
    let (model, checkpoint) = try open(.gpt2, GPT2.self)
    try expect(model.wte, isTensor: "token_embd", [8, 4], in: checkpoint)
    try expect(model.wpe, isTensor: "position_embd", [3, 4], in: checkpoint)
    try expect(model.lm_head, isTensor: "token_embd", [8, 4], in: checkpoint)
    try expect(model.ln_f.weight, isTensor: "output_norm.weight", in: checkpoint)
    try expect(model.ln_f.bias, isTensor: "output_norm.bias", in: checkpoint)
    for (layer, block) in model.h.enumerated() {
      let name = "blk.\(layer)"
      try expect(block.ln_1.weight, isTensor: "\(name).attn_norm.weight", in: checkpoint)
      try expect(block.ln_1.bias, isTensor: "\(name).attn_norm.bias", in: checkpoint)
      try expect(block.c_attn, isTensor: "\(name).attn_qkv", [12, 4], hasBias: true, in: checkpoint)
      try expect(block.attn_c_proj, isTensor: "\(name).attn_output", [4, 4], hasBias: true, in: checkpoint)
      try expect(block.ln_2.weight, isTensor: "\(name).ffn_norm.weight", in: checkpoint)
      try expect(block.ln_2.bias, isTensor: "\(name).ffn_norm.bias", in: checkpoint)
      try expect(block.c_fc, isTensor: "\(name).ffn_up", [6, 4], hasBias: true, in: checkpoint)
      try expect(block.mlp_c_proj, isTensor: "\(name).ffn_down", [4, 6], hasBias: true, in: checkpoint)
    }
    #expect(model.h.count == 2)
    #expect(checkpoint.byteCount == GGUFBuilder.gpt2.data.count && checkpoint.files.count == 1)
  }

  @Test(arguments: ["llama", "qwen2", "qwen3"], [false, true])
  func findsEachTensorOfLlama(_ architecture: String, _ hasBiases: Bool) throws {
    let (model, checkpoint) = try open(.llama(architecture, hasBiases: hasBiases), Llama.self)
    try expect(model.embed_tokens, isTensor: "token_embd", [8, 32], in: checkpoint)
    try expect(model.lm_head, isTensor: "token_embd", [8, 32], in: checkpoint)
    try expect(model.norm.weight, isTensor: "output_norm.weight", in: checkpoint)
    for (layer, block) in model.layers.enumerated() {
      let name = "blk.\(layer)"
      try expect(block.input_layernorm.weight, isTensor: "\(name).attn_norm.weight", in: checkpoint)
      #expect(block.q_k_v_proj.count == 3 && block.gate_up_proj.count == 2)
      for (linear, (part, outputs)) in zip(block.q_k_v_proj, [("q", 32), ("k", 16), ("v", 16)]) {
        try expect(linear, isTensor: "\(name).attn_\(part)", [outputs, 32], hasBias: hasBiases, in: checkpoint)
      }
      #expect((block.norms != nil) == (architecture == "qwen3"))
      if case .perHead(let queries, let keys) = block.norms {
        #expect(queries.count == 1 && keys.count == 1)
        try expect(queries[0].weight, isTensor: "\(name).attn_q_norm.weight", in: checkpoint)
        try expect(keys[0].weight, isTensor: "\(name).attn_k_norm.weight", in: checkpoint)
      }
      try expect(block.o_proj, isTensor: "\(name).attn_output", [32, 32], in: checkpoint)
      try expect(block.post_attention_layernorm.weight, isTensor: "\(name).ffn_norm.weight", in: checkpoint)
      try expect(block.gate_up_proj[0], isTensor: "\(name).ffn_gate", [64, 32], in: checkpoint)
      try expect(block.gate_up_proj[1], isTensor: "\(name).ffn_up", [64, 32], in: checkpoint)
      try expect(block.down_proj, isTensor: "\(name).ffn_down", [32, 64], in: checkpoint)
    }
    #expect(model.layers.count == 2)
  }

  @Test func readsLlama() throws {
    let c = try read(.llama())
    #expect(c.modelType == "llama" && c.vocabularySize == 8 && c.contextLength == 64 && c.layers == 2 && c.width == 32)
    #expect(c.heads == 4 && c.kvHeads == 2 && c.headDim == 8 && c.ffnWidth == 64 && c.normEpsilon == 1e-6)
    #expect(c.biases == [] && c.queryKeyNorm == .none && c.tiesEmbeddings && c.eosTokenIDs == [0])
    #expect(c.attention.allSatisfy { $0.scale == 1 / Float(8).squareRoot() && $0.window == nil })
    let rope = try rope(.llama())
    #expect(rope.base == 5e5 && rope.scaling == .none && rope.pairing == .interleaved)
  }

  @Test func readsQwen() throws {
    let qwen2 = GGUFBuilder.llama("qwen2", hasBiases: true)
    #expect(try read(qwen2).modelType == "qwen2" && read(qwen2).biases == .queryKeyValue)
    #expect(try rope(qwen2).pairing == .neox && read(qwen2).queryKeyNorm == .none)
    let qwen3 = GGUFBuilder.llama("qwen3")
    #expect(try read(qwen3).modelType == "qwen3" && read(qwen3).biases == [])
    #expect(try rope(qwen3).pairing == .neox && read(qwen3).queryKeyNorm == .perHead)
  }

  @Test func missingKeysHaveDefaultsOfLlamaCPP() throws {
    let file = GGUFBuilder.llama().with {
      $0["llama.attention.head_count_kv"] = nil
      $0["llama.rope.freq_base"] = nil
      for layer in 0..<2 {
        $0.change("blk.\(layer).attn_k.weight") { $0.dimensions = [32, 32] }
        $0.change("blk.\(layer).attn_v.weight") { $0.dimensions = [32, 32] }
      }
    }
    #expect(try read(file).kvHeads == 4 && rope(file).base == 1e4)
    #expect(try file.errorMessage() == nil)
  }

  @Test func acceptsHeadDimIndependentOfWidth() throws {
    let file = GGUFBuilder.llama().with {
      $0["llama.attention.key_length"] = .uint32(16)
      $0["llama.attention.value_length"] = .uint32(16)
      $0["llama.rope.dimension_count"] = .uint32(16)
      for layer in 0..<2 {
        $0.change("blk.\(layer).attn_q.weight") { $0.dimensions = [32, 64] }
        $0.change("blk.\(layer).attn_k.weight") { $0.dimensions = [32, 32] }
        $0.change("blk.\(layer).attn_v.weight") { $0.dimensions = [32, 32] }
        $0.change("blk.\(layer).attn_output.weight") { $0.dimensions = [64, 32] }
      }
    }
    #expect(try read(file).headDim == 16)
    #expect(try file.errorMessage() == nil)
  }

  @Test func readsRoPEScaling() throws {
    func scaling(_ values: KeyValuePairs<String, GGUFBuilder.Value>, frequencyFactors: Bool = false) throws
      -> RoPEConfiguration.Scaling
    {
      try rope(
        .llama().with { file in
          for (key, value) in values { file["llama.rope.\(key)"] = value }
          if frequencyFactors { file.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4])) }
        }
      ).scaling
    }
    #expect(try scaling(["scaling.type": .string("linear"), "scaling.factor": .float32(4)]) == .linear(factor: 4))
    #expect(try scaling(["scaling.factor": .float32(4)]) == .linear(factor: 4))
    #expect(try scaling(["scale_linear": .float32(2)]) == .linear(factor: 2))
    #expect(try scaling(["scaling.type": .string("none"), "scaling.factor": .float32(4)]) == .none)
    #expect(try scaling(["scaling.type": .string("linear")]) == .none)
    #expect(try scaling(["scaling.factor": .float32(0)]) == .none)
    #expect(try scaling([:], frequencyFactors: true) == .frequencyFactors)
  }

  @Test func frequencyFactorsAreNotWeights() throws {
    let file = GGUFBuilder.llama().with { $0.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4])) }
    var data = file.data
    let end = data.count - 16  // of the last tensor, before the padding
    data.replaceSubrange(end - 16..<end, with: [Float](repeating: 1, count: 4).withUnsafeBytes { Data($0) })
    let files = try Folder().files(data)
    #expect(try Checkpoint(files).tensors["rope_freqs.weight"]?.shape == [4])
    #expect(try files.weights().map(\.name) == GGUFBuilder.llama().files().weights().map(\.name))
  }

  @Test func readsSeveralEOSTokens() throws {
    let file = GGUFBuilder.llama().with {
      $0["tokenizer.ggml.eot_token_id"] = .uint32(5)
      $0["tokenizer.ggml.eom_token_id"] = .uint32(0)
    }
    #expect(try read(file).eosTokenIDs == [0, 5])
  }

  @Test func readsSlidingWindow() throws {
    func windows(_ window: UInt32) throws -> [Int?] {
      let shape = try read(.llama().with { $0["llama.attention.sliding_window"] = .uint32(window) })
      #expect(shape.contextLength == 64)
      return shape.attention.map(\.window)
    }
    #expect(try windows(16) == [16, 16] && windows(100) == [100, 100])
    #expect(try windows(0) == [nil, nil])
  }

  @Test func readsAttentionScale() throws {
    func scales(_ scale: Float) throws -> [Float] {
      try read(.llama().with { $0["llama.attention.scale"] = .float32(scale) }).attention.map(\.scale)
    }
    #expect(try scales(0.75) == [0.75, 0.75])
    #expect(try scales(0) == [1 / Float(8).squareRoot(), 1 / Float(8).squareRoot()])  // 0 means absent
  }

  @Test func acceptsUniformPerLayerValues() throws {
    #expect(try read(.llama().with { $0["llama.attention.head_count_kv"] = .int32s([2, 2]) }).kvHeads == 2)
    #expect(
      try GGUFBuilder.llama().with { $0["llama.feed_forward_length"] = .uint32s([64, 32]) }.errorMessage()
        == "llama.feed_forward_length differs from layer to layer, which is not implemented")
  }

  @Test func usesOutputHead() throws {
    let file = GGUFBuilder.llama().with { $0.tensors.append(.init(name: "output.weight", dimensions: [32, 8])) }
    let (model, checkpoint) = try open(file, Llama.self)
    try expect(model.lm_head, isTensor: "output", [8, 32], in: checkpoint)
    // The bytes of the tensors are the same, so the head is not counted again.
    #expect(try file.files().weights().map(\.name) == GGUFBuilder.llama().files().weights().map(\.name))
  }

  @Test func readsVocabularySizeWithoutTokenizer() throws {
    let file = GGUFBuilder.gpt2.with { file in
      file.values.removeAll { $0.key.hasPrefix("tokenizer.") }
      file["gpt2.vocab_size"] = .uint32(8)
    }
    #expect(try read(file).vocabularySize == 8)
    #expect(try file.with { $0["gpt2.vocab_size"] = nil }.errorMessage() == "gpt2.vocab_size is missing")
  }

  /// Types by their numbers in GGUF, with the size in bytes of 8 rows of 32 or 256 elements.
  @Test(
    arguments: [
      (0, 32, 1024, .float32), (1, 32, 512, .float16), (30, 32, 512, .bfloat16), (8, 32, 272, .q8_0),
      (2, 32, 144, .q4_0), (3, 32, 160, .q4_1), (6, 32, 176, .q5_0), (7, 32, 192, .q5_1), (12, 256, 1152, .q4_k),
      (13, 256, 1408, .q5_k), (14, 256, 1680, .q6_k), (10, 256, 672, .q2_k), (11, 256, 880, .q3_k),
      (16, 256, 528, .iq2_xxs), (17, 256, 592, .iq2_xs), (18, 256, 784, .iq3_xxs), (19, 256, 400, .iq1_s),
      (20, 32, 144, .iq4_nl), (21, 256, 880, .iq3_s), (22, 256, 656, .iq2_s), (23, 256, 1088, .iq4_xs),
      (29, 256, 448, .iq1_m), (34, 256, 432, .tq1_0), (35, 256, 528, .tq2_0), (39, 32, 136, .mxfp4),
    ] as [(UInt32, UInt64, Int, ElementType)])
  func acceptsMatrixTypes(_ number: UInt32, _ width: UInt64, _ size: Int, _ type: ElementType) throws {
    var file = GGUFBuilder.llama()
    file["llama.embedding_length"] = .uint32(UInt32(width))
    file["llama.attention.key_length"] = .uint32(8)
    for index in file.tensors.indices {
      file.tensors[index].dimensions = file.tensors[index].dimensions.map { $0 == 32 ? width : $0 }
    }
    for layer in 0..<2 {
      file.change("blk.\(layer).attn_q.weight") { $0.dimensions = [width, 32] }
      file.change("blk.\(layer).attn_output.weight") { $0.dimensions = [32, width] }
    }
    file.change("token_embd.weight") { ($0.type, $0.size) = (number, size) }
    #expect(try file.errorMessage() == nil)
    let embedding = try #require(try Checkpoint(file.files()).tensors["token_embd.weight"])
    #expect(embedding.type == type && embedding.shape == [8, Int(width)] && embedding.bytes.count == size)
    #expect(embedding.count == 8 * Int(width))
  }

  @Test(arguments: [
    Flaw(
      #"general.architecture "bert" is not implemented; lm-info --list-families shows the families that are"#
    ) { $0["general.architecture"] = .string("bert") },
    Flaw("general.architecture is missing") { $0["general.architecture"] = nil },
    Flaw("general.architecture is not a string of at most 1024 bytes") { $0["general.architecture"] = .uint32(1) },
    Flaw("llama.block_count is missing") { $0["llama.block_count"] = nil },
    Flaw("llama.block_count is 0; must be from 1 to 1024") { $0["llama.block_count"] = .uint32(0) },
    Flaw("llama.block_count is 1025; must be from 1 to 1024") { $0["llama.block_count"] = .uint32(1025) },
    Flaw("llama.block_count is not an integer") { $0["llama.block_count"] = .string("2") },
    Flaw("llama.block_count is not an integer") { $0["llama.block_count"] = .float32(2) },
    Flaw("llama.embedding_length is not an integer") { $0["llama.embedding_length"] = .uint64(.max) },
    Flaw("llama.embedding_length is 1099511627776; must be from 1 to 1048576") {
      $0["llama.embedding_length"] = .uint64(1 << 40)
    },
    Flaw("llama.embedding_length (32) is not a multiple of llama.attention.head_count (5)") {
      $0["llama.attention.head_count"] = .uint32(5)
    },
    Flaw("llama.attention.head_count (4) is not a multiple of llama.attention.head_count_kv (3)") {
      $0["llama.attention.head_count_kv"] = .uint32(3)
    },
    Flaw("llama.attention.head_count_kv is -1; must be from 1 to 1048576") {
      $0["llama.attention.head_count_kv"] = .int32(-1)
    },
    Flaw("llama.attention.head_count_kv is not an integer") { $0["llama.attention.head_count_kv"] = .int32s([]) },
    Flaw("llama.attention.value_length 16 is not implemented; only the head dimension, 8, is") {
      $0["llama.attention.value_length"] = .uint32(16)
    },
    Flaw("llama.attention.value_length 16 is not implemented; only the head dimension, 32, is") {
      $0["llama.attention.key_length"] = .uint32(32)
      $0["llama.attention.value_length"] = .uint32(16)
    },
    Flaw("the head dimension is 1; RoPE requires an even number") {
      $0["llama.attention.head_count"] = .uint32(32)
    },
    Flaw("the total width of the heads is 4194304; must be from 1 to 1048576") {
      $0["llama.attention.key_length"] = .uint32(1 << 20)
    },
    Flaw("llama.rope.freq_base is not a number") { $0["llama.rope.freq_base"] = .float32(.nan) },
    Flaw("llama.rope.freq_base is not a number") { $0["llama.rope.freq_base"] = .uint32(10000) },
    Flaw("llama.rope.freq_base is -1.0; must be positive and finite as a float32") {
      $0["llama.rope.freq_base"] = .float32(-1)
    },
    Flaw("llama.rope.freq_base is 9.999999747378752e-05; must be at least 0.1") {
      $0["llama.rope.freq_base"] = .float32(1e-4)
    },
    Flaw("llama.rope.scaling.factor is 0.0625; must be at least 0.1") {
      $0["llama.rope.scaling.factor"] = .float32(0.0625)
    },
    Flaw("llama.rope.scale_linear is 0.0625; must be at least 0.1") {
      $0["llama.rope.scale_linear"] = .float32(0.0625)
    },
    Flaw("llama.rope.scaling.factor is -2.0; must be positive and finite as a float32") {
      $0["llama.rope.scaling.factor"] = .float32(-2)
    },
    Flaw("llama.attention.layer_norm_rms_epsilon is missing") { $0["llama.attention.layer_norm_rms_epsilon"] = nil },
    Flaw("a mixture of experts (llama.expert_count) is not implemented") { $0["llama.expert_count"] = .uint32(8) },
    Flaw("llama.attention.scale is -0.5; must be positive") { $0["llama.attention.scale"] = .float32(-0.5) },
    Flaw("llama.rope.scaling.attn_factor is -1.5; must be from 0.01 to 100.0") {
      $0["llama.rope.scaling.attn_factor"] = .float32(-1.5)
    },
    Flaw("non-causal attention (llama.attention.causal) is not implemented") {
      $0["llama.attention.causal"] = .boolean(false)
    },
    Flaw("llama.rope.scaling.factor together with rope_freqs.weight is not implemented") {
      $0.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4]))
      $0["llama.rope.scaling.factor"] = .float32(2)
    },
    Flaw(#"missing tensor "blk.1.attn_q.weight", which a llama model needs"#) {
      $0.tensors.removeAll { $0.name == "blk.1.attn_q.weight" }
    },
    Flaw(#"unexpected tensor "blk.2.attn_q.weight", which is not implemented for a llama model"#) {
      $0.tensors.append(.init(name: "blk.2.attn_q.weight", dimensions: [32, 32]))
    },
    Flaw(#"unexpected tensor "blk.0.ffn_gate_inp.weight", which is not implemented for a llama model"#) {
      $0.tensors.append(.init(name: "blk.0.ffn_gate_inp.weight", dimensions: [32, 8]))
    },
    Flaw(#"unexpected tensor "blk.0.attn_q_norm.weight", which is not implemented for a llama model"#) {
      $0.tensors.append(.init(name: "blk.0.attn_q_norm.weight", dimensions: [8]))
    },
    Flaw(#""blk.0.ffn_up.weight" has shape [32, 64], but the metadata requires [64, 32]"#) {
      $0.change("blk.0.ffn_up.weight") { $0.dimensions = [64, 32] }
    },
    Flaw(#""token_embd.weight" has shape [], but the metadata requires [8, 32]"#) {
      $0.change("token_embd.weight") { ($0.dimensions, $0.size) = ([], 4) }
    },
    Flaw(#""token_embd.weight" has shape [0, 32], but the metadata requires [8, 32]"#) {
      $0.change("token_embd.weight") { $0.dimensions = [32, 0] }
    },
    Flaw(#""token_embd.weight" has shape [9, 32], but the metadata requires [8, 32]"#) {
      $0.change("token_embd.weight") { $0.dimensions = [32, 9] }
    },
    Flaw(#""output_norm.weight" is of type Q8_0, which is not implemented; F64, F32, F16 and BF16 are"#) {
      $0.change("output_norm.weight") { ($0.type, $0.size) = (8, 34) }
    },
    Flaw(#""token_embd.weight" is of type I32, which is not implemented; \#(matrixTypes) are"#) {
      $0.change("token_embd.weight") { ($0.type, $0.size) = (26, 1024) }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type Q8_K, which is not implemented; \#(matrixTypes) are"#) {
      $0.change("blk.1.ffn_up.weight") { ($0.type, $0.dimensions, $0.size) = (15, [256, 8], 2336) }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type Q8_1, which is not implemented; \#(matrixTypes) are"#) {
      $0.change("blk.1.ffn_up.weight") { ($0.type, $0.size) = (9, 2304) }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type number 4711, which is not implemented; \#(matrixTypes) are"#) {
      $0.change("blk.1.ffn_up.weight") { $0.type = 4711 }
    },
    Flaw("split.no is missing, but split.count is 3") { $0["split.count"] = .uint32(3) },
    Flaw(
      "this is part 1 of 3 of a model, so its name must end with -00001-of-00003.gguf: rename it"
    ) { ($0["split.count"], $0["split.no"]) = (.uint32(3), .uint32(0)) },
  ])
  func rejectsUnsupportedFeatures(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.llama().with(flaw.change).errorMessage() == flaw.reason)
  }

  /// The width of a head of GPT-2 is the width of the model divided by the number of heads.
  @Test(arguments: ["key_length", "value_length"]) func rejectsOtherHeadDimOfGPT2(_ name: String) throws {
    func file(_ length: UInt32) -> GGUFBuilder { .gpt2.with { $0["gpt2.attention.\(name)"] = .uint32(length) } }
    #expect(try file(2).errorMessage() == nil)
    #expect(
      try file(4).errorMessage()
        == "gpt2.attention.\(name) 4 is not implemented; only the head dimension, 2, is")
  }

  /// The parts have tensors that are searched for when the configuration is read, and matrices and vectors of several
  /// types.
  @Test(arguments: [[22], [11, 11], [1, 20, 1], [0, 22], Array(repeating: 1, count: 22)])
  func partsHaveTheLogitsOfTheWholeFile(_ sizes: [Int]) throws {
    let whole = GGUFBuilder.llama().with {
      $0.tensors.append(.init(name: "output.weight", dimensions: [32, 8]))
      $0.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4]))
      for name in ["token_embd", "blk.0.ffn_up", "blk.1.attn_q"] { $0.change(name + ".weight") { $0.type = 8 } }
      $0.setRandomWeights(seed: 6)
      $0.change("rope_freqs.weight") { $0.contents = [1, 1, 2, 8].reduce(Data()) { $0 + bytes(Float($1).bitPattern) } }
    }
    try #require(sizes.reduce(0, +) == whole.tensors.count)
    func logits(_ files: ModelFiles) throws -> [[UInt32]] {
      let model = try MappedModel(files).transformer(threads: 2)
      return try TransformerTests.bits(model, TransformerTests.ids(30, 8), logitsAt: 0..<30)
    }
    let expected = try logits(whole.files())
    #expect(expected.joined().allSatisfy { Float(bitPattern: $0).isFinite } && Set(expected).count == 30)
    let folder = try Folder()
    for name in Set(try folder.write(parts: whole.parts(sizes))) {
      let files = try ModelFiles(.find(Path("\(folder.path)/\(name)")))
      #expect(try logits(files) == expected)
    }
  }

  /// The rest of the message lists what is implemented.
  @Test func namesOtherRoPEScaling() throws {
    let file = GGUFBuilder.llama().with { $0["llama.rope.scaling.type"] = .string("mrope") }
    #expect(
      try file.errorMessage()?.hasPrefix(#"llama.rope.scaling.type "mrope" is not implemented; "#) == true)
  }

  /// A randomly damaged file is opened as a model, or causes a `CheckpointError`, without a crash and without delay.
  @Test func survivesRandomDamage() throws {
    var generator = SeededGenerator(8)
    let whole = [UInt8](GGUFBuilder.llama().data)
    let header = try #require(whole.firstRange(of: Array("blk.1.ffn_down.weight".utf8))).upperBound + 40
    let folder = try Folder()
    var (refused, opened) = (0, 0)
    let start = ContinuousClock.now
    for _ in 0..<400 {
      var file = whole
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let place = Int.random(in: 4..<header, using: &generator)
        if Bool.random(using: &generator) {
          file[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        } else {
          file[place] = UInt8.random(in: 0...255, using: &generator)
        }
      }
      do {
        _ = try folder.files(Data(file)).weights()
        opened += 1
      } catch is CheckpointError { refused += 1 }
    }
    #expect(refused > 200 && opened > 20)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
