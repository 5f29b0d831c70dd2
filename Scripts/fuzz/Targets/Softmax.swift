import JSON
import Sampling

extension FuzzTarget {
  /// Finite logits and sampling settings: every log-probability is finite, every probability is between 0 and 1, and
  /// the sampled id is a token.
  ///
  /// The input is the settings (40 bytes) and the logits as float32.
  static let softmax = FuzzTarget("softmax", longestInput: 400) { input in
    let words = input.loaded(as: UInt32.self)
    guard words.count > 10 else { return }
    let logits = words[10...].map { Float(bitPattern: $0) }.filter(\.isFinite)
    guard !logits.isEmpty else { return }
    let doubles = input.loaded(as: UInt64.self)[..<3].map { abs(Double(bitPattern: $0)) }
    var settings = SamplingSettings()
    if doubles[0] > 0, doubles[0] <= 1000 { settings.temperature = doubles[0] }
    if doubles[1] <= 1 { settings.topP = doubles[1] }
    if doubles[2] <= 1 { settings.minP = doubles[2] }
    if words[6] > 0 { settings.topK = words[6] > 1 << 31 ? .max : Int(words[6]) }
    let penalty = abs(Float(bitPattern: words[7]))
    if penalty >= 0.001, penalty <= 1000 { settings.repetitionPenalty = penalty }
    let ids = [Int(words[8]) % logits.count, Int(words[9] & 0xFFFF) % logits.count]
    let number = Double(words[9]) * 0x1p-32

    try logits.withUnsafeBufferPointer { logits in
      try checkCandidates(Distribution(logits), logits, Int(words[6]))
      try checkScores(logits, next: ids[0])
      let choices = settings.choices(logits, after: ids)
      try expect(!choices.ids.isEmpty && choices.ids == choices.ids.sorted(), "\(choices.ids) are kept")
      try expect(choices.ids.allSatisfy(logits.indices.contains), "\(choices.ids) of \(logits.count) tokens are kept")
      try expect(choices.probabilities.allSatisfy { (0...1).contains($0) }, "probabilities \(choices.probabilities)")
      try expect(abs(choices.probabilities.reduce(0, +) - 1) < 1e-9, "a sum of \(choices.probabilities.reduce(0, +))")
      for number in [0, number, 1 - 0x1p-53] {
        let id = choices.id(at: number)
        try expect(choices.ids.contains(id), "token \(id) at \(number)")
      }
      if settings.repetitionPenalty == 1, let greatest = logits.max() {
        try expect(choices.ids.contains { logits[$0] == greatest }, "the most likely token is not kept")
      }
    }
  }
}

/// Checks what is written for each token.
private func checkCandidates(_ distribution: Distribution, _ logits: UnsafeBufferPointer<Float>, _ count: Int) throws {
  let buffer = ByteBuffer()
  var sum: Float = 0
  for id in logits.indices {
    let candidate = distribution.candidate(id)
    try expect(candidate.id == id && candidate.logit == logits[id], "not token \(id)")
    try expect(candidate.logprob.isFinite && candidate.logprob <= 0, "the log-probability \(candidate.logprob)")
    try expect((0...1).contains(candidate.p), "the probability \(candidate.p)")
    for number in [candidate.logit, candidate.logprob, candidate.p] { buffer.append(json: number) }
    sum += candidate.p
  }
  try expect(abs(sum - 1) < 1e-4, "probabilities with the sum \(sum)")
  let sorted = logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
  try expect(distribution.mostLikely.id == sorted[0], "the most likely token is \(sorted[0])")
  try expect(distribution.mostLikely(count).map(\.id) == Array(sorted.prefix(count)), "not the \(count) most likely")
}

/// Checks the scores of a position.
private func checkScores(_ logits: UnsafeBufferPointer<Float>, next id: Int) throws {
  let score = PositionScorer(vocabularySize: logits.count) { $0 % 2 == 0 }.score(logits, next: id)
  let distribution = Distribution(logits)
  try expect(score.logprob == distribution.candidate(id).logprob, "the log-probability \(score.logprob ?? .nan)")
  try expect(score.rank == distribution.rank(id), "the rank \(score.rank ?? 0)")
  let greatestEntropy = 1e-4 + Float(logits.count.bitWidth - (logits.count - 1).leadingZeroBitCount)
  try expect((0...greatestEntropy).contains(score.entropy), "the entropy \(score.entropy)")
  try expect(score.subsetLogprob.isFinite && score.subsetLogprob < 1e-6, "the subset \(score.subsetLogprob)")
  try expect(score.candidates == [distribution.mostLikely], "not the most likely token")
}
