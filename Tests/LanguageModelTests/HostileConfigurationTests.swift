import Checkpoint
import Foundation
import LanguageModel
import TestSupport
import Testing

/// A family of models in config.json.
private struct Family: Sendable, CustomStringConvertible {
  let type: String
  /// The members with sizes.
  let sizes: [String]
  /// The member with the number of layers.
  var layers = "num_hidden_layers"
  /// The member with the epsilon of the norms; nil for a constant.
  let epsilon: String?
  /// The member with the base of RoPE; nil for a constant, or for no RoPE.
  var base: String? = "rope_theta"
  var hasRoPE = true

  var description: String { type }

  private static let common = ["vocab_size", "max_position_embeddings", "hidden_size", "num_attention_heads"]
  private static let standard = common + ["intermediate_size"]
  private static let grouped = standard + ["num_key_value_heads", "head_dim"]
  private static let gpt2 = ["vocab_size", "n_positions", "n_embd", "n_head", "n_inner"]
  private static let (rms, layerNorm) = ("rms_norm_eps", "layer_norm_eps")

  static let all: [Family] = [
    Family(
      type: "gpt2", sizes: gpt2, layers: "n_layer", epsilon: "layer_norm_epsilon", base: nil, hasRoPE: false),
    Family(type: "opt", sizes: common + ["ffn_dim"], epsilon: nil, base: nil, hasRoPE: false),
    Family(
      type: "gpt_neo",
      sizes: ["vocab_size", "max_position_embeddings", "hidden_size", "num_heads", "intermediate_size", "window_size"],
      layers: "num_layers", epsilon: "layer_norm_epsilon", base: nil, hasRoPE: false),
    Family(type: "gpt_neox", sizes: standard, epsilon: layerNorm, base: "rotary_emb_base"),
    Family(
      type: "gptj", sizes: gpt2 + ["rotary_dim"], layers: "n_layer", epsilon: "layer_norm_epsilon"),
    Family(
      type: "bloom", sizes: ["vocab_size", "seq_length", "hidden_size", "n_head"], layers: "n_layer",
      epsilon: "layer_norm_epsilon", base: nil, hasRoPE: false),
    Family(type: "falcon", sizes: common + ["ffn_hidden_size"], epsilon: "layer_norm_epsilon"),
    Family(type: "phi", sizes: grouped, epsilon: layerNorm),
    Family(type: "starcoder2", sizes: grouped + ["sliding_window"], epsilon: "norm_epsilon"),
    Family(type: "llama", sizes: grouped, epsilon: rms),
    Family(type: "mistral", sizes: grouped + ["sliding_window"], epsilon: rms),
    Family(type: "qwen2", sizes: grouped, epsilon: rms),
    Family(type: "qwen3", sizes: grouped, epsilon: rms),
    Family(type: "granite", sizes: grouped, epsilon: rms),
    Family(type: "smollm3", sizes: grouped + ["no_rope_layer_interval"], epsilon: rms),
    Family(type: "phi3", sizes: grouped + ["sliding_window"], epsilon: rms),
    Family(type: "gemma", sizes: grouped, epsilon: rms),
    Family(type: "gemma2", sizes: grouped + ["sliding_window"], epsilon: rms),
    Family(
      type: "gemma3_text", sizes: grouped + ["sliding_window", "sliding_window_pattern"], epsilon: rms),
    Family(type: "olmo", sizes: grouped, epsilon: nil),
    Family(type: "olmo2", sizes: grouped, epsilon: rms),
    Family(type: "olmo3", sizes: grouped + ["sliding_window"], epsilon: rms),
    Family(type: "stablelm", sizes: standard + ["num_key_value_heads"], epsilon: layerNorm),
    Family(type: "cohere", sizes: grouped, epsilon: layerNorm),
    Family(
      type: "cohere2", sizes: grouped + ["sliding_window", "sliding_window_pattern"], epsilon: layerNorm),
  ]
}

