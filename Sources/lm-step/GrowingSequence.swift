import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Sampling
import Speculation
import Tokenizer

/// A sequence that is extended token by token: its record, the new tokens and the state for the next token.
struct GrowingSequence {
  /// The reason why a sequence has ended: the value of the member `done`.
  enum End: String {
    case eos
    case stop
    case length
    case before  // the record was done when it was read
  }

  private(set) var ids: [Int]
  /// The reason why the sequence has ended; nil if it has not ended.
  var done: End?
  /// The number of tokens appended so far.
  private(set) var steps = 0
  private var cache: KeyValueCache?
  /// The tokens of the sequence, to draft its next tokens from; empty if no token has been drafted.
  var suffixes = SuffixIndex()
  /// The KV cache of the draft model.
  var draftCache: KeyValueCache?

  /// The seed for sampling; nil for greedy decoding.
  let seed: UInt64?

  /// The number of the sequence among the alternatives of its record, from 1; nil without `--alternatives`.
  private let alternative: Int?
  /// The sum of the log-probabilities of the tokens appended so far.
  private var logprob = 0.0

  private let record: Record
  private var tokenizer: Tokenizer?  // set when the first token is appended
  private var text: [UInt8]?  // nil if the record has no text, or the text is no longer UTF-8
  private let hadText: Bool
  private var tail: [UInt8] = []  // the first bytes of an incomplete character at the end
  private var logits: [Float]?
  private var next: Distribution.Candidate?
  /// The value to set for the member `prompt`, the number of ids in the prompt; nil if the record has the member
  /// already.
  private let newPrompt: Int?

  init(
    _ record: Record, _ ids: [Int], text: [UInt8]?, logits: [Float]?, seed: UInt64?, alternative: Int? = nil
  ) throws {
    self.record = record
    self.alternative = alternative
    self.seed = seed
    self.ids = ids
    self.text = text
    hadText = text != nil
    self.logits = logits
    newPrompt = try Self.newPrompt(of: record, ids)
  }

  /// The sequence of a record that is done. It is written unchanged.
  init(finished record: Record) throws {
    try self.init(record, [], text: nil, logits: nil, seed: nil)
    done = .before
  }

  /// Returns the number of ids if the record's member `prompt` is missing or too large. A member `prompt` that is not a
  /// number has another meaning and is kept.
  private static func newPrompt(of record: Record, _ ids: [Int]) throws -> Int? {
    guard let prompt = try record.prompt() else { return try record.has("prompt") ? nil : ids.count }
    return prompt <= ids.count ? nil : ids.count  // ids may have been removed
  }

  /// Makes the KV cache before its first use.
  ///
  /// - Parameter make: returns the cache, which may contain a prefix of the ids.
  mutating func prepareCache(_ make: ([Int]) throws -> KeyValueCache) rethrows -> KeyValueCache {
    let cache = try cache ?? make(ids)
    self.cache = cache
    return cache
  }

  /// Returns the tokens that the model must process to compute the logits of the next token, and those that verify a
  /// draft of the tokens after it.
  func batchEntry(_ cache: KeyValueCache, draft: [Int]) -> Transformer.BatchEntry {
    Transformer.BatchEntry(
      Array(ids[cache.count...]) + draft, draftCount: draft.count, cache,
      logitsAt: ids.count - 1..<ids.count + draft.count)
  }

  /// Returns the logits of the record if it has logits that have not been used yet.
  mutating func takeLogits() -> [Float]? {
    defer { logits = nil }
    return logits
  }

  /// Appends a token to the ids and to the text.
  mutating func append(_ candidate: Distribution.Candidate, _ tokenizer: Tokenizer) {
    if self.tokenizer == nil {
      self.tokenizer = tokenizer
      let end = bytes(ofLast: 3)  // an incomplete character has at most three bytes
      tail = end.suffix(incompleteUTF8Suffix(end.span))
      // If the ids were edited, the record's text no longer matches them.
      if let given = text, !tokenizer.isText(given, of: ids) { text = tokenizer.text(of: ids) }
    }
    // The first token of a text can have other bytes than within a text
    let isFirst = text?.isEmpty ?? false && ids.allSatisfy(tokenizer.isSpecial)
    ids.append(candidate.id)
    if suffixes.count > 0 { suffixes.append(candidate.id) }
    logprob += Double(candidate.logprob)
    steps += 1
    next = candidate
    // A special token has no text, and a character that it interrupts stays incomplete.
    guard !tokenizer.isSpecial(candidate.id) else {
      if !tail.isEmpty { text = nil }
      tail = []
      return
    }
    let bytes = tail + (isFirst ? tokenizer.decode(CollectionOfOne(candidate.id)) : bytes(ofLast: 1))
    let incomplete = incompleteUTF8Suffix(bytes.span)
    let complete = Array(bytes.dropLast(incomplete))
    tail = bytes.suffix(incomplete)
    if isUTF8(complete.span) {
      text?.append(contentsOf: complete)
    } else {
      text = nil
    }
  }

  /// Returns whether the last token completes an occurrence of `stop`, which can begin in an earlier token.
  func completes(_ stop: [UInt8]) -> Bool {
    let last = bytes(ofLast: 1).count
    let end = bytes(ofLast: stop.count + 1)  // a token has at least one byte
    guard last > 0, end.count >= stop.count else { return false }
    let firstEnd = max(stop.count, end.count - last + 1)
    return firstEnd <= end.count
      && (firstEnd...end.count).contains { end[($0 - stop.count)..<$0].elementsEqual(stop) }
  }

  /// Returns the bytes of the last `count` tokens.
  private func bytes(ofLast count: Int) -> [UInt8] { tokenizer?.bytes(ofLast: count, in: ids) ?? [] }

  /// Appends the record of the sequence in its current state, without a line end.
  func write(to output: ByteBuffer, _ vocabulary: ModelVocabulary) throws {
    guard done != .before else { return output.append(record.line) }
    var changes: [Record.Change] = []
    if hadText, steps > 0 {
      changes.append(text.map { text in .set("text") { $0.append(jsonString: text) } } ?? .drop("text"))
    }
    if let next, let tokenizer {
      changes.append(.set("ids") { $0.append(json: ids) })
      changes.append(.set("next") { $0.append(next, tokenizer) })
      if let seed { changes.append(.set("seed") { $0.append(json: Int(seed)) }) }
      if let alternative {
        changes.append(.set("alternative") { $0.append(json: alternative) })
        let sum = Float(max(logprob, -Double(Float.greatestFiniteMagnitude)))
        changes.append(.set("new_logprob") { $0.append(json: sum) })
      }
      if let newPrompt { changes.append(.set("prompt") { $0.append(json: newPrompt) }) }
      changes += Record.Change.staleWithNewIDs + (try vocabulary.addition(to: record))
    }
    if let done { changes.append(.set("done") { $0.append(jsonString: done.rawValue) }) }
    record.write(to: output, changes)
  }
}
