import Foundation
import Testing

@testable import Sampling

@Suite struct SamplingTests {
  /// The known-answer tests of Random123, the authors' implementation.
  @Test func philoxMatchesKnownAnswers() {
    func numbers(_ key: SIMD2<UInt32>, _ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
      Philox.numbers(key: key, counter: counter)
    }
    #expect(numbers(.zero, .zero) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
    #expect(
      numbers(.init(repeating: .max), .init(repeating: .max)) == [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD])
    #expect(
      numbers([0xA409_3822, 0x299F_31D0], [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344])
        == [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
  }

  @Test func uniformNumbersDependOnSeedAndPosition() {
    #expect(uniformNumber(seed: 0, position: 0) == Double(0x6627_E8D5_E169_C58D as UInt64 >> 11) * 0x1p-53)
    let numbers = (0..<100).flatMap { seed in (0..<100).map { uniformNumber(seed: seed, position: $0) } }
    #expect(Set(numbers).count == numbers.count)
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.01)
    #expect(uniformNumber(seed: 1 << 32, position: 0) != uniformNumber(seed: 0, position: 0))
  }

  // MARK: The results of transformers for the same logits (Scripts/reference/sampling.py)

  struct Reference: Decodable {
    let logits: [Float]
    let ids: [Int]
    let cases: [Case]
  }

  /// Properties are named after the options in transformers.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  struct Case: Decodable, CustomTestStringConvertible {
    let temperature: Double?
    let top_k: Int?
    let top_p: Double?
    let min_p: Double?
    let repetition_penalty: Float?
    let kept: [Int]
    let probabilities: [Double]

    var settings: SamplingSettings {
      var settings = SamplingSettings()
      settings.temperature = temperature ?? 1
      (settings.topK, settings.topP, settings.minP) = (top_k, top_p, min_p)
      settings.repetitionPenalty = repetition_penalty ?? 1
      return settings
    }

    var testDescription: String { "\(settings)" }
  }

  static let reference: Reference = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/choices.json")
    guard let data = try? Data(contentsOf: file), let reference = try? JSONDecoder().decode(Reference.self, from: data)
    else { fatalError("\(file.path) cannot be read") }
    return reference
  }()

  private func choices(_ example: Case) -> Choices {
    Self.reference.logits.withUnsafeBufferPointer { example.settings.choices($0, after: Self.reference.ids) }
  }

  @Test(arguments: reference.cases)
  func choicesMatchTransformers(_ example: Case) {
    let choices = choices(example)
    #expect(choices.ids == example.kept)
    for (ours, theirs) in zip(choices.probabilities, example.probabilities) {
      #expect(abs(ours - theirs) <= 2e-6 * theirs + 1e-9)
    }
  }

  /// A chi-squared test with 100,000 seeds at one position. Tokens that are expected less than ten times form one cell.
  /// The bound is the 0.999 quantile of the distribution, by the formula of Wilson and Hilferty.
  @Test(arguments: [1, 4, 6, 13, 15])
  func samplesFollowProbabilitiesOfTransformers(_ index: Int) throws {
    let (example, draws) = (Self.reference.cases[index], 100_000)
    let choices = choices(example)
    var counts = [Int](repeating: 0, count: Self.reference.logits.count)
    for seed in 0..<draws { counts[choices.id(at: uniformNumber(seed: UInt64(seed), position: 12))] += 1 }
    #expect(counts.indices.allSatisfy { counts[$0] == 0 || example.kept.contains($0) })
    var (rareCount, rareExpected, statistic, cells) = (0, 0.0, 0.0, 0)
    for (id, p) in zip(example.kept, example.probabilities) {
      let expected = p * Double(draws)
      if expected < 10 {
        rareCount += counts[id]
        rareExpected += expected
      } else {
        statistic += pow(Double(counts[id]) - expected, 2) / expected
        cells += 1
      }
    }
    if rareExpected >= 10 {
      statistic += pow(Double(rareCount) - rareExpected, 2) / rareExpected
      cells += 1
    }
    let freedom = Double(cells - 1)
    try #require(freedom >= 5)
    let quantile = freedom * pow(1 - 2 / (9 * freedom) + 3.0902 * (2 / (9 * freedom)).squareRoot(), 3)
    #expect(statistic < quantile)
  }

  // MARK: Edge cases

  private func settings(_ change: (inout SamplingSettings) -> Void) -> SamplingSettings {
    var settings = SamplingSettings()
    change(&settings)
    return settings
  }

  private func choices(_ logits: [Float], after ids: [Int] = [], _ settings: SamplingSettings) -> Choices {
    logits.withUnsafeBufferPointer { settings.choices($0, after: ids) }
  }

  @Test func filtersKeepAtLeastOneToken() {
    for settings in [settings { $0.topP = 0 }, settings { $0.minP = 1 }, settings { $0.topK = 1 }] {
      #expect(choices([1, 3, 2], settings).ids == [1])
    }
    #expect(choices([2], settings { $0.topP = 0.5 }).id(at: 0.999) == 0)
  }

  /// A nucleus larger than the first 64 tokens tried.
  @Test func nucleusOfFlatDistributionHasItsShare() {
    let choices = choices([Float](repeating: 0, count: 1000), settings { $0.topP = 0.8995 })
    #expect(choices.ids == Array(0..<900))
    #expect(choices.id(at: 0) == 0 && choices.id(at: 0.9999) == 899)
  }

  /// The limit of small temperatures is greedy decoding, in which equal logits have equal probabilities.
  @Test(arguments: [1e-30, 1e-38, 1e-45, 1e-46, 1e-300, 5e-324])
  func tinyTemperaturesAreGreedy(_ temperature: Double) {
    var cold = settings { $0.temperature = temperature }
    let next = Float(10).nextUp
    for filter in [nil, 2, 50] {
      cold.topK = filter
      for topP in [nil, 0.3, 0.999999] {
        cold.topP = topP
        for logits in [[1e20, -1e20, 3], [next, 10, 9], [3.4e38, 3.3e38, -3.4e38]] as [[Float]] {
          #expect(choices(logits, cold).id(at: 0) == 0)
          #expect(choices(logits, cold).id(at: 0.9999999) == 0)
        }
      }
    }
    let tie = choices([5, 7, 7, 0], settings { $0.temperature = temperature })
    #expect(tie.probabilities == [0, 0.5, 0.5, 0])
    #expect(tie.id(at: 0) == 1 && tie.id(at: 0.75) == 2)
  }

  @Test(arguments: [-3.4028235e38, 0, 3.4028235e38] as [Float])
  func equalLogitsHaveEqualProbabilities(_ logit: Float) {
    let logits = [Float](repeating: logit, count: 100)
    for temperature in [5e-324, 0.5, 1, 1000] {
      let settings = settings { ($0.temperature, $0.topP) = (temperature, 0.495) }
      #expect(choices(logits, settings).ids == Array(0..<50))
    }
    #expect(choices(logits, settings { $0.minP = 1 }).ids == Array(0..<100))
    #expect(choices(logits, settings { $0.topK = 3 }).ids == Array(0..<100), "as likely as the third")
  }

  @Test func extremePenaltiesGiveProbabilities() {
    for penalty in [0.001, 1, 1000] as [Float] {
      for logit in [-3.4028235e38, -1, 0, 1e-45, 3.4028235e38] as [Float] {
        let settings = settings {
          ($0.repetitionPenalty, $0.temperature, $0.topP, $0.minP) = (penalty, 1e-40, 0.5, 0.1)
        }
        #expect(choices([logit], after: [0], settings).probabilities == [1])
        #expect(choices([logit, 0], after: [0], settings).probabilities.allSatisfy { (0...1).contains($0) })
      }
    }
  }

  @Test func penalizesRepeatedTokensOnce() {
    let logits: [Float] = [2, -2, 1]
    let settings = settings { $0.repetitionPenalty = 2 }
    let scores = logits.withUnsafeBufferPointer { settings.penalized($0, after: [0, 1, 0, 1]) }
    #expect(scores == [1, -4, 1])
  }
}
