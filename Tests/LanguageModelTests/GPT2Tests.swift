import Foundation
import LanguageModel
import TestSupport
import Testing

/// The hyperparameters of GPT-2 in config.json.
@Suite struct GPT2Tests {
  /// Returns the configuration of a GPT-2 model with these members.
  private func gpt2(_ members: String) -> String { #"{"model_type":"gpt2","# + members + "}" }

  @Test func missingMembersHaveDefaultsOfGPT2() throws {
    let found = try readShape(#"{"model_type":"gpt2"}"#)
    #expect(
      found.vocabularySize == 50257 && found.contextLength == 1024 && found.width == 768 && found.layers == 12
        && found.heads == 12 && found.kvHeads == 12)
    #expect(found.modelType == "gpt2" && found.ffnWidth == 3072 && found.normEpsilon == 1e-5 && found.headDim == 64)
    #expect(found.attention == Array(repeating: AttentionSettings(scale: 1 / 8), count: 12))
    #expect(found.tiesEmbeddings && found.eosTokenIDs == [50256] && found.activation == .geluTanh)
    #expect(found.ropes.isEmpty && found.queryKeyNorm == .none)
  }

  @Test func readsMembers() throws {
    let found = try readShape(
      gpt2(
        #""vocab_size":7,"n_positions":9,"n_embd":6,"n_layer":2,"n_head":3,"n_inner":5,"layer_norm_epsilon":1e-6,"#
          + #""scale_attn_weights":false,"scale_attn_by_inverse_layer_idx":true,"tie_word_embeddings":false,"#
          + #""eos_token_id":4,"activation_function":"gelu_pytorch_tanh","add_cross_attention":false,"#
          + #""task_specific_params":{"text-generation":{"max_length":50}},"summary_type":null"#))
    #expect(
      found.vocabularySize == 7 && found.contextLength == 9 && found.width == 6 && found.layers == 2
        && found.heads == 3)
    #expect(found.ffnWidth == 5 && found.normEpsilon == 1e-6 && found.headDim == 2 && found.eosTokenIDs == [4])
    #expect(found.attention.map(\.scale) == [1, 1 / 2] && !found.tiesEmbeddings)
    #expect(found.activation == .geluTanh)
  }

  @Test func scalesAttentionAsConfigured() throws {
    func scales(_ members: String) throws -> [Float] {
      try readShape(gpt2(#""n_embd":32,"n_head":2,"n_layer":3,"# + members)).attention.map(\.scale)
    }
    #expect(try scales(#""n_ctx":9"#) == [1 / 4, 1 / 4, 1 / 4])
    #expect(try scales(#""scale_attn_weights":false"#) == [1, 1, 1])
    #expect(try scales(#""scale_attn_by_inverse_layer_idx":true"#) == [1 / 4, 1 / 8, 1 / 12])
  }

  /// The width of a head of GPT-2 is the width of the model divided by the number of heads, whatever other members
  /// there are.
  @Test func ignoresHeadDim() throws {
    let found = try readShape(gpt2(#""n_embd":32,"n_head":2,"head_dim":64,"num_key_value_heads":1"#))
    #expect(found.headDim == 16 && found.kvHeads == 2)
  }

  @Test func acceptsStandardNames() throws {
    let found = try readShape(
      gpt2(
        #""max_position_embeddings":9,"hidden_size":6,"num_hidden_layers":2,"num_attention_heads":3,"#
          + #""n_inner":5"#))
    #expect(found.contextLength == 9 && found.width == 6 && found.layers == 2 && found.heads == 3)
    #expect(found.ffnWidth == 5)
  }

  @Test func acceptsPythonConstantsInUnusedMembers() throws {
    let found = try readShape(
      gpt2(#""n_embd":24,"a":NaN,"b":[1,-Infinity,{"c":Infinity}],"d":{"e":[NaN,NaN],"f":-Infinity},"n_head":2"#))
    #expect(found.width == 24 && found.heads == 2)
    #expect(
      try errorMessage(gpt2(#""n_embd":NaN"#))
        == #"config.json: byte 31: expected a number, found "N" (in "n_embd")"#)
    #expect(
      try errorMessage(gpt2(#""layer_norm_epsilon":-Infinity"#))
        == #"config.json: byte 44: expected a digit, found "I" (in "layer_norm_epsilon")"#)
    for wrong in ["Nan", "nan", "-NaN", "Inf", "infinity", "+Infinity", "NaNN", "- Infinity", "[NaN Infinity]"] {
      #expect(try errorMessage(gpt2(#""a":\#(wrong)"#)) != nil, "\(wrong)")
    }
  }

  @Test func treatsNullAsAbsent() throws {
    let found = try readShape(
      gpt2(#""n_embd":24,"n_inner":null,"eos_token_id":null,"layer_norm_epsilon":null"#))
    #expect(found.ffnWidth == 96 && found.normEpsilon == 1e-5)
  }

  @Test(arguments: [("7", [7]), ("[7]", [7]), ("[7,9]", [7, 9]), ("[]", []), ("null", [])])
  func readsNoneOneOrSeveralEOSTokens(_ value: String, _ tokens: [Int]) throws {
    #expect(try readShape(gpt2(#""eos_token_id":\#(value)"#)).eosTokenIDs == tokens)
  }

  @Test(arguments: [
    (#""n_embd":10,"n_head":3"#, "n_embd (10) is not a multiple of n_head (3)"),
    (#""hidden_size":10,"num_attention_heads":3"#, "hidden_size (10) is not a multiple of num_attention_heads (3)"),
    (#""n_embd":0"#, "n_embd is 0; must be from 1 to 1048576"),
    (#""n_head":0"#, "n_head is 0; must be from 1 to 1048576"),
    (#""n_layer":-1"#, "n_layer is -1; must be from 1 to 1024"),
    (#""vocab_size":0"#, "vocab_size is 0; must be from 1 to 1048576"),
    (#""n_positions":1048577"#, "n_positions is 1048577; must be from 1 to 1048576"),
    (#""n_embd":9223372036854775807"#, "n_embd is 9223372036854775807; must be from 1 to 1048576"),
    (#""n_embd":-9223372036854775808"#, "n_embd is -9223372036854775808; must be from 1 to 1048576"),
    (#""n_inner":0"#, "n_inner is 0; must be from 1 to 1048576"),
    (#""n_inner":4611686018427387904"#, "n_inner is 4611686018427387904; must be from 1 to 1048576"),
    (#""add_cross_attention":true"#, "add_cross_attention is not implemented"),
    (
      #""layer_norm_epsilon":0"#,
      "layer_norm_epsilon is 0.0; must be positive and finite as a float32"
    ),
    (
      #""layer_norm_epsilon":1e99"#,
      "layer_norm_epsilon is 1e+99; must be positive and finite as a float32"
    ),
    (
      #""quantization_config":{"quant_method":"gptq","bits":4}"#,
      "quantization_config (gptq) is not implemented; use a quantized GGUF file instead"
    ),
  ])
  func rejectsUnsupportedFeatures(_ members: String, _ reason: String) throws {
    #expect(try errorMessage(gpt2(members)) == "config.json: \(reason)")
  }

  @Test(arguments: ["prelu", "Gelu_new", ""])
  func rejectsOtherActivations(_ name: String) throws {
    let message = try errorMessage(gpt2(#""activation_function":"\#(name)""#))
    #expect(message?.hasPrefix("config.json: activation_function \"\(name)\" is not implemented; ") == true)
  }

  @Test func rejectsOtherArchitecturesByName() throws {
    #expect(
      try errorMessage(#"{"model_type":"bert","activation_function":"silu"}"#)
        == #"config.json: model_type "bert" is not implemented; "#
        + "lm-info --list-families shows the families that are")
    #expect(try errorMessage("{}") == "config.json: model_type is missing")
  }

  @Test(arguments: [
    "", "[]", "{", "null", #"{"model_type":1}"#, #"{"model_type":"gpt2"} x"#, #"{"model_type":"gpt2","n_embd":"768"}"#,
    #"{"model_type":"gpt2","n_embd":768.5}"#, #"{"model_type":"gpt2","n_layer":99999999999999999999}"#,
    #"{"model_type":"gpt2","eos_token_id":["x"]}"#, #"{"model_type":"gpt2","tie_word_embeddings":1}"#,
  ])
  func reportsPositionOfInvalidJSON(_ json: String) throws {
    #expect(try errorMessage(json)?.hasPrefix("config.json: byte ") == true)
  }
}
