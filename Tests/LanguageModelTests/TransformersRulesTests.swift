import Checkpoint
import LanguageModel
import Platform
import TestSupport
import Testing

/// Settings that transformers 5.24 reads otherwise than their names suggest.
@Suite struct TransformersRulesTests {
  private func shape(_ configuration: String) throws -> ModelShape {
    let folder = try Folder()
    try folder.write("config.json", configuration)
    return try ModelDefinition(ModelFiles(.find(Path(folder.path)))).shape
  }

  /// The model of text and images has no soft cap of logits, and its text model alone has one.
  @Test func gemma3OfTextAndImagesHasNoLogitSoftcap() throws {
    let text = #""hidden_size":16,"num_attention_heads":4,"num_hidden_layers":2,"final_logit_softcapping":3"#
    #expect(
      try shape(#"{"model_type":"gemma3","text_config":{"model_type":"gemma3_text",\#(text)}}"#).logitSoftcap == nil)
    #expect(try shape(#"{"model_type":"gemma3_text",\#(text)}"#).logitSoftcap == 3)
  }

  /// `layer_types` has precedence over `use_sliding_window`.
  @Test func smolLM3HasTheWindowsOfLayerTypes() throws {
    let sizes = #""model_type":"smollm3","num_hidden_layers":2,"sliding_window":7,"use_sliding_window":false"#
    func windows(_ members: String) throws -> [Int?] { try shape("{\(sizes)\(members)}").attention.map(\.window) }
    #expect(try windows("") == [nil, nil])
    #expect(try windows(#","layer_types":["sliding_attention","full_attention"]"#) == [7, nil])
  }

  /// The biases of ALiBi are rounded, and there is no RoPE.
  @Test func readsALiBiOfFalcon() throws {
    let falcon = try shape(#"{"model_type":"falcon","hidden_size":12,"num_attention_heads":3,"alibi":true}"#)
    #expect(falcon.ropes.isEmpty)
    #expect(
      falcon.attention.allSatisfy { $0.slopes == [0.0625, 0.00390625, 0.25] && $0.roundsBiases && $0.rope == nil })
  }

  /// Without `new_decoder_architecture` and `parallel_attn`, the number of norms has no effect.
  @Test func sequentialFalconHasItsNorms() throws {
    let sizes = #""model_type":"falcon","hidden_size":12,"num_attention_heads":3,"num_ln_in_parallel_attn":2"#
    #expect(try !shape("{\(sizes),\"parallel_attn\":false}").hasParallelNorms)
    #expect(throws: CheckpointError.self) { try shape("{\(sizes)}") }
  }

  /// llama.cpp's converter writes the width of BLOOM as the context length, and the odd part of GPT-NeoX.
  @Test func readsGGUFFilesOfBLOOMAndGPTNeoX() throws {
    func read(_ name: String, _ context: UInt32, scaling: String = "none") throws -> ModelShape {
      try GGUFBuilder.llama(name).with {
        $0["\(name).context_length"] = .uint32(context)
        $0["\(name).attention.layer_norm_epsilon"] = .float32(1e-5)
        $0["\(name).rope.dimension_count"] = .uint32(5)
        $0["\(name).rope.scaling.type"] = .string(scaling)
      }.files().shape()
    }
    #expect(try read("bloom", 32).contextLength == 2048)
    #expect(try read("bloom", 4096).contextLength == 4096)
    let rope = try #require(try read("gptneox", 32).ropes.first)
    #expect(rope.rotaryDim == 6 && rope.exponentDim == 5)
    #expect(throws: CheckpointError.self) { try read("phi2", 32) }
    #expect(throws: CheckpointError.self) { try read("gptneox", 32, scaling: "yarn") }
  }

  /// This setting omits biases in transformers.
  @Test func refusesSlowButExactBLOOM() throws {
    let setting = #"{"model_type":"bloom","slow_but_exact":true,"pretraining_tp":"#
    #expect(try shape(setting + "1}").heads == 8)
    #expect {
      _ = try shape(setting + "2}")
    } throws: {
      "\($0)".hasSuffix("slow_but_exact with pretraining_tp above 1 is not implemented")
    }
  }
}
