import Checkpoint
import Foundation
import TestSupport
import Testing

@testable import LanguageModel

/// RoPE parameters in the metadata of GGUF files.
@Suite struct RoPEMetadataTests {
  private typealias Values = KeyValuePairs<String, GGUFBuilder.Value>

  private func read(
    _ values: Values, _ factorTensors: RoPEConfiguration.FactorTensors = [], headDim: Int = 8,
    baseKey: String = "freq_base", isScaled: Bool = true
  ) throws -> RoPEConfiguration {
    let file = GGUFBuilder.llama("phi3").with { file in
      for (key, value) in values { file["phi3.rope.\(key)"] = value }
    }
    let gguf = try #require(try ConfigurationReader(file.files().configuration()).gguf)
    return try RoPEConfiguration(
      gguf, prefix: "phi3", headDim: headDim, contextLength: 64,
      pairing: .neox, factorTensors: factorTensors, baseKey: baseKey, isScaled: isScaled)
  }

  private func errorMessage(_ values: Values, _ factorTensors: RoPEConfiguration.FactorTensors = []) throws -> String? {
    do {
      _ = try read(values, factorTensors)
      return nil
    } catch let error as CheckpointError {
      let text = "\(error)"
      return text.range(of: "model.gguf: ").map { String(text[$0.upperBound...]) } ?? text
    }
  }

  @Test func readsRotaryDim() throws {
    #expect(try read([:], headDim: 24).rotaryDim == 24)
    #expect(try read(["dimension_count": .uint32(6)]).rotaryDim == 6)
    for (count, text) in [(3, "is 3; must be an even number from 2 to 8"), (10, "is 10; must be an even number")] {
      #expect(
        try errorMessage(["dimension_count": .uint32(UInt32(count))])?.hasPrefix("phi3.rope.dimension_count \(text)")
          == true)
    }
    #expect(
      try errorMessage(["dimension_count": .uint32(0)])
        == "phi3.rope.dimension_count is 0; must be from 1 to 1048576")
  }

  @Test func readsYaRN() throws {
    let yarn: Values = [
      "scaling.type": .string("yarn"), "scaling.factor": .float32(4),
      "scaling.original_context_length": .uint32(16),
    ]
    let found = try read(yarn)
    #expect(found.scaling == .yarn(.init(factor: 4, originalContextLength: 16)))
    #expect(abs(found.attentionFactor - (0.1 * log(4) + 1)) < 1e-12)
    let all = try read([
      "scaling.type": .string("yarn"), "scaling.factor": .float32(4), "scaling.attn_factor": .float32(1.5),
      "scaling.yarn_beta_fast": .float32(16), "scaling.yarn_beta_slow": .float32(2),
      "scaling.yarn_log_multiplier": .float32(0.5), "scaling.yarn_attn_factor": .float32(9),
      "scaling.yarn_ext_factor": .float32(1),
    ])
    #expect(all.scaling == .yarn(.init(factor: 4, betaFast: 16, betaSlow: 2, originalContextLength: 64)))
    #expect(abs(all.attentionFactor - 1.5 * (0.1 * log(4) + 1) / (0.05 * log(4) + 1)) < 1e-12)
    #expect(try read(["scaling.type": .string("yarn")]).attentionFactor == 1)
  }

  @Test func readsLongRoPE() throws {
    let values: Values = [
      "scaling.original_context_length": .uint32(16), "scaling.attn_factor": .float32(1.25),
    ]
    let found = try read(values, .longRoPE)
    #expect(found.scaling == .longRoPE(.init(originalContextLength: 16)) && found.attentionFactor == 1.25)
    #expect(found.frequencyFactorTensors == ["rope_factors_short.weight", "rope_factors_long.weight"])
    #expect(
      try read(["scaling.type": .string("longrope")], .longRoPE).scaling == .longRoPE(.init(originalContextLength: 64)))
    let both = try read(values, [.longRoPE, .common])
    #expect(both.scaling == .frequencyFactors && both.frequencyFactorTensors == ["rope_freqs.weight"])
    #expect(try read(["scaling.attn_factor": .float32(1.25)]).attentionFactor == 1.25)
  }

  @Test func readsSlidingLayers() throws {
    let values: Values = [
      "freq_base": .float32(1e6), "freq_base_swa": .float32(500), "scaling.type": .string("linear"),
      "scaling.factor": .float32(8), "scaling.attn_factor": .float32(1.5),
    ]
    let full = try read(values)
    #expect(full.base == 1e6 && full.scaling == .linear(factor: 8) && full.attentionFactor == 1.5)
    let sliding = try read(values, baseKey: "freq_base_swa", isScaled: false)
    #expect(sliding.base == 500 && sliding.scaling == .none && sliding.attentionFactor == 1)
    #expect(try read(["freq_base": .float32(1e6)], baseKey: "freq_base_swa").base == 1e4)
  }

  @Test(
    arguments: [
      (
        ["scaling.type": .string("mrope")],
        #"phi3.rope.scaling.type "mrope" is not implemented; none, linear, yarn and longrope are"#
      ),
      (
        ["scaling.type": .string("yarn"), "scaling.yarn_ext_factor": .float32(0.5)],
        "phi3.rope.scaling.yarn_ext_factor 0.5 is not implemented; 1 is"
      ),
      (
        ["scaling.type": .string("yarn"), "scaling.yarn_beta_fast": .float32(0.5)],
        "phi3.rope.scaling.yarn_beta_fast (0.5) is less than phi3.rope.scaling.yarn_beta_slow (1.0)"
      ),
      (
        ["scaling.type": .string("yarn"), "freq_base": .float32(1)],
        "phi3.rope.freq_base is 1.0; YaRN requires more than 1"
      ),
      (
        ["scaling.attn_factor": .float32(0)], "phi3.rope.scaling.attn_factor is 0.0; must be from 0.01 to 100.0"
      ),
      (
        [
          "scaling.type": .string("yarn"), "scaling.factor": .float32(4), "scaling.yarn_log_multiplier": .float32(-7.5),
        ],
        nil
      ),
      (
        ["scaling.type": .string("longrope"), "scaling.factor": .float32(4)],
        #"phi3.rope.scaling.factor together with phi3.rope.scaling.type "longrope" is not implemented"#
      ),
    ] as [(KeyValuePairs<String, GGUFBuilder.Value>, String?)])
  func rejectsInvalidMetadata(_ values: KeyValuePairs<String, GGUFBuilder.Value>, _ message: String?) throws {
    let found = try errorMessage(values)
    if let message {
      #expect(found == message)
    } else {
      // The weight makes the denominator negative.
      #expect(found?.hasPrefix("the attention factor of YaRN is -") == true)
    }
  }

  @Test func rejectsScalingWithFactorTensors() throws {
    #expect(
      try errorMessage(["scaling.factor": .float32(4)], .longRoPE)
        == "phi3.rope.scaling.factor together with rope_factors_long.weight is not implemented")
    #expect(
      try errorMessage(["scaling.type": .string("yarn")], .common)
        == "YaRN together with rope_freqs.weight is not implemented")
  }
}
