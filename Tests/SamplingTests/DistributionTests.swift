import Foundation
import Sampling
import Testing

@Suite struct DistributionTests {
  private func logits(_ count: Int, seed: UInt64, _ value: (UInt64) -> Float) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return value(state >> 33)
    }
  }

  private func with<Result>(_ logits: [Float], _ body: (Distribution) throws -> Result) rethrows -> Result {
    try logits.withUnsafeBufferPointer { try body(Distribution($0)) }
  }

  private func ids(_ logits: [Float], _ count: Int) -> [Int] { with(logits) { $0.mostLikely(count).map(\.id) } }

  @Test(arguments: [1, 2, 3, 17, 1000, 50257])
  func probabilitiesMatchSoftmaxInFloat64(_ count: Int) {
    let numbers = logits(count, seed: 1) { Float($0 % 400_000) / 10_000 - 120 }
    let greatest = Double(numbers.max()!)
    let logSum = greatest + log(numbers.reduce(0.0) { $0 + exp(Double($1) - greatest) })
    with(numbers) { distribution in
      for id in stride(from: 0, to: count, by: max(1, count / 200)) {
        let candidate = distribution.candidate(id)
        let logprob = Double(numbers[id]) - logSum
        #expect(candidate.id == id && candidate.logit == numbers[id])
        #expect(abs(Double(candidate.logprob) - logprob) <= Double(Float(logprob).ulp) + 1e-12)
        #expect(abs(Double(candidate.p) - exp(logprob)) <= Double(Float(exp(logprob)).ulp))
      }
      if count <= 1000 {
        let sum = (0..<count).reduce(0.0) { $0 + Double(distribution.candidate($1).p) }
        #expect(abs(sum - 1) < 1e-6)
      }
    }
  }

  /// A shift of all logits changes nothing, and both ends of the range of float32 give finite results.
  @Test func extremeLogitsGiveFiniteResults() {
    with([5]) { #expect($0.candidate(0).p == 1 && $0.candidate(0).logprob == 0 && $0.candidate(0).logit == 5) }
    with([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]) {
      #expect($0.candidate(0).p == 1 && $0.candidate(1).p == 0)
      #expect($0.candidate(0).logprob == 0)
      #expect($0.candidate(1).logprob == -.greatestFiniteMagnitude, "-6.8e38 is out of the range of float32")
    }
    with([.greatestFiniteMagnitude, 1]) { #expect($0.candidate(1).logprob == -.greatestFiniteMagnitude) }
    for extreme in [-1, 1] as [Float] {
      with([Float](repeating: extreme * .greatestFiniteMagnitude, count: 4)) {
        #expect($0.candidate(3).p == 0.25 && $0.mostLikely.id == 0 && $0.mostLikely(9).count == 4)
        #expect($0.candidate(3).logprob == Float(log(0.25)))
      }
    }
    for shift in [-1e6, 0, 1e6] as [Float] {
      with([shift, shift]) { #expect($0.candidate(1).p == 0.5) }
    }
  }

  @Test func tiesGoToTheLowerID() {
    #expect(ids([1, 3, 3, 2, 3, 1], 4) == [1, 2, 4, 3])
    #expect(ids([Float](repeating: 0, count: 100), 5) == [0, 1, 2, 3, 4])
    #expect(ids([0, -0.0, 0], 2) == [0, 1], "the two zeros are equal")
    #expect(with([2, 7, 7]) { $0.mostLikely.id } == 1)
  }

  @Test func countsAboveVocabularySizeGiveAllTokens() {
    #expect(ids([1, 3, 2], 10) == [1, 2, 0])
    #expect(ids([1, 3, 2], .max) == [1, 2, 0])
    #expect(ids([4], 2) == [0])
    #expect(ids([1, 2], 0) == [])
  }

  @Test func topOneIsMostLikely() {
    let numbers = logits(5000, seed: 2) { Float($0 % 100) }
    #expect(with(numbers) { [$0.mostLikely] } == with(numbers) { $0.mostLikely(1) })
  }

  @Test func topKMatchesSorting() {
    for (seed, variety) in [(3, 5), (4, 50), (5, 1_000_000_000)] as [(UInt64, UInt64)] {
      for size in [1, 2, 10, 1000, 20_000] {
        let numbers = logits(size, seed: seed) { Float($0 % variety) - 3 }
        let sorted = numbers.indices.sorted { numbers[$0] != numbers[$1] ? numbers[$0] > numbers[$1] : $0 < $1 }
        for k in [1, 2, 3, 7, 40, 1000, size] {
          #expect(ids(numbers, k) == Array(sorted.prefix(k)), "k \(k) of \(size)")
        }
      }
    }
    #expect(ids((0..<1000).map(Float.init), 5) == [999, 998, 997, 996, 995])
    #expect(ids((0..<1000).map { -Float($0) }, 5) == [0, 1, 2, 3, 4])
  }

  /// Fixtures/gpt2-logits.jsonl.gz: the logits of GPT-2 after "Data visualization empowers users to", and their
  /// probabilities, published with the Transformer Explainer (github.com/poloclub/transformer-explainer,
  /// src/constants/examples; MIT license; computed with ONNX).
  @Test func probabilitiesMatchPublishedValuesOfGPT2() throws {
    let published: [(id: Int, p: Double)] = [
      (38350, 0.15784245606779057), (2251, 0.0730504753045233), (766, 0.04720309018927385), (787, 0.027865100006347347),
      (3538, 0.027338234810550942), (2952, 0.025815478480468758), (7301, 0.02431846878465635),
      (1064, 0.01866440388059358),
      (1833, 0.014613243880408178), (1382, 0.012992331033681156),
    ]
    struct Answer: Decodable { let logits: [Float] }
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/gpt2-logits.jsonl.gz")
    let unpacking = Process()
    let output = Pipe()
    unpacking.executableURL = URL(filePath: "/usr/bin/env")
    unpacking.arguments = ["gzip", "-dc", file.path]
    unpacking.standardOutput = output
    try unpacking.run()
    let json = try #require(try output.fileHandleForReading.readToEnd())
    unpacking.waitUntilExit()
    let numbers = try JSONDecoder().decode(Answer.self, from: json).logits
    #expect(numbers.count == 50257)
    let candidates = with(numbers) { $0.mostLikely(10) }
    #expect(candidates.map(\.id) == published.map(\.id))
    for (candidate, expected) in zip(candidates, published) { #expect(abs(Double(candidate.p) - expected.p) < 1e-6) }
  }
}
