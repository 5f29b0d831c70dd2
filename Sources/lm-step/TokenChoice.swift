import CommandLineTool
import JSONLines
import Sampling

/// How the next token is chosen: what the command line says of it.
struct TokenChoice {
  private let settings: SamplingSettings
  /// Otherwise the likeliest token is taken.
  private let draws: Bool
  private let firstSeed: UInt64?

  init(_ arguments: Arguments) {
    var settings = SamplingSettings()
    settings.temperature = arguments.number(.temperature) ?? 1
    settings.topK = arguments.integer(.topKFilter).flatMap { $0 > 0 ? $0 : nil }
    settings.topP = arguments.number(.topPFilter).flatMap { $0 < 1 ? $0 : nil }
    settings.minP = arguments.number(.minPFilter).flatMap { $0 > 0 ? $0 : nil }
    settings.repetitionPenalty = arguments.number(.repetitionPenalty).map { Float($0) } ?? 1
    self.settings = settings
    let asksToDraw = [Option.temperature, .topKFilter, .topPFilter, .minPFilter, .seed].contains(where: arguments.has)
    draws = asksToDraw && settings.temperature > 0
    firstSeed = arguments.integer(.seed).map { UInt64($0) }
  }

  /// The seed of a sequence: from the command line, from its record, or a new one; nil where nothing is drawn.
  ///
  /// - Parameter index: of the record in the input, from 0. No two records of one run draw with the same seed.
  func seed(of record: Record, at index: Int) throws -> UInt64? {
    guard draws else { return nil }
    if let firstSeed { return (firstSeed + UInt64(index)) % (UInt64(Record.seeds.upperBound) + 1) }
    return try record.seed() ?? UInt64(UInt32.random(in: 0...UInt32.max))
  }

  /// The token that follows `ids`.
  func next(_ logits: UnsafeBufferPointer<Float>, after ids: [Int], seed: UInt64?) -> Distribution.Candidate {
    let distribution = Distribution(logits)
    if let seed {
      let number = uniformNumber(seed: seed, position: ids.count)
      return distribution.candidate(settings.choices(logits, after: ids).id(at: number))
    }
    guard settings.repetitionPenalty != 1 else { return distribution.likeliest }
    let likeliest = settings.penalized(logits, after: ids).withUnsafeBufferPointer { Distribution($0).likeliest }
    return distribution.candidate(likeliest.id)
  }
}
