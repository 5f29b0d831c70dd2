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
