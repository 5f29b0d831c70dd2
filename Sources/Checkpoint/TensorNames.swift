/// What the tensors of an architecture are called. The model asks for them by the names that transformers gives them in
/// safetensors, without their prefix; GGUF files have names of ggml's making for the same.
struct TensorNames {
  /// What names in safetensors may begin with: `transformer.wte.weight` is the same as `wte.weight`.
  let prefix: String
  /// What the names of a layer's tensors begin with, before its number.
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

  /// `layers.3.mlp.up_proj.weight` as `blk.3.ffn_up.weight`. A name that is not in the table stays as it is.
  func inGGUF(_ name: String) -> String {
    var parts = name.split(separator: ".")[...]
    guard let last = parts.popLast() else { return name }  // weight or bias
    var block = ""
    if parts.first.map(String.init) == layer {
      block = "blk.\(parts.dropFirst().first ?? "")."
      parts = parts.dropFirst(2)
    }
    return ggml[parts.joined(separator: ".")].map { "\(block)\($0).\(last)" } ?? name
  }

  /// A name of safetensors without its prefix.
  func withoutPrefix(_ name: String) -> String {
    name.utf8.starts(with: prefix.utf8) ? String(name.dropFirst(prefix.utf8.count)) : name
  }

  /// Which layer the tensor belongs to; nil where to none.
  func layer(of name: String) -> Int? {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), maxSplits: 2)
    guard parts.count == 3, parts[0].elementsEqual(layer.utf8) else { return nil }
    return Int(Substring(parts[1]))
  }
}
