import Foundation
import Platform
import Testing

@testable import Checkpoint
@testable import LanguageModel

/// Rotary position embeddings against plain definitions in float64, and against transformers.
@Suite struct RoPETests {
  private typealias Vector = PlainOperations.Vector

  private static func frequencies(base: Double = 10_000, _ rotaryDim: Int) -> [Double] {
    (0..<rotaryDim / 2).map { pow(base, -2 * Double($0) / Double(rotaryDim)) }
  }

  /// Compares the cosine-sine table and the rotation with the definition at several positions.
  private func check(
    _ rope: RoPE, _ frequencies: [Double], headDim: Int, isInterleaved: Bool, attentionFactor: Double = 1,
    variant: Int = 0
  ) {
    var operands = Operands(seed: 4)
    let rotaryDim = 2 * frequencies.count
    #expect(rope.rotaryDim == rotaryDim)
    for position in [0, 1, 2, 63, 1000] {
      let (numbers, table) = (operands.matrix(1, headDim), Matrix.poisoned(1, rotaryDim))
      let before = numbers.bits
      let rotated = PlainOperations.rope(
        numbers.vector(0), position: position, frequencies: frequencies, isInterleaved: isInterleaved)
      let expected = rotated[..<rotaryDim].map { $0 * attentionFactor } + rotated[rotaryDim...]
      rope.writeCosSin(ofPosition: position, variant: variant, into: table.start)
      let angles = frequencies.map { Double(position) * $0 }
      let values = (angles.map { cos($0) } + angles.map { sin($0) }).map { $0 * attentionFactor }
      // Frequencies and angles are rounded to float32.
      let tolerance = 2e-7 * Double(max(1, position)) * max(1, attentionFactor)
      #expect(areClose(table.vector(0), values, within: tolerance), "position \(position)")
      rope.apply(table.start, to: numbers.start)
      #expect(areClose(numbers.vector(0), expected, within: 2 * tolerance), "position \(position)")
      #expect(numbers.bits[rotaryDim...] == before[rotaryDim...])
    }
  }

  // MARK: rotation

  /// Head dimensions, and rotated elements of a head.
  private static let dimensions = [
    (8, 8), (8, 2), (20, 20), (20, 6), (64, 64), (64, 16), (80, 20), (80, 32), (96, 24), (128, 128), (128, 96),
    (128, 126),
  ]

  @Test(arguments: dimensions, [false, true])
  func matchesFloat64(_ dimensions: (headDim: Int, rotaryDim: Int), _ isInterleaved: Bool) {
    let rope = RoPE(
      RoPEConfiguration(base: 10_000, rotaryDim: dimensions.rotaryDim, pairing: isInterleaved ? .interleaved : .neox))
    check(
      rope, Self.frequencies(dimensions.rotaryDim), headDim: dimensions.headDim, isInterleaved: isInterleaved)
  }

  @Test(arguments: [false, true])
  func scalingMatchesFloat64(_ isInterleaved: Bool) {
    let (headDim, rotaryDim) = (24, 20)
    let frequencies = Self.frequencies(rotaryDim)
    func check(
      _ scaling: RoPEConfiguration.Scaling, _ expected: [Double], _ factors: [[Float]] = [],
      attentionFactor: Double = 1, variant: Int = 0
    ) {
      let embedding = RoPEConfiguration(
        base: 10_000, rotaryDim: rotaryDim, scaling: scaling, pairing: isInterleaved ? .interleaved : .neox,
        attentionFactor: attentionFactor)
      self.check(
        RoPE(embedding, frequencyFactors: factors), expected, headDim: headDim, isInterleaved: isInterleaved,
        attentionFactor: attentionFactor, variant: variant)
    }
    check(.none, frequencies)
    check(.none, frequencies, attentionFactor: 1.37)
    check(.linear(factor: 4), frequencies.map { $0 / 4 })
    let short = (0..<rotaryDim / 2).map { 1 + Float($0) / 3 }
    let long = (0..<rotaryDim / 2).map { 1 + Float($0) * 3 }
    func divided(_ factors: [Float]) -> [Double] { zip(frequencies, factors).map { $0 / Double($1) } }
    check(.frequencyFactors, divided(short), [short])
    let longRoPE = RoPEConfiguration.Scaling.longRoPE(
      .init(shortFactors: short, longFactors: long, originalContextLength: 9))
    check(longRoPE, divided(short), attentionFactor: 1.2)
    check(longRoPE, divided(long), attentionFactor: 1.2, variant: 1)
    let inTensors = RoPEConfiguration.Scaling.longRoPE(.init(originalContextLength: 9))
    check(inTensors, divided(short), [short, long])
    check(inTensors, divided(long), [short, long], variant: 1)
    let dynamic = RoPEConfiguration.Scaling.dynamic(.init(factor: 3, originalContextLength: 50))
    check(dynamic, frequencies)
    for variant in [1, 50, 1000] {
      let scale = 3 * Double(50 + variant) / 50 - 2
      let base = 10_000 * pow(scale, Double(rotaryDim) / Double(rotaryDim - 2))
      check(dynamic, Self.frequencies(base: base, rotaryDim), variant: variant)
    }
  }

