import Foundation
import LanguageModel
import TestSupport
import Testing

/// The hyperparameters of Llama, Mistral and Qwen in config.json.
@Suite struct LlamaTests {
  private func configuration(_ members: String, _ type: String) -> String {
    #"{"model_type":"\#(type)","# + members + "}"
  }

  private func read(_ members: String, type: String = "llama", generation: String? = nil) throws -> ModelShape {
    try readShape(configuration(members, type), generation: generation)
  }

  private func errorMessage(_ members: String, type: String = "llama") throws -> String? {
    try LanguageModelTests.errorMessage(configuration(members, type))
  }

  @Test func readsMembers() throws {
    let c = try read(
      #""vocab_size":11,"hidden_size":24,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"#
        + #""head_dim":8,"intermediate_size":40,"max_position_embeddings":99,"rms_norm_eps":1e-5,"rope_theta":5e5,"#
        + #""attention_bias":true,"mlp_bias":true,"tie_word_embeddings":true,"hidden_act":"silu","eos_token_id":[3,4]"#)
    #expect(c.modelType == "llama" && c.vocabularySize == 11 && c.width == 24 && c.layers == 3 && c.ffnWidth == 40)
    #expect(c.heads == 4 && c.kvHeads == 2 && c.headDim == 8 && c.contextLength == 99 && c.normEpsilon == 1e-5)
    #expect(c.ropes.count == 1 && c.ropes[0].base == 5e5)
    #expect(c.ropes[0].scaling == .none && c.ropes[0].pairing == .neox)
    #expect(c.biases == [.queryKeyValue, .attentionOutput, .feedForward] && c.tiesEmbeddings)
    #expect(c.queryKeyNorm == .none && c.eosTokenIDs == [3, 4] && c.activation == .silu)
    #expect(c.attention.count == 3)
    for attention in c.attention {
      #expect(attention.rope == 0 && attention.window == nil && attention.softcap == nil && attention.slopes.isEmpty)
      #expect(attention.scale == 1 / Float(8).squareRoot())
    }
  }

  @Test func variantsDetermineBiasesAndNorms() throws {
    let sizes = #""attention_bias":true,"mlp_bias":true"#
    let qwen2 = try read(sizes, type: "qwen2")
    #expect(qwen2.biases == .queryKeyValue && qwen2.queryKeyNorm == .none)
    #expect(try read("\"vocab_size\":5", type: "qwen2").biases == .queryKeyValue)
    let qwen3 = try read(sizes, type: "qwen3")
    #expect(qwen3.biases == [.queryKeyValue, .attentionOutput] && qwen3.queryKeyNorm == .perHead)
    #expect(try read("\"vocab_size\":5", type: "qwen3").biases == [])
    let mistral = try read(sizes, type: "mistral")
    #expect(mistral.biases == [] && mistral.queryKeyNorm == .none)
    #expect(try read("\"vocab_size\":5").biases == [])
  }

  // MARK: windows

  /// The windows of four layers. They do not change the context length.
  @Test(
    arguments: [
      ("mistral", #""sliding_window":16"#, [16, 16, 16, 16]), ("mistral", #""sliding_window":null"#, []),
      ("mistral", #""sliding_window":4096"#, [4096, 4096, 4096, 4096]),
      ("mistral", #""vocab_size":5"#, [4096, 4096, 4096, 4096]),  // the default of MistralConfig
      ("llama", #""sliding_window":16"#, []), ("qwen2", #""sliding_window":16"#, []),
      ("qwen2", #""sliding_window":16,"use_sliding_window":true"#, []),  // max_window_layers is 28
      ("qwen2", #""sliding_window":null,"use_sliding_window":true,"max_window_layers":0"#, []),
      ("qwen3", #""sliding_window":16,"use_sliding_window":true,"max_window_layers":4"#, []),
      ("qwen3", #""sliding_window":16,"use_sliding_window":true,"max_window_layers":3"#, [nil, nil, nil, 16]),
      ("qwen2", #""use_sliding_window":true,"max_window_layers":1"#, [nil, 4096, 4096, 4096]),
      (
        "qwen3",
        #""sliding_window":16,"use_sliding_window":true,"max_window_layers":0,"layer_types":["full_attention","#
          + #""full_attention","full_attention","full_attention"]"#, []
      ),
      (
        "qwen3",
        #""sliding_window":16,"use_sliding_window":true,"layer_types":["full_attention","sliding_attention","#
          + #""full_attention","sliding_attention"]"#, [nil, 16, nil, 16]
      ),
    ] as [(String, String, [Int?])])
  func readsSlidingWindows(_ type: String, _ members: String, _ windows: [Int?]) throws {
    let shape = try read(#""max_position_embeddings":64,"num_hidden_layers":4,"# + members, type: type)
    #expect(shape.attention.map(\.window) == (windows.isEmpty ? [nil, nil, nil, nil] : windows))
    #expect(shape.contextLength == 64)
  }

  // MARK: rotary embeddings

  /// Returns the original context length if frequencies are scaled as in Llama 3 with the factors below, else nil.
  private func llama3(_ rotation: RoPEConfiguration) -> Int? {
    guard case .llama3(let scaling) = rotation.scaling, scaling.factor == 8, scaling.lowFrequencyFactor == 1,
      scaling.highFrequencyFactor == 4
    else { return nil }
    return scaling.originalContextLength
  }

  private static let factors = #""factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0"#

  @Test func readsAllSpellingsOfRoPEScaling() throws {
    func rotation(_ members: String) throws -> RoPEConfiguration {
      try #require(try read(#""max_position_embeddings":64,"# + members).ropes.first)
    }
    #expect(try rotation(#""rope_scaling":null"#).scaling == .none)
    #expect(try rotation(#""rope_scaling":{}"#).scaling == .none)
    #expect(try rotation(#""rope_scaling":{"type":"linear","factor":2}"#).scaling == .linear(factor: 2))
    #expect(try rotation(#""rope_scaling":{"rope_type":"linear","factor":2.5}"#).scaling == .linear(factor: 2.5))
    #expect(try rotation(#""rope_scaling":{"rope_type":"default","type":"yarn"}"#).scaling == .none)
    let own = #"{"rope_type":"llama3","original_max_position_embeddings":32,\#(Self.factors)}"#
    #expect(try llama3(rotation(#""rope_scaling":"# + own)) == 32)
    #expect(try llama3(rotation(#""rope_scaling":{"rope_type":"llama3",\#(Self.factors)}"#)) == 64)
    #expect(try llama3(rotation(#""original_max_position_embeddings":16,"rope_scaling":"# + own)) == 16)
    let new = try rotation(
      #""rope_theta":7.0,"rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3",\#(Self.factors)}"#)
    #expect(new.base == 5e5 && llama3(new) == 64)
    #expect(try rotation(#""rope_parameters":{"rope_type":"default"}"#).base == 1e4)
    #expect(try rotation(#""rope_theta":7.5,"rope_parameters":{"rope_type":"default"}"#).base == 7.5)
  }

  /// As in transformers, Llama rotates whole heads, and the member has no effect without scaling.
  @Test func rotatesWholeHeads() throws {
    #expect(try read(#""head_dim":128"#).ropes.map(\.rotaryDim) == [128])
    #expect(try read(#""head_dim":128,"partial_rotary_factor":0.5"#).ropes.map(\.rotaryDim) == [128])
    let parameters = #""rope_parameters":{"rope_type":"default","partial_rotary_factor":0.25}"#
    #expect(try read(#""head_dim":128,"# + parameters).ropes.map(\.rotaryDim) == [128])
    let scaled = #""partial_rotary_factor":0.5,"rope_scaling":{"type":"linear","factor":2}"#
    #expect(
      try errorMessage(scaled)
        == #"config.json: partial_rotary_factor 0.5 is not implemented with rope_type "linear""#)
  }

  // MARK: end-of-sequence tokens

  @Test func generationConfigTakesPrecedence() throws {
    func ends(_ members: String, _ generation: String?) throws -> [Int] {
      try read(members, generation: generation).eosTokenIDs
    }
    #expect(try ends(#""eos_token_id":2"#, #"{"eos_token_id":[5,6]}"#) == [5, 6])
    #expect(try ends(#""eos_token_id":2"#, #"{"eos_token_id":7}"#) == [7])
    #expect(try ends(#""eos_token_id":3"#, #"{"temperature":0.6}"#) == [3])
    #expect(try ends(#""eos_token_id":null"#, nil) == [])
    #expect(try ends(#""vocab_size":5"#, nil) == [2])  // the default of LlamaConfig
    #expect(try read("\"vocab_size\":5", type: "qwen2").eosTokenIDs == [])
  }

  // MARK: errors

  @Test(arguments: [
    (#""rope_scaling":{"type":"linear"}"#, "factor is missing"),
    (
      #""rope_scaling":{"type":"linear","factor":0}"#, "factor is 0.0; must be positive and finite as a float32"
    ),
    (#""rope_scaling":{"type":"llama3","factor":8,"high_freq_factor":4}"#, "low_freq_factor is missing"),
    (
      #""rope_scaling":{"type":"llama3","factor":8,"high_freq_factor":4,"low_freq_factor":4}"#,
      "low_freq_factor is not less than high_freq_factor"
    ),
    (
      #""rope_parameters":{"full_attention":{"rope_type":"default"}}"#,
      "rope_parameters for each type of layer are not implemented"
    ),
    (#""rope_theta":0"#, "rope_theta is 0.0; must be positive and finite as a float32"),
    (#""rope_theta":1e-30"#, "rope_theta is 1e-30; must be at least 0.1"),
    (#""rope_theta":0.099"#, "rope_theta is 0.099; must be at least 0.1"),
    (#""rope_theta":1e39"#, "rope_theta is 1e+39; must be positive and finite as a float32"),
    (#""rope_parameters":{"rope_theta":1e-3}"#, "rope_theta is 0.001; must be at least 0.1"),
    (#""rope_scaling":{"type":"linear","factor":1e-20}"#, "factor is 1e-20; must be at least 0.1"),
    (
      #""rope_scaling":{"type":"llama3","factor":1e-20,"low_freq_factor":1,"high_freq_factor":4}"#,
      "factor is 1e-20; must be at least 0.1"
    ),
    (
      #""layer_types":["chunked_attention"]"#,
      #"layer_types "chunked_attention" is not implemented; full_attention and sliding_attention are"#
    ),
    (
      #""num_hidden_layers":3,"layer_types":["full_attention","full_attention"]"#,
      "layer_types has 2 elements, but the model has 3 layers"
    ),
    (
      #""quantization_config":{"quant_method":"awq"}"#,
      "quantization_config (awq) is not implemented; use a quantized GGUF file instead"
    ),
    (
      #""hidden_size":10,"num_attention_heads":4"#, "hidden_size (10) is not a multiple of num_attention_heads (4)"
    ),
    (
      #""num_attention_heads":4,"num_key_value_heads":3"#,
      "num_attention_heads (4) is not a multiple of num_key_value_heads (3)"
    ),
    (#""head_dim":7"#, "the head dimension is 7; RoPE requires an even number"),
    (#""head_dim":1048576"#, "the total width of the heads is 33554432; must be from 1 to 1048576"),
    (#""num_hidden_layers":1025"#, "num_hidden_layers is 1025; must be from 1 to 1024"),
    (#""num_hidden_layers":-1"#, "num_hidden_layers is -1; must be from 1 to 1024"),
    (#""max_position_embeddings":0"#, "max_position_embeddings is 0; must be from 1 to 1048576"),
    (#""hidden_size":4611686018427387904"#, "hidden_size is 4611686018427387904; must be from 1 to 1048576"),
  ])
  func rejectsUnsupportedFeatures(_ members: String, _ reason: String) throws {
    #expect(try errorMessage(members) == "config.json: \(reason)")
  }

  /// The rest of the messages lists what is implemented.
  @Test(arguments: [
    (#""rope_scaling":{"type":"mrope","mrope_section":[1,2]}"#, #"rope_type "mrope""#),
    (#""rope_parameters":{"rope_type":"","factor":4}"#, #"rope_type """#),
    (#""hidden_act":"prelu""#, #"hidden_act "prelu""#),
  ])
  func namesOtherVariants(_ members: String, _ found: String) throws {
    #expect(try errorMessage(members)?.hasPrefix("config.json: \(found) is not implemented; ") == true)
  }

  @Test(arguments: [("mistral", 0), ("mistral", -1), ("mistral", 1_048_577)])
  func rejectsInvalidWindows(_ type: String, _ window: Int) throws {
    #expect(
      try errorMessage("\"sliding_window\":\(window)", type: type)
        == "config.json: sliding_window is \(window); must be from 1 to 1048576")
  }

  @Test(arguments: [
    #""hidden_size":"4096""#, #""rope_scaling":[]"#, #""rope_scaling":"linear""#, #""rope_theta":true"#,
    #""eos_token_id":"x""#, #""layer_types":[1]"#, #""tie_word_embeddings":0"#, #""hidden_act":1"#,
    #""quantization_config":4"#,
  ])
  func reportsPositionOfMistypedValues(_ members: String) throws {
    #expect(try errorMessage(members)?.hasPrefix("config.json: byte ") == true)
  }

  @Test func limitsConfigurationSize() throws {
    let many = (0...4096).map { "\"m\($0)\":0" }.joined(separator: ",")
    #expect(try errorMessage(many)?.hasSuffix("more than 4096 members") == true)
    let long = try errorMessage(String(repeating: " ", count: 1 << 22) + #""vocab_size":5"#)
    #expect(long?.hasSuffix("bytes are too many for a configuration; the limit is 4,194,304") == true)
  }
}
