import Checkpoint
import Foundation
import Platform
import Testing

@Suite struct LlamaConfigurationTests {
  private func read(_ members: String, type: String = "llama", generation: String? = nil) throws -> LlamaConfiguration {
    let folder = try Folder()
    try folder.write("config.json", #"{"model_type":"\#(type)","# + members + "}")
    if let generation { try folder.write("generation_config.json", generation) }
    do {
      guard case .llama(let configuration) = try ModelConfiguration(ModelFiles(.find(Path(folder.path)))) else {
        throw CocoaError(.featureUnsupported)
      }
      return configuration
    } catch let error as CheckpointError {
      throw ReadingError(text: "\(error)".replacingOccurrences(of: folder.path + "/", with: ""))
    }
  }

  private struct ReadingError: Error { let text: String }

  private func errorMessage(_ members: String, type: String = "llama") throws -> String? {
    do {
      _ = try read(members, type: type)
      return nil
    } catch let error as ReadingError { return error.text }
  }

  @Test func readsMembers() throws {
    let c = try read(
      #""vocab_size":11,"hidden_size":24,"num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"#
        + #""head_dim":8,"intermediate_size":40,"max_position_embeddings":99,"rms_norm_eps":1e-5,"rope_theta":5e5,"#
        + #""attention_bias":true,"mlp_bias":true,"tie_word_embeddings":true,"hidden_act":"silu","eos_token_id":[3,4]"#)
    #expect(c.variant == .llama && c.vocabularySize == 11 && c.width == 24 && c.layers == 3 && c.ffnWidth == 40)
    #expect(c.heads == 4 && c.kvHeads == 2 && c.headDim == 8 && c.contextLength == 99 && c.normEpsilon == 1e-5)
    #expect(c.rope.base == 5e5 && c.rope.scaling == .none && c.rope.pairing == .neox)
    #expect(c.hasQueryKeyValueBiases && c.hasAttentionOutputBias && c.hasFeedForwardBiases && c.tiesEmbeddings)
    #expect(!c.normalizesQueriesAndKeys && c.eosTokenIDs == [3, 4])
  }

  @Test func variantsDetermineBiasesAndNorms() throws {
    let sizes = #""attention_bias":true,"mlp_bias":true"#
    let qwen2 = try read(sizes, type: "qwen2")
    #expect(qwen2.hasQueryKeyValueBiases && !qwen2.hasAttentionOutputBias && !qwen2.hasFeedForwardBiases)
    #expect(!qwen2.normalizesQueriesAndKeys)
    #expect(try read("\"vocab_size\":5", type: "qwen2").hasQueryKeyValueBiases)
    let qwen3 = try read(sizes, type: "qwen3")
    #expect(qwen3.hasQueryKeyValueBiases && qwen3.hasAttentionOutputBias && !qwen3.hasFeedForwardBiases)
    #expect(qwen3.normalizesQueriesAndKeys)
    let mistral = try read(sizes, type: "mistral")
    #expect(!mistral.hasQueryKeyValueBiases && !mistral.hasAttentionOutputBias && !mistral.hasFeedForwardBiases)
  }

  // MARK: windows

  @Test(arguments: [
    ("mistral", #""sliding_window":16"#, 16), ("mistral", #""sliding_window":null"#, 64),
    ("mistral", #""sliding_window":4096"#, 64), ("llama", #""sliding_window":16"#, 64),
    ("qwen2", #""sliding_window":16"#, 64), ("qwen2", #""sliding_window":16,"use_sliding_window":true"#, 16),
    ("qwen2", #""sliding_window":null,"use_sliding_window":true"#, 64),
    ("qwen3", #""sliding_window":16,"use_sliding_window":true,"max_window_layers":32"#, 64),
    ("qwen3", #""sliding_window":16,"use_sliding_window":true,"max_window_layers":31"#, 16),
    (
      "qwen3",
      #""sliding_window":16,"use_sliding_window":true,"layer_types":["full_attention","full_attention"]"#, 64
    ),
    (
      "qwen3",
      #""sliding_window":16,"use_sliding_window":true,"layer_types":["full_attention","sliding_attention"]"#, 16
    ),
  ])
  func slidingWindowLimitsContext(_ type: String, _ members: String, _ length: Int) throws {
    #expect(try read(#""max_position_embeddings":64,"# + members, type: type).contextLength == length)
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
      try read(#""max_position_embeddings":64,"# + members).rope
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
    (
      #""rope_scaling":{"type":"yarn","factor":4}"#,
      #"rope_type "yarn" is not implemented; default, linear and llama3 are"#
    ),
    (
      #""rope_scaling":{"rope_type":"longrope","factor":4}"#,
      #"rope_type "longrope" is not implemented; default, linear and llama3 are"#
    ),
    (
      #""rope_parameters":{"rope_type":"dynamic","factor":4}"#,
      #"rope_type "dynamic" is not implemented; default, linear and llama3 are"#
    ),
    (
      #""rope_scaling":{"type":"mrope","mrope_section":[1,2]}"#,
      #"rope_type "mrope" is not implemented; default, linear and llama3 are"#
    ),
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
    (#""partial_rotary_factor":0.5"#, "partial_rotary_factor 0.5 is not implemented; 1 is"),
    (
      #""rope_parameters":{"rope_type":"default","partial_rotary_factor":0.25}"#,
      "partial_rotary_factor 0.25 is not implemented; 1 is"
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
    (#""hidden_act":"gelu""#, #"hidden_act "gelu" is not implemented; silu is"#),
    (
      #""layer_types":["chunked_attention"]"#,
      #"layer_types "chunked_attention" is not implemented; full_attention and sliding_attention are"#
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

  // MARK: tensors

  @Test func acceptsNamesWithAndWithoutPrefix() throws {
    let folder = try Folder()
    try folder.write(
      "config.json",
      #"{"model_type":"llama","vocab_size":5,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"#
        + #""intermediate_size":6,"tie_word_embeddings":false,"attention_bias":true}"#)
    let model = try safetensors([
      "model.embed_tokens.weight": [5, 4], "norm.weight": [4], "model.layers.0.self_attn.q_proj.weight": [4, 4],
      "model.layers.0.mlp.down_proj.weight": [6, 4], "model.layers.0.self_attn.rotary_emb.inv_freq": [1],
    ]).write(to: folder).open()
    #expect(try model.tensor("embed_tokens.weight").name == "model.embed_tokens.weight")
    #expect(try model.tensor("norm.weight").name == "norm.weight")
    #expect(try model.tensor("layers.0.self_attn.q_proj.weight").shape == [4, 4])
    for (name, reason) in [
      ("layers.0.mlp.down_proj.weight", "has shape [6, 4], but config.json requires [4, 6]"),
      ("layers.0.self_attn.q_proj.bias", "layers.0.self_attn.q_proj.bias\", which a llama model needs"),
    ] {
      let error = #expect(throws: CheckpointError.self) { try model.tensor(name) }
      #expect(error?.description.contains(reason) == true)
    }
    let error = #expect(throws: CheckpointError.self) { try model.outputHead() }  // untied, but missing
    #expect(error?.description.contains("lm_head.weight") == true)
  }

  @Test func rejectsLayersBeyondTheLast() throws {
    let folder = try safetensors(["model.layers.1.mlp.up_proj.weight": [2]]).write(to: Folder())
    try folder.write("config.json", #"{"model_type":"qwen3","num_hidden_layers":1}"#)
    #expect(
      folder.errorMessage()
        == #"model.safetensors: unexpected tensor "model.layers.1.mlp.up_proj.weight": config.json gives 1 as the number of layers"#
    )
  }
}