  /// YaRN as llama.cpp defines it (`rope_yarn`, `ggml_rope_yarn_corr_dims`): it interpolates angles.
  @Test(arguments: [(64, 4096, 4.0), (128, 32768, 4), (96, 2048, 32), (32, 16, 2), (128, 8192, 1)])
  func yarnMatchesLlamaCPP(_ rotaryDim: Int, _ original: Int, _ factor: Double) {
    let base = 500_000.0
    func pair(_ turns: Double) -> Double {
      Double(rotaryDim) * log(Double(original) / (turns * 2 * .pi)) / (2 * log(base))
    }
    let (low, high) = (max(0, floor(pair(32))), min(Double(rotaryDim - 1), ceil(pair(1))))
    let expected = Self.frequencies(base: base, rotaryDim).enumerated().map { index, extrapolated in
      let ramp = 1 - min(1, max(0, (Double(index) - low) / max(0.001, high - low)))
      return extrapolated / factor * (1 - ramp) + extrapolated * ramp
    }
    let scaling = RoPEConfiguration.YaRN(factor: factor, originalContextLength: original)
    let rope = RoPE(
      RoPEConfiguration(base: base, rotaryDim: rotaryDim, scaling: .yarn(scaling), attentionFactor: 1.3))
    check(rope, expected, headDim: rotaryDim, isInterleaved: false, attentionFactor: 1.3)
  }

  @Test func keepsNorms() {
    var operands = Operands(seed: 5)
    let headDim = 20
    let numbers = operands.matrix(1, headDim)
    let rope = RoPE(RoPEConfiguration(base: 10_000, rotaryDim: headDim))
    let before = numbers.vector(0)
    let table = Matrix.poisoned(1, headDim)
    rope.writeCosSin(ofPosition: 77, into: table.start)
    rope.apply(table.start, to: numbers.start)
    let after = numbers.vector(0)
    for pair in 0..<headDim / 2 {
      let other = pair + headDim / 2
      #expect(abs(hypot(before[pair], before[other]) - hypot(after[pair], after[other])) < 1e-6)
    }
  }

  // MARK: variants

  @Test func variantDependsOnLength() {
    func rope(_ scaling: RoPEConfiguration.Scaling) -> RoPE {
      RoPE(RoPEConfiguration(base: 10_000, rotaryDim: 4, scaling: scaling))
    }
    for scaling in [
      RoPEConfiguration.Scaling.none, .linear(factor: 2), .yarn(.init(factor: 2, originalContextLength: 4)),
    ] {
      #expect(!rope(scaling).isLengthDependent)
      #expect([0, 1, 1_000_000].allSatisfy { rope(scaling).variant(ofLength: $0) == 0 })
    }
    let longRoPE = rope(
      .longRoPE(.init(shortFactors: [1, 1], longFactors: [2, 2], originalContextLength: 7)))
    #expect(longRoPE.isLengthDependent)
    #expect([0, 1, 7, 8, 1000].map { longRoPE.variant(ofLength: $0) } == [0, 0, 0, 1, 1])
    let dynamic = rope(.dynamic(.init(factor: 2, originalContextLength: 7)))
    #expect(dynamic.isLengthDependent)
    #expect([0, 1, 7, 8, 1000].map { dynamic.variant(ofLength: $0) } == [0, 0, 0, 1, 993])
  }

  // MARK: extreme parameters

