/// The names of an architecture's tensors. The model refers to tensors by their transformers names (as in
/// safetensors), without the prefix; this table maps them to the ggml names in GGUF files.
struct TensorNames {
  /// The optional prefix of names in safetensors: `transformer.wte.weight` is the same tensor as `wte.weight`.
  let prefix: String
  /// The first component of the names of a layer's tensors; the layer's number follows it.
  let layer: String
  private let ggml: [String: String]

  init(_ configuration: ModelConfiguration) {
    switch configuration {
    case .gpt2:
      (prefix, layer) = ("transformer.", "h")
      ggml = [
        "wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm", "lm_head": "output", "ln_1": "attn_norm",
        "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up",
        "mlp.c_proj": "ffn_down",
      ]
    case .llama:
      (prefix, layer) = ("model.", "layers")
      ggml = [
        "embed_tokens": "token_embd", "norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
        "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
      ]
    }
  }

  /// Returns the GGUF name of a tensor: `blk.3.ffn_up.weight` for `layers.3.mlp.up_proj.weight`. A name that is not in
  /// the table is returned unchanged.
  func inGGUF(_ name: String) -> String {
    let (layer, part) = parts(of: name)
    guard let end = part.utf8.lastIndex(of: Self.dot), let found = ggml[String(part[..<end])] else { return name }
    return (layer.map { "blk." + $0 + "." } ?? "") + found + part[end...]  // .weight or .bias
  }

  /// Returns a safetensors name without the prefix.
  func withoutPrefix(_ name: String) -> String {
    name.utf8.starts(with: prefix.utf8) ? String(Substring(name.utf8.dropFirst(prefix.utf8.count))) : name
  }

  /// Returns the number of the layer to which a tensor belongs, or nil if it is not part of a layer.
  func layer(of name: String) -> Int? { parts(of: name).layer.flatMap { Int($0) } }

  /// Splits a name at the layer's number: `layers.3.mlp.up_proj.weight` is `mlp.up_proj.weight` in layer 3. Works on
  /// bytes, not characters, for speed: a model has hundreds of names, and each process reads all of them.
  private func parts(of name: String) -> (layer: Substring?, part: Substring) {
    let number = name.utf8.dropFirst(layer.utf8.count + 1)
    guard name.utf8.starts(with: layer.utf8), name.utf8.dropFirst(layer.utf8.count).first == Self.dot,
      let end = number.firstIndex(of: Self.dot)
    else { return (nil, name[...]) }
    return (Substring(number[..<end]), Substring(number[number.index(after: end)...]))
  }

  private static let dot = UInt8(ascii: ".")
}