/// Returns the processor time that this thread has used. Elapsed time depends on the other tests.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Configurations that no model has: an error that names the member, and not a trap.
@Suite struct HostileConfigurationTests {
  private func message(_ type: String, _ members: String) throws -> String? {
    try errorMessage(#"{"model_type":"\#(type)",\#(members)}"#)
  }

  /// Expects an error that names a member, or a part of the message.
  private func expectError(_ type: String, _ members: String, naming name: String) throws {
    let message = try message(type, members)
    #expect(message?.hasPrefix("config.json: ") == true && message?.contains(name) == true, "\(message ?? "accepted")")
  }

  // MARK: sizes

  @Test(arguments: Family.all)
  private func rejectsSizesOutOfRange(_ family: Family) throws {
    for (names, limit) in [(family.sizes, 1 << 20), ([family.layers], 1 << 10)] {
      for name in names {
        for size in [0, -1, limit + 1, 1 << 62, .min, .max] {
          let expected = "config.json: \(name) is \(size); must be from 1 to \(limit)"
          #expect(try message(family.type, "\"\(name)\":\(size)") == expected)
        }
        for value in ["1.5", "1e-3", "1e30", "9.3e18", "\"8\"", "[8]", "true", "9223372036854775808", "NaN"] {
          try expectError(family.type, "\"\(name)\":\(value)", naming: "(in \"\(name)\")")
        }
      }
    }
  }

  /// Members with sizes that are read only together with others.
  @Test(arguments: [
    ("falcon", #""new_decoder_architecture":true,"#, "num_kv_heads"),
    ("qwen2", #""use_sliding_window":true,"#, "sliding_window"),
    ("qwen3", #""use_sliding_window":true,"#, "sliding_window"),
    ("smollm3", #""use_sliding_window":true,"#, "sliding_window"),
  ])
  func rejectsOptionalSizesOutOfRange(_ type: String, _ others: String, _ name: String) throws {
    for size in [0, -1, 1 << 20 + 1, 1 << 62] {
      try expectError(type, others + "\"\(name)\":\(size)", naming: "\(name) is \(size); must be from 1 to 1048576")
    }
  }

  /// The greatest sizes are accepted. Nothing is allocated for them before the weights are opened.
  @Test(arguments: Family.all)
  private func acceptsGreatestSizes(_ family: Family) throws {
    let names = family.sizes.filter { !$0.contains("head") && $0 != "rotary_dim" }
    let sizes = names.map { "\"\($0)\":1048576" }.joined(separator: ",")
    let heads = family.sizes.filter { $0.hasSuffix("heads") || $0 == "n_head" }.map { "\"\($0)\":8192" }
    let others = [#""\#(family.layers)":1024"#, #""head_dim":128"#, #""attention_types":[[["local"],1024]]"#]
    let start = processorSeconds()
    let shape = try readShape(
      #"{"model_type":"\#(family.type)",\#(([sizes] + heads + others).joined(separator: ","))}"#)
    #expect(shape.layers == 1024 && shape.width == 1 << 20 && shape.attention.count == 1024)
    #expect(shape.heads * shape.headDim == 1 << 20)
    #expect(processorSeconds() - start < 1)  // milliseconds in a release build
  }

  @Test(arguments: [
    ("gpt2", #""n_embd":10,"n_head":4"#, "n_embd (10) is not a multiple of n_head (4)"),
    (
      "opt", #""hidden_size":10,"num_attention_heads":4"#,
      "hidden_size (10) is not a multiple of num_attention_heads (4)"
    ),
    ("gpt_neo", #""hidden_size":10,"num_heads":4"#, "hidden_size (10) is not a multiple of num_heads (4)"),
    ("gptj", #""n_embd":10,"n_head":4"#, "n_embd (10) is not a multiple of n_head (4)"),
    ("bloom", #""hidden_size":10,"n_head":4"#, "hidden_size (10) is not a multiple of n_head (4)"),
    ("bloom", #""n_embed":10,"n_head":4"#, "n_embed (10) is not a multiple of n_head (4)"),
    (
      "falcon", #""hidden_size":10,"num_attention_heads":4"#,
      "hidden_size (10) is not a multiple of num_attention_heads (4)"
    ),
    (
      "falcon", #""new_decoder_architecture":true,"num_attention_heads":4,"hidden_size":16,"num_kv_heads":3"#,
      "num_attention_heads (4) is not a multiple of num_kv_heads (3)"
    ),
    (
      "falcon", #""new_decoder_architecture":true,"parallel_attn":false"#,
      "new_decoder_architecture without parallel_attn is not implemented"
    ),
    (
      "stablelm", #""hidden_size":2560,"num_key_value_heads":5"#,
      "num_attention_heads (32) is not a multiple of num_key_value_heads (5)"
    ),
    (
      "cohere", #""num_key_value_heads":128"#, "num_attention_heads (64) is not a multiple of num_key_value_heads (128)"
    ),
    ("gemma", #""num_key_value_heads":3"#, "num_attention_heads (16) is not a multiple of num_key_value_heads (3)"),
    ("olmo2", #""head_dim":1048576"#, "the total width of the heads is 33554432; must be from 1 to 1048576"),
    ("opt", #""word_embed_proj_dim":512"#, "word_embed_proj_dim 512 is not implemented; only hidden_size, 768, is"),
  ])
  func rejectsInconsistentSizes(_ type: String, _ members: String, _ reason: String) throws {
    #expect(try message(type, members) == "config.json: \(reason)")
  }

  /// Families whose head dimension is not a setting ignore it, as transformers does.
  @Test(arguments: ["gpt2", "opt", "gpt_neo", "gpt_neox", "gptj", "bloom", "falcon", "stablelm"])
  func ignoresHeadDim(_ type: String) throws {
    let shape = try readShape(#"{"model_type":"\#(type)","head_dim":6}"#)
    #expect(shape.heads * shape.headDim == shape.width)
  }

  // MARK: factors

  private static let notPositive = [
    "0", "-1", "-0.0", "1e39", "1e-46", "NaN", "Infinity", "-Infinity", "1e999", "\"1\"",
  ]

  @Test(arguments: Family.all)
  private func rejectsInvalidEpsilonsAndBases(_ family: Family) throws {
    for name in [family.epsilon, family.base].compactMap(\.self) {
      for value in Self.notPositive { try expectError(family.type, "\"\(name)\":\(value)", naming: name) }
    }
  }

  @Test(arguments: [
    ("granite", "embedding_multiplier"), ("granite", "residual_multiplier"), ("granite", "attention_multiplier"),
    ("granite", "logits_scaling"), ("cohere", "logit_scale"), ("cohere2", "logit_scale"),
    ("gemma2", "query_pre_attn_scalar"), ("gemma3_text", "query_pre_attn_scalar"),
    ("gemma2", "attn_logit_softcapping"), ("gemma2", "final_logit_softcapping"),
    ("gemma3_text", "final_logit_softcapping"), ("gemma3_text", "rope_local_base_freq"), ("olmo", "clip_qkv"),
    ("gpt_neox", "rotary_pct"), ("phi", "partial_rotary_factor"), ("stablelm", "partial_rotary_factor"),
    ("phi3", "partial_rotary_factor"),
  ])
  func rejectsInvalidFactors(_ type: String, _ name: String) throws {
    for value in Self.notPositive { try expectError(type, "\"\(name)\":\(value)", naming: name) }
  }

  /// The reciprocal of this factor is not finite.
  @Test func rejectsTinyDivisorOfLogits() throws {
    #expect(
      try message("granite", #""logits_scaling":1e-40"#)
        == "config.json: logits_scaling is 1e-40; its reciprocal must be finite as a float32")
    let shape = try readShape(#"{"model_type":"granite","logits_scaling":3e38,"attention_multiplier":1e-45}"#)
    #expect(shape.logitScale > 0 && shape.attention[0].scale > 0)
  }

  /// Scales at the ends of the range are positive and finite.
  @Test func acceptsExtremeScales() throws {
    for scalar in ["1e-45", "3e38"] {
      let shape = try readShape(#"{"model_type":"gemma2","query_pre_attn_scalar":\#(scalar)}"#)
      #expect(shape.attention.allSatisfy { $0.scale > 0 && $0.scale.isFinite })
    }
    let shape = try readShape(#"{"model_type":"gpt2","n_layer":1024,"scale_attn_by_inverse_layer_idx":true}"#)
    #expect(shape.attention.allSatisfy { $0.scale > 0 })
  }

  /// A member with an empty name is not a setting.
  @Test(arguments: Family.all)
  private func ignoresEmptyNames(_ family: Family) throws {
    let plain = try readShape(#"{"model_type":"\#(family.type)"}"#)
    let shape = try readShape(#"{"model_type":"\#(family.type)","":-7.5,"":1}"#)
    #expect(shape.attention == plain.attention && shape.width == plain.width)
  }

  // MARK: RoPE

  @Test(arguments: Family.all.filter(\.hasRoPE))
  private func rejectsInvalidFactorsOfRoPE(_ family: Family) throws {
    let llama3 = #""rope_type":"llama3","low_freq_factor":1,"high_freq_factor":4"#
    for value in Self.notPositive + ["0.09"] {
      for kind in [#""rope_type":"linear""#, #""type":"dynamic""#, llama3, #""rope_type":"yarn""#] {
        try expectError(family.type, #""rope_scaling":{\#(kind),"factor":\#(value)}"#, naming: "factor")
      }
      let lists = #""rope_type":"longrope","short_factor":[1],"long_factor":[\#(value)]"#
      try expectError(family.type, #""rope_scaling":{\#(lists)}"#, naming: "_factor")
    }
    let scalings = [
      (#""rope_type":"yarn","factor":2,"beta_fast":1,"beta_slow":2"#, "beta_fast (1.0) is less than beta_slow (2.0)"),
      (#""rope_type":"yarn","factor":2,"beta_slow":0"#, "beta_slow is 0.0"),
      (#""rope_type":"yarn","factor":2,"attention_factor":101"#, "attention_factor is 101.0; must be from 0.01 to"),
      (#""rope_type":"yarn","factor":2,"mscale":1e30,"mscale_all_dim":1"#, "attention_factor from mscale"),
      (#""rope_type":"llama3","factor":2,"low_freq_factor":4,"high_freq_factor":1"#, "low_freq_factor is not less"),
      (#""rope_type":"longrope","short_factor":[]"#, "short_factor has 0 elements"),
      (#""rope_type":"linear""#, "factor is missing"), (#""rope_type":"mrope""#, #"rope_type "mrope""#),
    ]
    for (scaling, reason) in scalings {
      try expectError(family.type, #""rope_scaling":{\#(scaling)}"#, naming: reason)
    }
  }

  @Test(arguments: [
    (
      "llama", #""hidden_size":28,"num_attention_heads":4,"num_key_value_heads":4"#,
      "the head dimension is 7; RoPE requires an even number"
    ),
    ("gpt_neox", #""hidden_size":8,"num_attention_heads":4"#, "rotary_pct 0.25 rotates 0 elements of a head"),
    (
      "gpt_neox",
      #""hidden_size":40,"num_attention_heads":4,"rotary_pct":0.35,"rope_scaling":{"type":"yarn","factor":2}"#,
      "rotates 3 elements of a head; must be an even"
    ),
    ("gpt_neox", #""rotary_pct":1.5"#, "rotary_pct is 1.5; must be at most 1"),
    ("phi", #""hidden_size":48,"num_attention_heads":8"#, "partial_rotary_factor 0.5 rotates 3 elements of a head"),
    (
      "stablelm", #""hidden_size":24,"num_attention_heads":8,"num_key_value_heads":8"#,
      "partial_rotary_factor 0.25 rotates 0"
    ),
    ("gptj", #""n_embd":64,"n_head":4,"rotary_dim":7"#, "rotary_dim is 7; must be an even number from 2 to 16"),
    ("gptj", #""n_embd":64,"n_head":4,"rotary_dim":18"#, "rotary_dim is 18; must be an even number from 2 to 16"),
    ("gptj", #""n_embd":64,"n_head":4,"rotary_dim":null"#, "rotary_dim null is not implemented"),
    ("falcon", #""num_ln_in_parallel_attn":2"#, "num_ln_in_parallel_attn is 2; must be 1, or 2 if new_decoder"),
    (
      "falcon", #""new_decoder_architecture":true,"num_ln_in_parallel_attn":3"#,
      "num_ln_in_parallel_attn is 3; must be 1, or 2 if new_decoder"
    ),
    ("gptj", #""n_embd":64,"n_head":4"#, "rotary_dim is 64; must be an even number from 2 to 16"),
    ("cohere2", #""head_dim":9"#, "the head dimension is 9; RoPE requires an even number"),
    ("gemma3_text", #""head_dim":9"#, "the head dimension is 9; RoPE requires an even number"),
    ("smollm3", #""head_dim":1"#, "the head dimension is 1; RoPE requires an even number"),
    (
      "gemma3_text", #""rope_parameters":{"rope_type":"linear","factor":2}"#,
      "rope_parameters has no parameters for each type"
    ),
    (
      "gemma3_text", #""rope_parameters":{"full_attention":{"rope_type":"linear","factor":0},"sliding_attention":{}}"#,
      "factor is 0.0"
    ),
    ("olmo3", #""rope_parameters":{"sliding_attention":{"rope_theta":-1}}"#, "rope_theta is -1.0; must be positive"),
  ])
  func rejectsInvalidRotations(_ type: String, _ members: String, _ reason: String) throws {
    try expectError(type, members, naming: reason)
  }

  // MARK: layers

  @Test(arguments: ["qwen2", "qwen3", "gemma2", "gemma3_text", "cohere2", "olmo3", "phi3", "starcoder2"])
  func rejectsInvalidListsOfWindows(_ type: String) throws {
    let common = #""num_hidden_layers":3,"sliding_window":4,"use_sliding_window":true,"layer_types":"#
    let name = "layer_types"
    try expectError(type, common + "[]", naming: "\(name) has 0 elements, but the model has 3 layers")
    try expectError(type, common + #"["full_attention"]"#, naming: "\(name) has 1 elements, but the model has 3 layers")
    try expectError(
      type, common + #"["chunked_attention"]"#, naming: "\(name) \"chunked_attention\" is not implemented")
    try expectError(type, common + "[null]", naming: "(in \"\(name)\")")
    try expectError(type, common + #""full_attention""#, naming: "(in \"\(name)\")")
    let long = Array(repeating: #""sliding_attention""#, count: 2000).joined(separator: ",")
    let shape = try readShape(#"{"model_type":"\#(type)",\#(common)[\#(long)]}"#)
    #expect(shape.attention.map(\.window) == [4, 4, 4])
  }

  @Test(arguments: [
    (#""no_rope_layers":[1,0]"#, "no_rope_layers has 2 elements, but the model has 36 layers"),
    (#""no_rope_layers":[]"#, "no_rope_layers has 0 elements, but the model has 36 layers"),
    (#""no_rope_layers":[true]"#, #"(in "no_rope_layers")"#),
    (#""no_rope_layers":{}"#, #"(in "no_rope_layers")"#),
  ])
  func rejectsInvalidListsOfRoPE(_ members: String, _ reason: String) throws {
    try expectError("smollm3", members, naming: reason)
  }

  @Test(arguments: [
    (#"[]"#, "attention_types describes 0 layers, but the model has 24 layers"),
    (#"[[["global"],23]]"#, "attention_types describes 23 layers, but the model has 24 layers"),
    (#"[[["global"],25]]"#, "attention_types describes 25 layers, but the model has 24 layers"),
    (#"[[["global"],-1]]"#, "attention_types repeats a list -1 times; must be from 0 to 1024"),
    (#"[[["global"],4611686018427387904]]"#, "attention_types repeats a list 4611686018427387904 times"),
    (#"[[["mamba"],24]]"#, #"attention_types "mamba" is not implemented; global and local are"#),
    (#"[[["global",["local"]],24]]"#, #"(in "attention_types")"#), (#"[["global",24]]"#, #"(in "attention_types")"#),
    (#""global""#, #"(in "attention_types")"#), (#"[[["global"],1.5]]"#, #"(in "attention_types")"#),
  ])
  func rejectsInvalidAttentionTypes(_ value: String, _ reason: String) throws {
    try expectError("gpt_neo", #""attention_types":\#(value)"#, naming: reason)
  }

  /// Lists as long as the file may be take time in proportion to their length.
  @Test(arguments: [
    ("gpt_neo", "attention_types", "[[],1024],", "describes 0 layers"),
    ("gpt_neo", "attention_types", #"[["local"],1024],"#, "describes 25 layers"),
    ("olmo3", "layer_types", "\"\",", "is not implemented"), ("smollm3", "no_rope_layers", "\"\",", "(in "),
    ("llama", "eos_token_id", "-1,", ""),
  ])
  func limitsTimeForLists(_ type: String, _ name: String, _ element: String, _ reason: String) throws {
    let elements = String(repeating: element, count: (1 << 22) / element.utf8.count - 20).dropLast()
    let start = processorSeconds()
    let message = try message(type, "\"\(name)\":[\(elements)]")
    #expect(reason.isEmpty ? message == nil : message?.contains(reason) == true)
    #expect(processorSeconds() - start < 5)  // 0.1 seconds in a release build
  }
}

/// Metadata of GGUF files that no model has.
@Suite struct HostileMetadataTests {
  /// The architectures, and whether they have RoPE.
  private static let architectures = [
    "gpt2", "gptneox", "bloom", "falcon", "phi2", "starcoder2", "llama", "qwen2", "qwen3", "granite", "smollm3", "phi3",
    "gemma", "gemma2", "gemma3", "olmo", "olmo2", "stablelm", "command-r", "cohere2",
  ]
  private static let withoutRoPE = ["gpt2", "bloom"]

  /// Returns a file of an architecture without tensors: four heads of the dimension 8, two layers.
  private func file(_ architecture: String) -> GGUFBuilder {
    var file = GGUFBuilder()
    file["general.architecture"] = .string(architecture)
    let sizes: [(String, UInt32)] = [
      ("context_length", 64), ("embedding_length", 32), ("block_count", 2), ("feed_forward_length", 48),
      ("attention.head_count", 4), ("attention.head_count_kv", 2), ("vocab_size", 8),
    ]
    for (key, size) in sizes { file["\(architecture).\(key)"] = .uint32(size) }
    for key in ["layer_norm_epsilon", "layer_norm_rms_epsilon"] {
      file["\(architecture).attention.\(key)"] = .float32(1e-5)
    }
    return file
  }

  /// Returns the error message for a file with other values, or nil if they are accepted.
  private func message(
    _ architecture: String, _ values: KeyValuePairs<String, GGUFBuilder.Value>
  ) throws -> String? {
    let folder = try Folder()
    let file = file(architecture).with {
      for (key, value) in values { $0[key.contains("tokenizer") ? key : "\(architecture).\(key)"] = value }
    }
    do {
      _ = try folder.files(file.data).shape()
      return nil
    } catch let error as CheckpointError { return folder.message(error) }
  }

  private func expectError(
    _ architecture: String, _ key: String, _ value: GGUFBuilder.Value, _ reason: String = ""
  ) throws {
    let message = try message(architecture, [key: value])
    #expect(message?.hasPrefix("model.gguf: \(architecture).\(key) \(reason)") == true, "\(message ?? "accepted")")
  }

  @Test(arguments: architectures)
  func rejectsSizesOutOfRange(_ architecture: String) throws {
    #expect(try message(architecture, [:]) == nil)
    var keys = ["context_length", "embedding_length", "block_count", "attention.head_count", "vocab_size"]
    if architecture != "bloom" { keys.append("feed_forward_length") }
    if !Self.withoutRoPE.contains(architecture), architecture != "gptneox" { keys.append("attention.head_count_kv") }
    for key in keys {
      let limit = key == "block_count" ? 1 << 10 : 1 << 20
      try expectError(architecture, key, .uint32(0), "is 0; must be from 1 to \(limit)")
      try expectError(architecture, key, .int32(-1), "is -1; must be from 1 to \(limit)")
      try expectError(architecture, key, .uint32(UInt32(limit) + 1), "is \(limit + 1); must be from 1 to \(limit)")
      try expectError(architecture, key, .uint64(1 << 62), "is \(1 << 62); must be from 1 to \(limit)")
      try expectError(architecture, key, .uint64(.max), "is not an integer")
      try expectError(architecture, key, .float32(8), "is not an integer")
      try expectError(architecture, key, .string("8"), "is not an integer")
    }
    try expectError(architecture, "attention.head_count", .uint32s([]), "is not an integer")
    try expectError(architecture, "attention.head_count", .uint32s([4, 2]), "differs from layer to layer")
  }

  @Test(arguments: architectures)
  func rejectsInconsistentSizes(_ architecture: String) throws {
    try expectError(architecture, "embedding_length", .uint32(30), "(30) is not a multiple of ")
    try expectError(architecture, "attention.value_length", .uint32(6), "6 is not implemented")
    #expect(
      try message(architecture, ["expert_count": .uint32(4)])
        == "model.gguf: a mixture of experts (\(architecture).expert_count) is not implemented")
    if !["gpt2", "bloom", "gptneox"].contains(architecture) {
      #expect(
        try message(architecture, ["attention.head_count_kv": .uint32(3)])
          == "model.gguf: \(architecture).attention.head_count (4) is not a multiple of "
          + "\(architecture).attention.head_count_kv (3)")
    }
    guard !Self.withoutRoPE.contains(architecture) else { return }
    // GPT-NeoX and Phi-3 rotate one element more than an odd number.
    for size: UInt32 in ["gptneox", "phi3"].contains(architecture) ? [10] : [3, 10] {
      try expectError(
        architecture, "rope.dimension_count", .uint32(size), "is \(size); must be an even number from 2 to 8")
    }
    try expectError(architecture, "rope.dimension_count", .uint32(0), "is 0; must be from 1 to")
  }

  private static let notPositive: [GGUFBuilder.Value] = [
    .float32(-1), .float32(.nan), .float32(.infinity), .float64(1e39), .float64(-.infinity), .int32(1), .string("1"),
  ]

  @Test(arguments: architectures)
  func rejectsInvalidFactors(_ architecture: String) throws {
    var keys: [String] = ["attention.scale"]
    if architecture != "olmo" { keys.append("attention.layer_norm_epsilon") }
    if ["llama", "qwen2", "qwen3", "granite", "smollm3", "phi3", "olmo2"].contains(architecture)
      || architecture.hasPrefix("gemma")
    {
      keys[1] = "attention.layer_norm_rms_epsilon"
    }
    if !Self.withoutRoPE.contains(architecture) {
      keys += ["rope.freq_base", "rope.scaling.factor", "rope.scaling.attn_factor"]
    }
    switch architecture {
    case "granite": keys += ["embedding_scale", "residual_scale", "logit_scale"]
    case "command-r", "cohere2": keys.append("logit_scale")
    case "gemma2": keys += ["attn_logit_softcapping", "final_logit_softcapping"]
    case "gemma3": keys.append("final_logit_softcapping")
    case "olmo": keys.append("attention.clamp_kqv")
    default: break
    }
    for key in keys {
      for value in Self.notPositive { try expectError(architecture, key, value, "is ") }
      // 0 means absent for these.
      let isOptional =
        ["attention.scale", "rope.scaling.factor", "attention.clamp_kqv"].contains(key) || key.hasSuffix("softcapping")
      if isOptional {
        #expect(try message(architecture, [key: .float32(0)]) == nil)
      } else {
        try expectError(architecture, key, .float32(0), "is ")
      }
    }
  }

  @Test(arguments: ["starcoder2", "phi3", "gemma2", "gemma3", "olmo2", "cohere2"])
  func rejectsInvalidWindows(_ architecture: String) throws {
    let key = "attention.sliding_window"
    for size in [-1, 1 << 20 + 1, Int(Int32.min)] {
      try expectError(architecture, key, .int32(Int32(size)), "is \(size); must be from 1 to 1048576")
    }
    #expect(try message(architecture, [key: .uint32(0)]) == nil)
    let pattern = "attention.sliding_window_pattern"
    let short = GGUFBuilder.Value.raw(9, GGUFBuilder.array(7, 1).dropFirst(4) + Data([1]))
    let both: KeyValuePairs = [key: GGUFBuilder.Value.uint32(4), pattern: short]
    #expect(
      try message(architecture, both)
        == "model.gguf: \(architecture).\(pattern) has 1 elements, but the model has 2 layers")
  }

  /// A list of the layers with windows takes precedence over the period.
  @Test(arguments: ["gemma3", "cohere2"])
  func readsListsOfWindows(_ architecture: String) throws {
    let folder = try Folder()
    let file = file(architecture).with {
      $0["\(architecture).attention.sliding_window"] = .uint32(4)
      $0["\(architecture).attention.sliding_window_pattern"] = .raw(
        9, GGUFBuilder.array(7, 2).dropFirst(4) + Data([0, 1]))
    }
    #expect(try folder.files(file.data).shape().attention.map(\.window) == [nil, 4])
  }

  /// The scale of the largest Gemma models is that of the width divided by the number of heads.
  @Test func rejectsWidthBelowHeads() throws {
    for (architecture, layers) in [("gemma2", 46), ("gemma3", 62)] {
      let message = try message(
        architecture,
        [
          "block_count": .uint32(UInt32(layers)), "embedding_length": .uint32(2), "attention.key_length": .uint32(8),
          "attention.value_length": .uint32(8),
        ])
      let key = "model.gguf: \(architecture)"
      #expect(message == "\(key).embedding_length (2) is less than \(architecture).attention.head_count (4)")
    }
  }
}
