import LanguageModel

/// The positions of a sequence in a pass: those that are not in its KV cache, and those that verify a draft.
struct Verification {
  /// The index of the sequence.
  let index: Int
  let entry: Transformer.BatchEntry
  private let cache: KeyValueCache
  private let draft: Drafter.Draft
  fileprivate let isStep: Bool
  /// The number of drafted tokens that are the tokens of the sequence.
  private var accepted = 0
  /// True if the logits of further positions are not used.
  private(set) var isOver = false
  private var isCompared = false

  init(_ sequence: GrowingSequence, at index: Int, _ cache: KeyValueCache, _ draft: Drafter.Draft) {
    (self.index, self.cache, self.draft) = (index, cache, draft)
    isStep = cache.count + 1 == sequence.ids.count
    entry = sequence.batchEntry(cache, draft: draft.ids)
  }

  /// Compares the next token of the draft with the token that was appended to the sequence.
  ///
  /// - Parameter token: nil if the sequence has no next token.
  mutating func compare(_ token: Int?) {
    guard let token, accepted < draft.ids.count else {
      isOver = true
      return
    }
    if token == draft.ids[accepted] { accepted += 1 } else { (isOver, isCompared) = (true, true) }
  }

  /// Adds the positions of accepted tokens to the KV cache.
  func finish(_ drafter: Drafter?) {
    cache.acceptDraft(accepted)
    drafter?.observe(draft, accepted: accepted, isComplete: isCompared)
  }
}

extension [Verification] {
  /// The number of positions.
  var rowCount: Int { reduce(0) { $0 + $1.entry.ids.count } }

  /// True if each sequence has one new position and a draft, so that the time of the pass is that of a step.
  var areSteps: Bool { allSatisfy(\.isStep) }
}
