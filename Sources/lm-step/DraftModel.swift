import Checkpoint
import CommandLineTool
import LanguageModel
import Sampling
import Speculation
import Threads
import Tokenizer

/// A smaller model with the same vocabulary, which drafts tokens (Leviathan et al., "Fast Inference from Transformers
/// via Speculative Decoding", ICML 2023; Chen et al., "Accelerating Large Language Model Decoding with Speculative
/// Sampling", 2023).
///
/// It chooses tokens by the same policy as the model, with the same random numbers. So the less its distributions
/// differ from those of the model, the more of its tokens are accepted. (In the papers, further random numbers decide
/// whether a token is accepted; then the output has the same distribution as without drafts, but other bytes.)
final class DraftModel {
  private let model: Transformer
  /// The number of logits that the policy expects.
  private let vocabularySize: Int
  private var rates = AcceptanceRates.ofProbabilities
  private var rate = AcceptanceRates(priors: [0.7])
  private var times = PassTimes()
  /// The number of passes to wait before the next draft, if drafts do not pay, and the number to wait then.
  private var (wait, nextWait) = (0, shortestWait)

  private static let shortestWait = 16
  private static let longestWait = 1024

  /// Returns nil if the command line names no draft model.
  ///
  /// - Parameter vocabularySize: the number of logits of the model.
  /// - Throws: `ToolError` if the vocabulary of the draft model differs from that of the model.
  init?(
    _ arguments: Arguments, _ tokenizer: Future<Tokenizer>, vocabularySize: Int, _ pool: ThreadPool
  ) throws {
    guard let path = arguments.path(.draft) else { return nil }
    let draftFiles = try ModelFiles(ModelLocation.find(path))
    try requireSameVocabulary(try Tokenizer(draftFiles, for: .decoding), tokenizer(), path.text)
    model = try Transformer(Checkpoint(draftFiles), ModelDefinition(draftFiles), pool)
    self.vocabularySize = vocabularySize
  }

  /// Returns the memory in bytes of a KV cache.
  func cacheSize(positions: Int) -> Int {
    KeyValueCache.size(model.shape, positions: min(positions, model.shape.contextLength))
  }

  /// The share of drafted tokens that are accepted.
  var meanRate: Double { rate[0] }

  /// Observes whether a token of a kind was accepted.
  func observe(_ kind: Int, isAccepted: Bool) {
    rates.observe(kind, isAccepted: isAccepted)
    rate.observe(0, isAccepted: isAccepted)
  }

  /// Drafts tokens for sequences together, as long as a further token is expected to pay.
  ///
  /// - Parameters:
  ///   - wanted: the index of each sequence, and the most tokens to draft for it.
  ///   - rows: the number of rows of the pass without these drafts.
  ///   - passTimes: the time of a pass of the model.
  ///   - body: called with the place of a sequence in `wanted` and its draft, if it has one.
  func draft(
    _ sequences: inout [GrowingSequence], _ wanted: [(index: Int, limit: Int)], rows: Int, _ passTimes: PassTimes,
    _ policy: NextTokenPolicy, _ body: (Int, Drafter.Draft) -> Void
  ) throws {
    guard !wanted.isEmpty else { return }
    if wait > 0 {
      wait -= 1
      return
    }
    var states = wanted.map { index, limit in State(sequences[index], limit: limit) }
    var total = 0  // drafted tokens
    var round = 0
    while true {
      let draftSeconds = times.isMeasured ? times.seconds(rows: wanted.count) / Double(wanted.count) : 0
      let passSeconds = passTimes.seconds(rows: rows + total)
      let rowSeconds = passTimes.seconds(rows: rows + total + 1) - passSeconds
      let expected = Double(rows) + states.reduce(0) { $0 + $1.expected }
      let current = expected / (passSeconds + Double(total) * draftSeconds)  // tokens per second
      let active = states.indices.filter { place in
        states[place].canContinue(in: model)
          && states[place].probability * meanRate > current * (rowSeconds + draftSeconds)
      }
      guard !active.isEmpty else { break }
      try extend(&states, active, &sequences, wanted, policy)
      total += active.count
      round += 1
    }
    if round == 0, states.contains(where: { $0.canContinue(in: model) }) {
      (wait, nextWait) = (nextWait, min(2 * nextWait, Self.longestWait))
      // Drafts after the wait show whether the rate has changed.
      rate = AcceptanceRates(priors: [max(meanRate, 0.5)])
    } else if round > 0 {
      nextWait = max(nextWait - 1, Self.shortestWait)
    }
    for (place, state) in states.enumerated() where !state.draft.ids.isEmpty { body(place, state.draft) }
  }

