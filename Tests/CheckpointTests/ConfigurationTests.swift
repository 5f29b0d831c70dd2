import Checkpoint
import Foundation
import Platform
import Testing

@Suite struct ConfigurationTests {
  private func read(_ json: String) throws -> GPT2Configuration {
    let folder = try Folder()
    try folder.write("config.json", json)
    do {
      guard case .gpt2(let configuration) = try ModelConfiguration(ModelFiles(.find(Path(folder.path)))) else {
        throw ReadingError(text: "not GPT-2")
      }
      return configuration
    } catch let error as CheckpointError {
      throw ReadingError(text: "\(error)".replacingOccurrences(of: folder.path + "/", with: ""))
    }
  }

  private struct ReadingError: Error { let text: String }

  private func errorMessage(_ json: String) -> String? {
    do {
      _ = try read(json)
      return nil
    } catch { return (error as? ReadingError)?.text }
  }

  /// Returns the configuration of a GPT-2 model with these members.
  private func gpt2(_ members: String) -> String { #"{"model_type":"gpt2","# + members + "}" }

  @Test func missingMembersHaveDefaultsOfGPT2() throws {
    let found = try read(#"{"model_type":"gpt2"}"#)
    #expect(
      found.vocabularySize == 50257 && found.contextLength == 1024 && found.width == 768 && found.layers == 12
        && found.heads == 12)
    #expect(found.ffnWidth == 3072 && found.layerNormEpsilon == 1e-5 && found.headDim == 64)
    #expect(
      found.scalesAttention && !found.scalesAttentionByLayer && found.tiesEmbeddings && found.eosTokenIDs == [50256]
    )
  }

  @Test func readsMembers() throws {
    let found = try read(
      gpt2(
        #""vocab_size":7,"n_positions":9,"n_embd":6,"n_layer":2,"n_head":3,"n_inner":5,"layer_norm_epsilon":1e-6,"scale_attn_weights":false,"#
          + #""scale_attn_by_inverse_layer_idx":true,"tie_word_embeddings":false,"eos_token_id":4,"activation_function":"gelu_pytorch_tanh","#
          + #""add_cross_attention":false,"task_specific_params":{"text-generation":{"max_length":50}},"summary_type":null"#
      ))
    #expect(
      found.vocabularySize == 7 && found.contextLength == 9 && found.width == 6 && found.layers == 2
        && found.heads == 3)
    #expect(
      found.ffnWidth == 5 && found.layerNormEpsilon == 1e-6 && found.headDim == 2 && found.eosTokenIDs == [4])
    #expect(!found.scalesAttention && found.scalesAttentionByLayer && !found.tiesEmbeddings)
  }

  @Test func acceptsPythonConstantsInUnusedMembers() throws {
    let found = try read(
      gpt2(#""n_embd":24,"a":NaN,"b":[1,-Infinity,{"c":Infinity}],"d":{"e":[NaN,NaN],"f":-Infinity},"n_head":2"#))
    #expect(found.width == 24 && found.heads == 2)
    #expect(
      errorMessage(gpt2(#""n_embd":NaN"#))
        == #"config.json: byte 31: expected a number, found "N" (in "n_embd")"#)
    #expect(
      errorMessage(gpt2(#""layer_norm_epsilon":-Infinity"#))
        == #"config.json: byte 44: expected a digit, found "I" (in "layer_norm_epsilon")"#)
    for wrong in ["Nan", "nan", "-NaN", "Inf", "infinity", "+Infinity", "NaNN", "- Infinity", "[NaN Infinity]"] {
      #expect(errorMessage(gpt2(#""a":\#(wrong)"#)) != nil, "\(wrong)")
    }
  }

  @Test func treatsNullAsAbsent() throws {
    #expect(try read(gpt2(#""n_embd":24,"n_inner":null,"eos_token_id":null,"layer_norm_epsilon":null"#)).ffnWidth == 96)
  }

  @Test(arguments: [("7", [7]), ("[7]", [7]), ("[7,9]", [7, 9]), ("[]", []), ("null", [])])
  func readsNoneOneOrSeveralEOSTokens(_ value: String, _ tokens: [Int]) throws {
    #expect(try read(gpt2(#""eos_token_id":\#(value)"#)).eosTokenIDs == tokens)
  }

  @Test(arguments: [
    (#""n_embd":10,"n_head":3"#, "n_embd (10) is not a multiple of n_head (3)"),
    (#""n_embd":0"#, "n_embd is 0; must be from 1 to 1048576"),
    (#""n_head":0"#, "n_head is 0; must be from 1 to 1048576"),
    (#""n_layer":-1"#, "n_layer is -1; must be from 1 to 1024"),
    (#""vocab_size":0"#, "vocab_size is 0; must be from 1 to 1048576"),
    (#""n_positions":1048577"#, "n_positions is 1048577; must be from 1 to 1048576"),
    (#""n_embd":9223372036854775807"#, "n_embd is 9223372036854775807; must be from 1 to 1048576"),
    (#""n_embd":-9223372036854775808"#, "n_embd is -9223372036854775808; must be from 1 to 1048576"),
    (#""n_inner":0"#, "n_inner is 0; must be from 1 to 1048576"),
    (#""n_inner":4611686018427387904"#, "n_inner is 4611686018427387904; must be from 1 to 1048576"),
    (#""activation_function":"relu""#, #"activation_function "relu" is not implemented; gelu_new is"#),
    (#""activation_function":"gelu""#, #"activation_function "gelu" is not implemented; gelu_new is"#),
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
  func rejectsUnsupportedFeatures(_ members: String, _ reason: String) {
    #expect(errorMessage(gpt2(members)) == "config.json: \(reason)")
  }

  @Test func rejectsOtherArchitecturesByName() {
    #expect(
      errorMessage(#"{"model_type":"bert","activation_function":"silu"}"#)
        == #"config.json: model_type "bert" is not implemented; gpt2, llama, mistral, qwen2 and qwen3 are"#)
    #expect(errorMessage("{}") == "config.json: model_type is missing")
  }

  @Test(arguments: [
    "", "[]", "{", "null", #"{"model_type":1}"#, #"{"model_type":"gpt2"} x"#, #"{"model_type":"gpt2","n_embd":"768"}"#,
    #"{"model_type":"gpt2","n_embd":768.5}"#, #"{"model_type":"gpt2","n_layer":99999999999999999999}"#,
    #"{"model_type":"gpt2","eos_token_id":["x"]}"#, #"{"model_type":"gpt2","tie_word_embeddings":1}"#,
  ])
  func reportsPositionOfInvalidJSON(_ json: String) {
    #expect(errorMessage(json)?.hasPrefix("config.json: byte ") == true)
  }
}