  /// The largest frequencies and the smallest that a configuration can have give finite sines and cosines at the last
  /// position.
  @Test(arguments: [RoPEConfiguration.leastFrequencyFactor, 1.0000001, 3.4e38], [0.1, 3.4e38])
  func extremeParametersGiveFiniteTable(_ base: Double, _ factor: Double) {
    let rotaryDim = 4
    let factors = [Float](repeating: Float(factor), count: rotaryDim / 2)
    var scalings: [RoPEConfiguration.Scaling] = [
      .none, .linear(factor: factor), .dynamic(.init(factor: factor, originalContextLength: 1)),
      .longRoPE(.init(shortFactors: factors, longFactors: factors, originalContextLength: 1)),
    ]
    for (fast, slow) in [(32.0, 1.0), (3.4e38, 1e-45), (1e-45, 1e-45)] where base > 1 {
      for roundsPairs in [false, true] {
        for original in [1, 1 << 20] {
          let yarn = RoPEConfiguration.YaRN(
            factor: factor, betaFast: fast, betaSlow: slow, originalContextLength: original, roundsPairs: roundsPairs)
          scalings.append(.yarn(yarn))
        }
      }
    }
    for scaling in scalings {
      let rope = RoPE(RoPEConfiguration(base: base, rotaryDim: rotaryDim, scaling: scaling))
      for length in [1, 2, 1 << 20] {
        let table = Matrix.poisoned(1, rotaryDim)
        rope.writeCosSin(ofPosition: (1 << 20) - 1, variant: rope.variant(ofLength: length), into: table.start)
        let row = table.vector(0)
        #expect(
          (0..<rotaryDim / 2).allSatisfy { abs(hypot(row[$0], row[$0 + rotaryDim / 2]) - 1) < 1e-6 }, "\(scaling)")
      }
    }
  }

  // MARK: transformers

  /// A line of rope.jsonl.
  private struct Reference: Decodable {
    struct Length: Decodable {
      let length: Int
      let frequencies, cosines, sines: [Double]
    }
    let headDim, contextLength: Int
    let spelling: String
    let layerType: String?
    let attentionFactor: Double
    let lengths: [Length]
  }

  private static let fixture = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/rope.jsonl")

  /// The names that a family reads (Scripts/reference/rope.py).
  private static func spelling(_ reference: Reference) throws -> RoPEConfiguration.Spelling {
    switch reference.spelling {
    case "standard": .init()
    case "gpt_neox": .gptNeoX
    case "half": .init(rotated: .part("partial_rotary_factor", default: 0.5))
    case "quarter": .init(rotated: .part("partial_rotary_factor", default: 0.25))
    case "phi3":
      .init(
        rotated: .part("partial_rotary_factor", default: 1), originalContextLength: 4096, roundsUpOddParts: true)
    default:
      reference.layerType == "full_attention"
        ? .init(defaultBase: 1e6) : .init(base: "rope_local_base_freq", defaultBase: 1e4)
    }
  }

  /// Frequencies within the error of transformers' float32 power, cosines and sines of float32 angles.
  @Test func matchesTransformers() throws {
    let lines = try String(contentsOf: Self.fixture, encoding: .utf8).split(separator: "\n").map { Data($0.utf8) }
    #expect(lines.count == 33)
    for line in lines {
      let reference = try JSONDecoder().decode(Reference.self, from: line)
      let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
      let file = try ConfigurationFolder(JSONSerialization.data(withJSONObject: try #require(object["config"])))
      let embedding = try RoPEConfiguration(
        file.configuration, headDim: reference.headDim, contextLength: reference.contextLength,
        layerType: reference.layerType, spelling: Self.spelling(reference))
      let name = Comment(rawValue: String(decoding: line.prefix(400), as: UTF8.self))
      #expect(abs(embedding.attentionFactor - reference.attentionFactor) < 1e-12, name)
      let rope = RoPE(embedding)
      for expected in reference.lengths {
        let variant = rope.variant(ofLength: expected.length)
        let found = rope.frequencies(ofVariant: variant).map { Double($0) }
        #expect(found.count == expected.frequencies.count, name)
        #expect(
          zip(found, expected.frequencies).allSatisfy { abs($0 - $1) <= 5e-7 * $1 },
          "\(name) length \(expected.length)")
        let table = Matrix.poisoned(1, rope.rotaryDim)
        rope.writeCosSin(ofPosition: expected.length - 1, variant: variant, into: table.start)
        // The errors of the frequencies are multiplied by the position.
        let angle = zip(found, expected.frequencies).map { abs($0 - $1) }.max() ?? 0
        let tolerance = 1e-6 + Double(expected.length) * (angle + 1e-7)
        #expect(areClose(table.vector(0), expected.cosines + expected.sines, within: tolerance), name)
      }
    }
  }
}
