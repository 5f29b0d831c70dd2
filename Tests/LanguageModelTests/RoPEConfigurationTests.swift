import Checkpoint
import Foundation
import Platform
import Testing

@testable import LanguageModel

/// A temporary folder with a config.json.
struct ConfigurationFolder {
  let configuration: ConfigurationFile

  init(_ data: Data) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }  // the file stays mapped
    let file = folder.appending(path: "config.json")
    try data.write(to: file)
    configuration = try ConfigurationFile(path: Path(file.path))
  }
}

/// RoPE parameters in config.json: names, defaults, and errors. `RoPETests` compares their values with transformers.
@Suite struct RoPEConfigurationTests {
  private func read(
    _ members: String, headDim: Int = 8, layerType: String? = nil,
    _ spelling: RoPEConfiguration.Spelling = .init(rotated: .part("partial_rotary_factor", default: 1))
  ) throws -> RoPEConfiguration {
    try RoPEConfiguration(
      ConfigurationFolder(Data("{\(members)}".utf8)).configuration, headDim: headDim, contextLength: 64,
      layerType: layerType, spelling: spelling)
  }

  private func errorMessage(_ members: String, headDim: Int = 8, layerType: String? = nil) throws -> String? {
    do {
      _ = try read(members, headDim: headDim, layerType: layerType)
      return nil
    } catch let error as CheckpointError {
      let text = "\(error)"
      return text.range(of: "config.json: ").map { String(text[$0.upperBound...]) } ?? text
    }
  }

  // MARK: partial rotation