  /// A sequence with its draft.
  private struct State {
    var ids: [Int]
    let seed: UInt64?
    let limit: Int
    var draft = Drafter.Draft()
    /// The probability that the whole draft is accepted, and the expected number of accepted tokens.
    var (probability, expected) = (1.0, 0.0)
    var hasFailed = false

    init(_ sequence: GrowingSequence, limit: Int) {
      (ids, seed, self.limit) = (sequence.ids, sequence.seed, limit)
    }

    func canContinue(in model: Transformer) -> Bool {
      !hasFailed && draft.ids.count < limit && ids.count < model.shape.contextLength
        && (!draft.ids.isEmpty || ids.allSatisfy { $0 < model.shape.vocabularySize })
    }
  }

  /// Drafts one more token for each of the states at the places `active`.
  private func extend(
    _ states: inout [State], _ active: [Int], _ sequences: inout [GrowingSequence],
    _ wanted: [(index: Int, limit: Int)], _ policy: NextTokenPolicy
  ) throws {
    var isStep = true
    let entries = active.map { place in
      let ids = states[place].ids
      let cache = sequences[wanted[place].index].draftCache ?? model.makeCache()
      sequences[wanted[place].index].draftCache = cache
      cache.reusePrefix(of: ids)
      isStep = isStep && ids.count - cache.count <= 2  // two after a draft that was accepted as a whole
      return Transformer.BatchEntry(Array(ids[cache.count...]), cache, logitsAt: ids.count - 1..<ids.count)
    }
    let clock = ContinuousClock()
    let start = clock.now
    try model.forward(entries) { index, _, logits in
      let place = active[index]
      withLogits(logits) { logits in
        guard (try? requireFinite(logits)) != nil else {
          states[place].hasFailed = true
          return
        }
        let next = policy.next(logits, after: states[place].ids, seed: states[place].seed)
        let kind = AcceptanceRates.kind(probability: next.p)
        states[place].ids.append(next.id)
        states[place].draft.ids.append(next.id)
        states[place].draft.kinds.append(kind)
        states[place].draft.rates.append(rates[kind])
        states[place].probability *= rates[kind]
        states[place].expected += states[place].probability
      }
    }
    if isStep { times.observe(rows: active.count, seconds: (clock.now - start) / .seconds(1)) }
  }

  /// Calls `body` with as many logits as the model has: the vocabularies of two models can be padded differently.
  private func withLogits(_ logits: UnsafeBufferPointer<Float>, _ body: (UnsafeBufferPointer<Float>) -> Void) {
    guard logits.count != vocabularySize else { return body(logits) }
    let padding = repeatElement(-Float.greatestFiniteMagnitude, count: max(0, vocabularySize - logits.count))
    (Array(logits.prefix(vocabularySize)) + padding).withUnsafeBufferPointer(body)
  }
}

/// Throws if two tokenizers do not have the same tokens with the same ids. The error names the first difference.
private func requireSameVocabulary(_ draft: Tokenizer, _ tokenizer: Tokenizer, _ path: String) throws {
  guard draft.fingerprint != tokenizer.fingerprint else { return }
  func description(_ tokenizer: Tokenizer, _ id: Int) -> String {
    tokenizer.bytes(of: id).map { quoted($0, isUTF8: true) } ?? "missing"
  }
  let ids = 0..<max(draft.vocabularySize, tokenizer.vocabularySize)
  let difference = ids.first { id in
    switch (draft.bytes(of: id), tokenizer.bytes(of: id)) {
    case (let first?, let second?): !first.elementsEqual(second)
    case (nil, nil): false
    default: true
    }
  }
  guard let id = difference else { return }
  throw ToolError(
    .badData,
    "--draft \(path): the draft model must have the vocabulary of the model, but token \(id) is "
      + "\(description(draft, id)) instead of \(description(tokenizer, id))")
}
