import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Sampling
import Tokenizer

/// A sequence that grows token by token: its record, and what has been added to it.
struct GrowingSequence {
  /// Why a sequence has ended.
  enum End: String {
    case endOfText = "eos"
    case stop
    case length
    case before  // it was done when it was read
  }

  private(set) var ids: [Int]
  /// Why it has ended; nil as long as it can go on.
  var done: End?
  /// Tokens appended so far.
  private(set) var steps = 0
  private var cache: KeyValueCache?

  /// What tokens are drawn with; nil where they are not.
  let seed: UInt64?

  private let record: Record
  private var tokenizer: ByteLevelTokenizer?  // once a token has been appended
  private var text: [UInt8]?  // nil where the record has none, or it is no longer UTF-8
  private let hadText: Bool
  private var tail: [UInt8] = []  // the bytes of a character that is not complete yet
  private var logits: [Float]?
  private var next: Distribution.Candidate?
  /// How many ids the record has if no step was made before, else nil: the record says where the prompt ends.
  private let newPrompt: Int?

  init(_ record: Record, _ ids: [Int], text: [UInt8]?, logits: [Float]?, seed: UInt64?) throws {
    self.record = record
    self.seed = seed
    self.ids = ids
    self.text = text
    hadText = text != nil
    self.logits = logits
    newPrompt = try Self.newPrompt(of: record, ids)
  }

  /// The sequence of a record that is done: nothing is read of it, and it is written as it is.
  init(finished record: Record) throws {
    try self.init(record, [], text: nil, logits: nil, seed: nil)
    done = .before
  }

  /// The number of given ids, for a record that does not have it. A member `prompt` that is no number has another meaning.
  private static func newPrompt(of record: Record, _ ids: [Int]) throws -> Int? {
    guard var value = try record.value(of: "prompt") else { return ids.count }
    guard try value.kind() == .number else { return nil }
    return try (0...ids.count).contains(value.integer()) ? nil : ids.count  // ids may have been cut
  }

  /// What the model has to compute for the next token.
  ///
  /// - Parameter makeCache: is called the first time, and gives a cache that may have the beginning of the ids.
  mutating func continuation(_ makeCache: ([Int]) throws -> KeyValueCache) rethrows -> Transformer.Continuation {
    let cache = try cache ?? makeCache(ids)
    self.cache = cache
    return Transformer.Continuation(Array(ids[cache.count...]), cache, logitsAt: ids.count - 1..<ids.count)
  }

  /// The record's own logits, which are used up by this.
  mutating func takeLogits() -> [Float]? {
    defer { logits = nil }
    return logits
  }

  mutating func append(_ candidate: Distribution.Candidate, _ tokenizer: ByteLevelTokenizer) {
    if self.tokenizer == nil {
      self.tokenizer = tokenizer
      let end = bytes(ofLast: 3)  // an incomplete character has three bytes at most
      tail = end.suffix(end.withUnsafeBufferPointer { incompleteUTF8Suffix($0) })
      // Ids that were edited have another text.
      if let given = text, !tokenizer.isText(given, of: ids) { text = tokenizer.text(of: ids) }
    }
    ids.append(candidate.id)
    steps += 1
    next = candidate
    guard !tokenizer.isSpecial(candidate.id) else {  // it is no text; and a character that it interrupts stays cut off
      if !tail.isEmpty { text = nil }
      tail = []
      return
    }
    let bytes = tail + bytes(ofLast: 1)
    let incomplete = bytes.withUnsafeBufferPointer { incompleteUTF8Suffix($0) }
    let complete = Array(bytes.dropLast(incomplete))
    tail = bytes.suffix(incomplete)
    if complete.withUnsafeBufferPointer({ isUTF8($0) }) {
      text?.append(contentsOf: complete)
    } else {
      text = nil
    }
  }

  /// Whether the last token has completed an occurrence of `stop`, which may have begun in tokens before it.
  func completes(_ stop: [UInt8]) -> Bool {
    let last = bytes(ofLast: 1).count
    let end = bytes(ofLast: stop.count + 1)  // a token has a byte at least
    guard last > 0, end.count >= stop.count else { return false }
    let firstEnd = max(stop.count, end.count - last + 1)
    return firstEnd <= end.count
      && (firstEnd...end.count).contains { end[($0 - stop.count)..<$0].elementsEqual(stop) }
  }

  private func bytes(ofLast count: Int) -> [UInt8] {
    ids.suffix(count).flatMap { tokenizer?.bytes(of: $0).map(Array.init) ?? [] }
  }

  /// Appends the record of the sequence as it stands, without a line end.
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
      if let newPrompt { changes.append(.set("prompt") { $0.append(json: newPrompt) }) }
      changes += Record.Change.dropsOfNewIDs + (try vocabulary.addition(to: record))
    }
    if let done { changes.append(.set("done") { $0.append(jsonString: done.rawValue) }) }
    record.write(to: output, changes)
  }
}
