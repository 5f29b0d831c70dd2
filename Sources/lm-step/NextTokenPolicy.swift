import CommandLineTool
import JSONLines
import Sampling

/// Chooses the next token by greedy decoding or sampling, as the options request.
struct NextTokenPolicy {
  private let settings: SamplingSettings
  private let controls: TokenControls?
  /// True for sampling, false for greedy decoding.
  private let samples: Bool
  private let firstSeed: UInt64?

  init(_ arguments: Arguments, _ controls: TokenControls?) {
    var settings = SamplingSettings()
    settings.temperature = arguments.number(.temperature) ?? 1
    settings.topK = arguments.integer(.topKFilter).flatMap { $0 > 0 ? $0 : nil }
    settings.topP = arguments.number(.topPFilter).flatMap { $0 < 1 ? $0 : nil }
    settings.minP = arguments.number(.minPFilter).flatMap { $0 > 0 ? $0 : nil }
    settings.repetitionPenalty = arguments.number(.repetitionPenalty).map { Float($0) } ?? 1
    settings.biases = controls?.biases ?? [:]
    self.settings = settings
    self.controls = controls
    samples = Self.samples(arguments)
    firstSeed = arguments.integer(.seed).map { UInt64($0) }
  }

  /// Returns whether the options request sampling.
  static func samples(_ arguments: Arguments) -> Bool {
    let hasSamplingOption = [Option.temperature, .topKFilter, .topPFilter, .minPFilter, .seed].contains(
      where: arguments.has)
    return hasSamplingOption && arguments.number(.temperature) != 0
  }

  /// Returns the seed of a sequence: from the command line, from its record, or a random seed; nil for greedy decoding.
  ///
  /// - Parameters:
  ///   - index: the index of the record in the input, from 0. The seeds of the command line follow one another: each
  ///     record, and each of its alternatives, has the next one.
  ///   - alternative: the index of the sequence among the `count` alternatives of the record.
  func seed(of record: Record, at index: Int, _ alternative: Int, of count: Int) throws -> UInt64? {
    guard samples else { return nil }
    let seedCount = UInt64(Record.seeds.upperBound) + 1
    if let firstSeed { return (firstSeed + UInt64(index * count + alternative)) % seedCount }
    return try record.seed().map { ($0 + UInt64(alternative)) % seedCount } ?? UInt64(UInt32.random(in: 0...UInt32.max))
  }

  /// Returns the token to append to `ids`, with its probability before biases, temperature, penalty and filters.
  func next(_ logits: UnsafeBufferPointer<Float>, after ids: [Int], seed: UInt64?) -> Distribution.Candidate {
    let banned = controls?.bannedTokens(after: ids) ?? []
    let distribution = Distribution(logits)
    if let seed {
      let number = uniformNumber(seed: seed, position: ids.count)
      return distribution.candidate(settings.choices(logits, after: ids, banned: banned).id(at: number))
    }
    guard settings.changesLogits || !banned.isEmpty else { return distribution.mostLikely }
    let mostLikely = settings.penalized(logits, after: ids, banned: banned).withUnsafeBufferPointer {
      Distribution($0).mostLikely
    }
    return distribution.candidate(mostLikely.id)
  }
}
