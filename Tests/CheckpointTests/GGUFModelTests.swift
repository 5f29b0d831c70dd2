import Checkpoint
import Foundation
import Testing

@Suite struct GGUFModelTests {
  private func gpt2(_ file: GGUFBuilder) throws -> GPT2Configuration {
    guard case .gpt2(let configuration) = try file.open().configuration else { throw CocoaError(.featureUnsupported) }
    return configuration
  }

  private func llama(_ file: GGUFBuilder) throws -> LlamaConfiguration {
    guard case .llama(let configuration) = try file.open().configuration else { throw CocoaError(.featureUnsupported) }
    return configuration
  }

  @Test(arguments: [2, 3] as [UInt32]) func readsGPT2(_ version: UInt32) throws {
    let file = GGUFBuilder.gpt2.with { $0.version = version }
    let c = try gpt2(file)
    #expect(
      c.contextLength == 3 && c.width == 4 && c.layers == 2 && c.ffnWidth == 6 && c.heads == 2 && c.headDim == 2)
    #expect(c.vocabularySize == 8 && c.layerNormEpsilon == 1e-5 && c.eosTokenIDs == [0])
    #expect(c.scalesAttention && !c.scalesAttentionByLayer && c.tiesEmbeddings && c.layout == .outputsByInputs)
  }

  @Test func mapsTensorNamesAndShapes() throws {
    let model = try GGUFBuilder.gpt2.open()
    for (name, stored, shape) in [
      ("wte.weight", "token_embd.weight", [8, 4]), ("wpe.weight", "position_embd.weight", [3, 4]),
      ("ln_f.bias", "output_norm.bias", [4]), ("h.1.attn.c_attn.weight", "blk.1.attn_qkv.weight", [12, 4]),
      ("h.0.attn.c_proj.bias", "blk.0.attn_output.bias", [4]), ("h.0.ln_1.weight", "blk.0.attn_norm.weight", [4]),
      ("h.1.ln_2.bias", "blk.1.ffn_norm.bias", [4]), ("h.1.mlp.c_fc.weight", "blk.1.ffn_up.weight", [6, 4]),
      ("h.1.mlp.c_proj.weight", "blk.1.ffn_down.weight", [4, 6]),
    ] {
      let tensor = try model.tensor(name)
      #expect(tensor.name == stored && tensor.shape == shape)
      #expect(
        tensor.bytes.count == shape.reduce(4, *)
          && tensor.bytes.elementsEqual((0..<tensor.bytes.count).map { UInt8($0 & 127) }))
    }
    #expect(try model.outputHead().name == "token_embd.weight")
    #expect(model.byteCount == GGUFBuilder.gpt2.data.count)
    #expect(model.files.count == 1)
  }

  @Test func readsLlama() throws {
    let c = try llama(.llama())
    #expect(c.variant == .llama && c.vocabularySize == 8 && c.contextLength == 64 && c.layers == 2 && c.width == 32)
    #expect(c.heads == 4 && c.kvHeads == 2 && c.headDim == 8 && c.ffnWidth == 64 && c.normEpsilon == 1e-6)
    #expect(c.rope.base == 5e5 && c.rope.scaling == .none)
    #expect(c.rope.pairing == .interleaved)
    #expect(!c.hasQueryKeyValueBiases && !c.hasAttentionOutputBias && !c.hasFeedForwardBiases)
    #expect(!c.normalizesQueriesAndKeys && c.tiesEmbeddings && c.eosTokenIDs == [0])
    #expect(try GGUFBuilder.llama().open().tensor("layers.1.mlp.down_proj.weight").shape == [32, 64])
  }

  @Test func readsQwen() throws {
    let qwen2 = try llama(.llama("qwen2", hasBiases: true))
    #expect(qwen2.variant == .qwen2 && qwen2.rope.pairing == .neox && qwen2.hasQueryKeyValueBiases)
    let qwen3 = try llama(.llama("qwen3"))
    #expect(qwen3.variant == .qwen3 && qwen3.rope.pairing == .neox && qwen3.normalizesQueriesAndKeys)
    let model = try GGUFBuilder.llama("qwen3").open()
    #expect(try model.tensor("layers.1.self_attn.q_norm.weight").name == "blk.1.attn_q_norm.weight")
    #expect(model.configuration.modelType == "qwen3")
  }

  @Test func missingKeysHaveDefaultsOfLlamaCPP() throws {
    let c = try llama(
      .llama().with {
        $0["llama.attention.head_count_kv"] = nil
        $0["llama.rope.freq_base"] = nil
        for layer in 0..<2 {
          $0.change("blk.\(layer).attn_k.weight") { $0.dimensions = [32, 32] }
          $0.change("blk.\(layer).attn_v.weight") { $0.dimensions = [32, 32] }
        }
      })
    #expect(c.kvHeads == 4 && c.rope.base == 1e4)
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
    #expect(try llama(file).headDim == 16)
    #expect(try file.errorMessage() == nil)
  }

  @Test func readsRoPEScaling() throws {
    func scaling(_ values: KeyValuePairs<String, GGUFBuilder.Value>, frequencyFactors: Bool = false) throws
      -> RoPEConfiguration.Scaling
    {
      try llama(
        .llama().with { file in
          for (key, value) in values { file["llama.rope.\(key)"] = value }
          if frequencyFactors { file.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4])) }
        }
      ).rope.scaling
    }
    #expect(try scaling(["scaling.type": .string("linear"), "scaling.factor": .float32(4)]) == .linear(factor: 4))
    #expect(try scaling(["scaling.factor": .float32(4)]) == .linear(factor: 4))
    #expect(try scaling(["scale_linear": .float32(2)]) == .linear(factor: 2))
    #expect(try scaling(["scaling.type": .string("none"), "scaling.factor": .float32(4)]) == .none)
    #expect(try scaling(["scaling.type": .string("linear")]) == .none)
    #expect(try scaling(["scaling.factor": .float32(0)]) == .none)
    #expect(try scaling([:], frequencyFactors: true) == .frequencyFactors)
    let model = try GGUFBuilder.llama().with { $0.tensors.append(.init(name: "rope_freqs.weight", dimensions: [4])) }
      .open()
    #expect(try model.tensor("rope_freqs.weight").shape == [4])
    let weights = try GGUFBuilder.llama().open().modelTensors().map(\.name)
    #expect(try model.modelTensors().map(\.name) == weights)  // frequency factors are not weights
  }

  @Test func readsSeveralEOSTokens() throws {
    let file = GGUFBuilder.llama().with {
      $0["tokenizer.ggml.eot_token_id"] = .uint32(5)
      $0["tokenizer.ggml.eom_token_id"] = .uint32(0)
    }
    #expect(try file.open().configuration.eosTokenIDs == [0, 5])
  }

  @Test func slidingWindowLimitsContext() throws {
    let file = GGUFBuilder.llama().with { $0["llama.attention.sliding_window"] = .uint32(16) }
    #expect(try file.open().configuration.contextLength == 16)
  }

  @Test func acceptsUniformPerLayerValues() throws {
    #expect(try llama(.llama().with { $0["llama.attention.head_count_kv"] = .int32s([2, 2]) }).kvHeads == 2)
    #expect(
      try GGUFBuilder.llama().with { $0["llama.feed_forward_length"] = .uint32s([64, 32]) }.errorMessage()
        == "llama.feed_forward_length differs from layer to layer, which is not implemented")
  }

  @Test func usesOutputHead() throws {
    let file = GGUFBuilder.llama().with { $0.tensors.append(.init(name: "output.weight", dimensions: [32, 8])) }
    let model = try file.open()
    #expect(try model.outputHead().name == "output.weight")
    let tied = try GGUFBuilder.llama().open()
    #expect(try tied.outputHead().name == "token_embd.weight")
  }

  @Test func readsVocabularySizeWithoutTokenizer() throws {
    let file = GGUFBuilder.gpt2.with { file in
      file.values.removeAll { $0.key.hasPrefix("tokenizer.") }
      file["gpt2.vocab_size"] = .uint32(8)
    }
    #expect(try gpt2(file).vocabularySize == 8)
    #expect(try file.with { $0["gpt2.vocab_size"] = nil }.errorMessage() == "gpt2.vocab_size is missing")
  }

  /// Types by their numbers in GGUF, with the size in bytes of 8 rows of 32 or 256 elements.
  @Test(
    arguments: [
      (0, 32, 1024, .float32), (1, 32, 512, .float16), (30, 32, 512, .bfloat16), (8, 32, 272, .q8_0),
      (2, 32, 144, .q4_0), (3, 32, 160, .q4_1), (6, 32, 176, .q5_0), (7, 32, 192, .q5_1), (12, 256, 1152, .q4_k),
      (13, 256, 1408, .q5_k), (14, 256, 1680, .q6_k),
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
    let embedding = try file.open().tokenEmbedding()
    #expect(embedding.type == type && embedding.shape == [8, Int(width)] && embedding.bytes.count == size)
    #expect(embedding.count == 8 * Int(width))
  }

  private static let types = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K and Q6_K"

  @Test(arguments: [
    Flaw(#"architecture "gemma" is not implemented; gpt2, llama, mistral, qwen2 and qwen3 are"#) {
      $0["general.architecture"] = .string("gemma")
    },
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
    Flaw("llama.rope.dimension_count 4 is not implemented; only the head dimension, 8, is") {
      $0["llama.rope.dimension_count"] = .uint32(4)
    },
    Flaw("llama.attention.value_length 16 is not implemented; only the head dimension, 8, is") {
      $0["llama.attention.value_length"] = .uint32(16)
    },
    Flaw("the head dimension is 1; RoPE requires an even number") {
      $0["llama.attention.head_count"] = .uint32(32)
    },
    Flaw("the total width of the heads is 4194304; must be from 1 to 1048576") {
      $0["llama.attention.key_length"] = .uint32(1 << 20)
    },
    Flaw(#"llama.rope.scaling.type "yarn" is not implemented; none and linear are"#) {
      $0["llama.rope.scaling.type"] = .string("yarn")
    },
    Flaw(#"llama.rope.scaling.type "longrope" is not implemented; none and linear are"#) {
      $0["llama.rope.scaling.type"] = .string("longrope")
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
    Flaw("llama.attention.scale is not implemented") { $0["llama.attention.scale"] = .float32(0.5) },
    Flaw("llama.rope.scaling.attn_factor is not implemented") {
      $0["llama.rope.scaling.attn_factor"] = .float32(1.5)
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
    Flaw(#""token_embd.weight" has shape [9, 32], but the metadata requires [8, 32]"#) {
      $0.change("token_embd.weight") { $0.dimensions = [32, 9] }
    },
    Flaw(#""output_norm.weight" is of type Q8_0, which is not implemented; F32, F16 and BF16 are"#) {
      $0.change("output_norm.weight") { ($0.type, $0.size) = (8, 34) }
    },
    Flaw(#""token_embd.weight" is of type I32, which is not implemented; \#(types) are"#) {
      $0.change("token_embd.weight") { ($0.type, $0.size) = (26, 1024) }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type Q3_K, which is not implemented; \#(types) are"#) {
      $0.change("blk.1.ffn_up.weight") { $0.type = 11 }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type MXFP4, which is not implemented; \#(types) are"#) {
      $0.change("blk.1.ffn_up.weight") { $0.type = 39 }
    },
    Flaw(#""blk.1.ffn_up.weight" is of type number 4711, which is not implemented; \#(types) are"#) {
      $0.change("blk.1.ffn_up.weight") { $0.type = 4711 }
    },
    Flaw("this is one of 3 parts of a model; join them first (llama-gguf-split --merge, with the first part)") {
      $0["split.count"] = .uint32(3)
    },
  ])
  func rejectsUnsupportedFeatures(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.llama().with(flaw.change).errorMessage() == flaw.reason)
  }

  @Test func identityDependsOnFiles() throws {
    let folder = try Folder()
    let model = try Checkpoint(folder.files(GGUFBuilder.gpt2.data))
    let first = model.identity
    #expect(model.identity == first)
    _ = try folder.files(GGUFBuilder.gpt2.with { $0["general.name"] = .string("another") }.data)
    #expect(model.identity != first)
  }
}