  @Test func readsRotatedPart() throws {
    #expect(try read("").rotaryDim == 8)
    #expect(try read(#""partial_rotary_factor":0.5"#).rotaryDim == 4)
    #expect(try read(#""partial_rotary_factor":0.4"#, headDim: 80).rotaryDim == 32)
    #expect(try read(#""partial_rotary_factor":0.334"#, headDim: 192).rotaryDim == 64)  // rounded down
    #expect(
      try read(#""partial_rotary_factor":0.5,"rope_parameters":{"partial_rotary_factor":0.25}"#).rotaryDim == 2)
    #expect(try read("", .gptNeoX).rotaryDim == 2)
    #expect(try read(#""rotary_pct":0.5,"rotary_emb_base":77,"rope_theta":5"#, .gptNeoX).rotaryDim == 4)
    #expect(try read(#""rotary_pct":0.5,"rotary_emb_base":77,"rope_theta":5"#, .gptNeoX).base == 77)
    let gptJ = try read(#""rotary_dim":6"#, .gptJ)
    #expect(gptJ.rotaryDim == 6 && gptJ.pairing == .interleaved && gptJ.base == 1e4)
    #expect(try read("", headDim: 256, .gptJ).rotaryDim == 64)
  }

  @Test(arguments: [
    (#""partial_rotary_factor":0"#, "partial_rotary_factor is 0.0; must be positive and finite as a float32"),
    (#""partial_rotary_factor":-0.5"#, "partial_rotary_factor is -0.5; must be positive and finite as a float32"),
    (#""partial_rotary_factor":1e300"#, "partial_rotary_factor is 1e+300; must be positive and finite as a float32"),
    (#""partial_rotary_factor":1.5"#, "partial_rotary_factor is 1.5; must be at most 1"),
    (
      #""partial_rotary_factor":0.01"#,
      "partial_rotary_factor 0.01 rotates 0 elements of a head; must be an even number from 2 to 8, the head dimension"
    ),
    (
      #""rope_parameters":{"partial_rotary_factor":0.7}"#,
      "partial_rotary_factor 0.7 rotates 5 elements of a head; must be an even number from 2 to 8, the head dimension"
    ),
  ])
  func rejectsInvalidRotatedPart(_ members: String, _ message: String) throws {
    #expect(try errorMessage(members) == message)
  }

  /// GPT-NeoX and Phi-3 rotate one element more than an odd part, as in transformers.
  @Test func roundsOddPartsUp() throws {
    let five = try read(#""rotary_pct":0.7"#, .gptNeoX)
    #expect(five.rotaryDim == 6 && five.exponentDim == 5)
    let whole = try read(#""rotary_pct":0.9"#, .gptNeoX)
    #expect(whole.rotaryDim == 8 && whole.exponentDim == 7)
    for members in [
      #""rotary_pct":0.01"#, #""rotary_pct":0.7,"rope_scaling":{"type":"yarn","factor":2}"#,
      #""rotary_pct":0.2,"rope_scaling":{"type":"dynamic","factor":2}"#,
    ] {
      #expect(throws: CheckpointError.self) { try read(members, .gptNeoX) }
    }
    #expect(throws: CheckpointError.self) { try read(#""rotary_pct":1"#, headDim: 7, .gptNeoX) }
  }

  @Test func readsProportional() throws {
    let half = try read(#""rope_parameters":{"rope_type":"proportional","partial_rotary_factor":0.6,"factor":2}"#)
    #expect(half.scaling == .proportional(factor: 2, pairs: 2) && half.rotaryDim == 8 && half.attentionFactor == 1)
    #expect(half.scalingName == "proportional" && half.scalingDescription == "of 2 of 4 pairs scaled by 2")
    let all = try read(#""rope_parameters":{"rope_type":"proportional"}"#, RoPEConfiguration.Spelling())
    #expect(all.scaling == .proportional(factor: 1, pairs: 4) && all.scalingDescription == "of 4 of 4 pairs")
    for members in [#""factor":0"#, #""partial_rotary_factor":2"#, #""partial_rotary_factor":0"#] {
      #expect(throws: CheckpointError.self) {
        try read(#""rope_parameters":{"rope_type":"proportional",\#(members)}"#, RoPEConfiguration.Spelling())
      }
    }
  }

  @Test(arguments: [(0, "rotary_dim is 0; must be from 1 to 1048576"), (7, nil), (10, nil), (-2, nil)])
  func rejectsInvalidRotaryDim(_ count: Int, _ message: String?) throws {
    #expect {
      _ = try read(#""rotary_dim":\#(count)"#, .gptJ)
    } throws: { error in
      let found = message ?? (count < 0 ? "must be from 1 to" : "must be an even number from 2 to 8")
      return "\(error)".contains(found)
    }
  }

  @Test func rejectsOddHeadDim() throws {
    #expect(try errorMessage("", headDim: 7) == "the head dimension is 7; RoPE requires an even number")
  }

  // MARK: scaling

  @Test func readsYaRN() throws {
    let yarn = try read(#""rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":16}"#)
    #expect(yarn.scaling == .yarn(.init(factor: 4, originalContextLength: 16)))
    #expect(abs(yarn.attentionFactor - (0.1 * log(4) + 1)) < 1e-12)
    #expect(yarn.scalingName == "yarn" && yarn.scalingDescription == "scaled with YaRN by 4 from 16 positions")
    let all = try read(
      #""rope_parameters":{"rope_type":"yarn","factor":null,"attention_factor":1.5,"beta_fast":9,"beta_slow":2.5,"#
        + #""truncate":false,"rope_theta":99},"original_max_position_embeddings":32"#)
    #expect(
      all.scaling
        == .yarn(.init(factor: 2, betaFast: 9, betaSlow: 2.5, originalContextLength: 32, roundsPairs: false)))
    #expect(all.attentionFactor == 1.5 && all.base == 99)
    // 0 means absent.
    let weights = try read(#""rope_scaling":{"type":"yarn","factor":4,"mscale":2,"mscale_all_dim":0}"#)
    #expect(weights.attentionFactor == yarn.attentionFactor)
    #expect(try read(#""rope_scaling":{"type":"yarn","factor":0.5}"#).attentionFactor == 1)
  }

  private static let lists = #""short_factor":[1,1.5,2,3],"long_factor":[1,2,4,8]"#

  @Test(arguments: ["longrope", "su", "yarn"])
  func readsLongRoPE(_ type: String) throws {
    let found = try read(
      #""original_max_position_embeddings":16,"rope_scaling":{"type":"\#(type)",\#(Self.lists)}"#)
    let factors = RoPEConfiguration.LongRoPE(
      shortFactors: [1, 1.5, 2, 3], longFactors: [1, 2, 4, 8], originalContextLength: 16)
    #expect(found.scaling == .longRoPE(factors))
    #expect(abs(found.attentionFactor - sqrt(1 + log(4) / log(16))) < 1e-12)
    #expect(found.isLengthDependent && found.frequencyFactorTensors == [] && found.scalingName == "longrope")
    #expect(found.scalingDescription == "scaled with LongRoPE from 16 positions")
    let given = try read(#""rope_scaling":{"type":"\#(type)","attention_factor":1.25,\#(Self.lists)}"#)
    #expect(given.attentionFactor == 1.25)
    let factor = try read(#""rope_scaling":{"type":"\#(type)","factor":8,\#(Self.lists)}"#)
    #expect(abs(factor.attentionFactor - sqrt(1 + log(8) / log(64))) < 1e-12)
  }

  @Test func readsDynamic() throws {
    let found = try read(#""rope_scaling":{"type":"dynamic","factor":2.5},"original_max_position_embeddings":16"#)
    #expect(found.scaling == .dynamic(.init(factor: 2.5, originalContextLength: 64)))
    #expect(found.isLengthDependent && found.attentionFactor == 1 && found.scalingName == "dynamic")
    #expect(found.scalingDescription == "scaled dynamically by 2.5 after 64 positions")
  }

  @Test(arguments: [
    (
      #""rope_scaling":{"type":"yarn","factor":4,"beta_fast":1,"beta_slow":2}"#,
      "beta_fast (1.0) is less than beta_slow (2.0)"
    ),
    (
      #""rope_scaling":{"type":"yarn","factor":4,"beta_fast":0}"#,
      "beta_fast is 0.0; must be positive and finite as a float32"
    ),
    (
      #""rope_scaling":{"type":"yarn","factor":4,"beta_slow":-1}"#,
      "beta_slow is -1.0; must be positive and finite as a float32"
    ),
    (#""rope_scaling":{"type":"yarn","factor":1e-3}"#, "factor is 0.001; must be at least 0.1"),
    (
      #""rope_scaling":{"type":"yarn","factor":4,"attention_factor":0}"#,
      "attention_factor is 0.0; must be from 0.01 to 100.0"
    ),
    (
      #""rope_scaling":{"type":"yarn","factor":4,"attention_factor":1e300}"#,
      "attention_factor is 1e+300; must be from 0.01 to 100.0"
    ),
    (
      #""rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":0}"#,
      "original_max_position_embeddings is 0; must be from 1 to 1048576"
    ),
    (#""rope_theta":1,"rope_scaling":{"type":"yarn","factor":4}"#, "rope_theta is 1.0; YaRN requires more than 1"),
    (#""rope_scaling":{"type":"longrope","long_factor":[1,2,3,4]}"#, "short_factor is missing"),
    (
      #""rope_scaling":{"type":"longrope","long_factor":[1,2,3,4],"short_factor":[1,2,3]}"#,
      "short_factor has 3 elements; must have 4, one for each rotated pair"
    ),
    (
      #""rope_scaling":{"type":"longrope","long_factor":[],"short_factor":[1,2,3,4]}"#,
      "long_factor has 0 elements; must have 4, one for each rotated pair"
    ),
    (
      #""rope_scaling":{"type":"longrope","long_factor":[1,2,3,1e39],"short_factor":[1,2,3,4]}"#,
      "long_factor[3] is 1e+39; must be finite as a float32 and at least 0.1"
    ),
    (
      #""rope_scaling":{"type":"longrope","long_factor":[1,2,3,4],"short_factor":[1,0,3,4]}"#,
      "short_factor[1] is 0.0; must be finite as a float32 and at least 0.1"
    ),
    (
      #""rope_scaling":{"type":"longrope","original_max_position_embeddings":1,"factor":2,\#(lists)}"#,
      #"rope_type "longrope" requires an original context of 2 or more"#
    ),
    (#""rope_scaling":{"type":"dynamic"}"#, "factor is missing"),
    (
      #""partial_rotary_factor":0.25,"rope_scaling":{"type":"dynamic","factor":2}"#,
      #"rope_type "dynamic" requires more than 2 rotated elements of a head"#
    ),
    (
      #""rope_scaling":{"type":"mrope"}"#,
      #"rope_type "mrope" is not implemented; default, linear, llama3, yarn, longrope, dynamic and proportional are"#
    ),
  ])
  func rejectsInvalidScaling(_ members: String, _ message: String) throws {
    #expect(try errorMessage(members) == message)
  }

  @Test(arguments: [("1e300", "1"), ("1", "-7.21347520444"), ("-100", "1")])
  func rejectsInvalidMagnitudes(_ numerator: String, _ denominator: String) throws {
    let weights = #""mscale":\#(numerator),"mscale_all_dim":\#(denominator)"#
    let message = try errorMessage(#""rope_scaling":{"type":"yarn","factor":4,\#(weights)}"#)
    #expect(message?.hasPrefix("attention_factor from mscale and mscale_all_dim is ") == true)
    #expect(message?.hasSuffix("; must be from 0.01 to 100.0") == true)
  }

  @Test(arguments: [
    #""rope_scaling":{"type":"yarn","factor":NaN}"#, #""rope_scaling":{"type":"longrope","short_factor":3}"#,
    #""rope_scaling":{"type":"longrope","short_factor":["x"]}"#, #""partial_rotary_factor":Infinity"#,
    #""rope_scaling":{"type":"yarn","factor":2,"truncate":1}"#, #""rope_scaling":{"type":1}"#,
  ])
  func reportsPositionOfMistypedValues(_ members: String) throws {
    #expect(try errorMessage(members)?.hasPrefix("byte ") == true)
  }

  // MARK: types of layers

  @Test func readsParametersForEachTypeOfLayer() throws {
    let local = RoPEConfiguration.Spelling(base: "rope_local_base_freq")
    let new =
      #""rope_theta":7,"rope_parameters":{"full_attention":{"rope_type":"linear","factor":8,"rope_theta":1e6},"#
      + #""sliding_attention":{"rope_type":"default"}}"#
    let full = try read(new, layerType: "full_attention")
    #expect(full.base == 1e6 && full.scaling == .linear(factor: 8))
    let sliding = try read(new, layerType: "sliding_attention")
    #expect(sliding.base == 7 && sliding.scaling == .none)
    #expect(try read(new, layerType: "sliding_attention", local).base == 1e4)
    let old = #""rope_theta":1e6,"rope_local_base_freq":5e4,"rope_scaling":{"rope_type":"linear","factor":8}"#
    #expect(try read(old, layerType: "full_attention").scaling == .linear(factor: 8))
    #expect(try read(old, layerType: "full_attention").base == 1e6)
    #expect(try read(old, layerType: "sliding_attention", local).base == 5e4)
    #expect(try read(old, layerType: "sliding_attention", local).scaling == .none)
    #expect(try read(#""rope_theta":1e6"#, layerType: "full_attention").base == 1e6)
    // The original context length at the top level is not used for a type of layer, as in transformers.
    let yarn = #""full_attention":{"rope_type":"yarn","factor":2,"original_max_position_embeddings":8}"#
    #expect(
      try read(
        #""original_max_position_embeddings":16,"rope_parameters":{\#(yarn)}"#, layerType: "full_attention"
      ).scaling == .yarn(.init(factor: 2, originalContextLength: 8)))
  }

  @Test func rejectsOtherStructure() throws {
    #expect(
      try errorMessage(#""rope_parameters":{"full_attention":{"rope_type":"default"}}"#)
        == "rope_parameters for each type of layer are not implemented")
    #expect(
      try errorMessage(#""rope_parameters":{"rope_type":"default"}"#, layerType: "full_attention")
        == "rope_parameters has no parameters for each type of layer, such as full_attention")
    #expect(
      try errorMessage(#""rope_parameters":{"full_attention":1}"#, layerType: "full_attention")?.hasPrefix("byte ")
        == true)
  }
}
