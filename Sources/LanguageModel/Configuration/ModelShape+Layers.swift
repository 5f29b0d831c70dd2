import Checkpoint

// Settings that several families have under the same names.

extension ModelShape {
  /// Sets RMS norms, and reads their epsilon: `rms_norm_eps`.
  mutating func readRMSNorm(_ c: ConfigurationReader, default value: Double = 1e-6) throws(CheckpointError) {
    norm = .rmsNorm
    normEpsilon = Float(try c.positive("rms_norm_eps", gguf: "attention.layer_norm_rms_epsilon", default: value))
  }

  /// Sets layer norms, and reads their epsilon; the default is 1e-5 in all families.
  mutating func readLayerNorm(_ c: ConfigurationReader, _ name: String = "layer_norm_eps") throws(CheckpointError) {
    norm = .layerNorm
    normEpsilon = Float(try c.positive(name, gguf: "attention.layer_norm_epsilon", default: 1e-5))
  }

  /// Sets a gated feed-forward layer (Shazeer, "GLU Variants Improve Transformer", 2020), and reads its activation:
  /// `hidden_act`, by default SiLU.
  mutating func readGatedActivation(_ c: ConfigurationReader) throws(CheckpointError) {
    isGated = true
    activation = try c.activation("hidden_act", default: "silu", gguf: .silu)
  }

  /// Reads whether the linear layers of attention have biases: `attention_bias`, by default false.
  mutating func readAttentionBias(_ c: ConfigurationReader) throws(CheckpointError) {
    if try c.has("attention_bias", default: false, tensor: "attn_q.bias") {
      biases.formUnion([.queryKeyValue, .attentionOutput])
    }
  }

  /// Reads whether the linear layers of the feed-forward layer have biases: `mlp_bias`, by default false.
  mutating func readFeedForwardBias(_ c: ConfigurationReader) throws(CheckpointError) {
    if try c.has("mlp_bias", default: false, tensor: "ffn_up.bias") { biases.insert(.feedForward) }
  }
}
