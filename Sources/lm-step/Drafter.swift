import LanguageModel
import Speculation

/// Drafts the next tokens of sequences, so that the model can verify several in one pass (speculative decoding), and
/// adapts the lengths of drafts to the share that is accepted and to the time of passes.
///
/// Drafts do not change the output. The logits of a position have the same bits in any pass, and the token depends on
/// the seed, the position and the logits only. So each drafted token is compared with the token that a step chooses; at
/// the first difference the rest of the draft is dropped.
final class Drafter {
  /// The drafted tokens of a sequence.
  struct Draft {
    var ids: [Int] = []
    /// The probability that each token is accepted if all before it are.
    var rates: [Double] = []
    /// The kind of each token in the rates of the draft model; empty for a draft from the text.
    var kinds: [Int] = []

    /// Returns the first `count` tokens.
    func prefix(_ count: Int) -> Draft {
      Draft(ids: Array(ids.prefix(count)), rates: Array(rates.prefix(count)), kinds: Array(kinds.prefix(count)))
    }
  }

  static let longestDraft = 15

  private var rates = AcceptanceRates.ofMatches
  private var times = PassTimes()
  private let model: DraftModel?

  /// - Parameter model: drafts tokens if the text does not contain a better draft.
  init(_ model: DraftModel?) { self.model = model }

  /// Returns the memory in bytes of a KV cache of the draft model; 0 without a draft model.
  func cacheSize(positions: Int) -> Int { model?.cacheSize(positions: positions) ?? 0 }

  /// Returns drafts for some of the sequences, with as many tokens as pay.
  ///
  /// - Parameter limits: the most tokens for each of the sequences at `indices`.
  func drafts(
    _ sequences: inout [GrowingSequence], _ indices: [Int], limits: [Int], _ policy: NextTokenPolicy
  ) throws -> [Draft] {
    var drafts = zip(indices, limits).map { index, limit in
      for id in sequences[index].ids[sequences[index].suffixes.count...] { sequences[index].suffixes.append(id) }
      return draftFromText(sequences[index].suffixes, min(limit, Self.longestDraft))
    }
    guard times.isMeasured else { return drafts.map { _ in Draft() } }
    if let model {
      let places = drafts.indices.filter { drafts[$0].rates.first ?? 0 < model.meanRate && limits[$0] > 0 }
      let others = draftLengths(drafts.map(\.rates), times).reduce(0, +)
      let wanted = places.map { (indices[$0], min(limits[$0], Self.longestDraft)) }
      try model.draft(&sequences, wanted, rows: indices.count + others, times, policy) { drafts[places[$0]] = $1 }
    }
    return zip(drafts, draftLengths(drafts.map(\.rates), times)).map { $0.prefix($1) }
  }

  private func draftFromText(_ suffixes: SuffixIndex, _ limit: Int) -> Draft {
    guard let match = suffixes.match, limit > 0 else { return Draft() }
    return Draft(
      ids: suffixes.continuation(limit),
      rates: (0..<limit).map { rates[AcceptanceRates.kind(matchLength: match.length + $0)] })
  }

  /// Observes the next token of a sequence, before it is appended, with or without a draft.
  func observe(_ id: Int, after suffixes: SuffixIndex) {
    guard let match = suffixes.match, let next = suffixes.next else { return }
    rates.observe(AcceptanceRates.kind(matchLength: match.length), isAccepted: next == id)
  }

  /// Observes how many tokens of a draft were accepted.
  ///
  /// - Parameter isComplete: false if the sequence ended before the next token of the draft was compared.
  func observe(_ draft: Draft, accepted: Int, isComplete: Bool) {
    guard let model, !draft.kinds.isEmpty else { return }
    for (index, kind) in draft.kinds.enumerated() where index < accepted || index == accepted && isComplete {
      model.observe(kind, isAccepted: index < accepted)
    }
  }

  /// Observes the time of a pass.
  func observe(rows: Int, seconds: Double) { times.observe(rows: rows, seconds: seconds) }
}
