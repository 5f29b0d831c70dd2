import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Threads
import Tokenizer

/// Extends sequences by the number of tokens that the command line requests, and decides when they end.
final class Stepper {
  private let shape: ModelShape
  private let tokenizer: Future<Tokenizer>  // read while the model is opened or computes
  private let vocabulary: ModelVocabulary
  private let model: Lazy<Transformer>  // not opened if all records have logits
  private let fileCache: Lazy<KeyValueCache>?  // the KV cache of --cache
  private let policy: Lazy<NextTokenPolicy>  // --bias needs the vocabulary
  private let controls: Lazy<TokenControls>?
  private let stops: [[UInt8]]
  private let eosTokenIDs: [Int]
  private let count: Int
  private let writesEachStep: Bool
  private let alternatives: Int?
  /// True if at least one record was not done when it was read.
  private(set) var hadWork = false

  init(_ arguments: Arguments) throws {
    let files = try arguments.modelFiles()
    let definition = try ModelDefinition(files)
    shape = definition.shape
    let pool = ThreadPool(threads: arguments.threadCount)
    let tokenizer = Future(pool, cost: shape.vocabularySize * Self.costPerToken) {
      try Tokenizer(files, for: .decoding)
    }
    self.tokenizer = tokenizer
    vocabulary = ModelVocabulary { try tokenizer() }
    let model = Lazy { try Transformer(Checkpoint(files), definition, pool) }
    self.model = model
    fileCache = arguments.path(.cache).map { path in
      Lazy { try model().makeCache(inFile: path) { arguments.note("\(path): \($0)") } }
    }
    let size = shape.vocabularySize
    controls =
      arguments.has(.bias) || arguments.has(.ban)
      ? Lazy { try TokenControls(arguments, tokenizer(), vocabularySize: size) } : nil
    policy = Lazy { [controls] in NextTokenPolicy(arguments, biases: try controls?().biases ?? [:]) }
    stops = arguments.allBytes(.stop)
    guard !stops.contains([]) else { throw ToolError(.usage, "--stop must not be empty") }
    eosTokenIDs = arguments.has(.ignoreEOS) ? [] : shape.eosTokenIDs
    count = arguments.integer(.count) ?? 1
    writesEachStep = arguments.has(.each)
    alternatives = arguments.integer(.alternatives)
    guard alternatives == nil || NextTokenPolicy.samples(arguments) else {
      throw ToolError(
        .usage, "--alternatives requires sampling, for example --temperature 1: greedy decoding has one result")
    }
  }

  /// Reads the vocabulary ahead of its first use.
  func prepare() { vocabulary.prepare() }

  /// The sequences of one record: one, or the alternatives.
  typealias Group = [GrowingSequence]

  /// Returns the sequences of a record; nil if the record has no ids, because then there is no next token.
  func begin(_ record: Record, in filter: Filter) throws -> Group? {
    guard try !record.isTrue("done") else { return [try GrowingSequence(finished: record)] }
    if count > 0, try !record.has("logits") { _ = try model() }  // opened while the vocabulary is being read
    try vocabulary.check(record)
    let ids = try record.ids(
      inVocabularyOf: shape.vocabularySize, contextLength: shape.contextLength)
    guard !ids.isEmpty else {
      filter.noteEmptyIDs()
      return nil
    }
    hadWork = true
    let logits = try record.logits()
    if let logits { try record.requireLogits(logits.count, ofVocabulary: shape.vocabularySize) }
    let text = try record.string("text")
    return try (0..<(alternatives ?? 1)).map { number in
      var sequence = try GrowingSequence(
        record, ids, text: text, logits: logits,
        seed: try policy().seed(of: record, at: filter.recordIndex, number, of: alternatives ?? 1),
        alternative: alternatives.map { _ in number + 1 })
      if ids.count == shape.contextLength { sequence.done = .length }
      return sequence
    }
  }

  /// Returns whether the sequences of one more record can be extended together with those of other records, so that
  /// their KV caches fit in `maximumCacheSize`.
  func hasRoom(besides groups: [Group], for next: Group) -> Bool {
    let sequences = groups.joined() + next
    guard !writesEachStep, fileCache == nil, sequences.count <= Self.maximumSequences else { return false }
    let lengths = sequences.map { $0.ids.count + min(count, shape.contextLength - $0.ids.count) }
    return lengths.reduce(0) { $0 + KeyValueCache.size(shape, positions: $1) } <= Self.maximumCacheSize
  }

  /// The cost of reading one token of the vocabulary, about 50 ns, in multiply-adds.
  private static let costPerToken = 1_000
  private static let maximumSequences = Option.mostAlternatives
  private static let maximumCacheSize = 1 << 29  // bytes

  /// Extends the sequences of some records together, and writes those of each record as soon as they and all sequences
  /// before them are finished.
  ///
  /// - Parameters:
  ///   - countTokens: called after each step with the number of tokens that it generated.
  ///   - reject: called instead of writing the sequences of a record if the logits of one of them are not finite.
  func grow(
    _ groups: [Group], _ output: Output, countTokens: (Int) -> Void,
    _ reject: (_ error: any Error, _ index: Int) throws -> Void
  ) throws {
    var sequences = Array(groups.joined())
    var ranges: [Range<Int>] = []  // of the groups in `sequences`
    for group in groups {
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + group.count)
    }
    var errors: [Int: any Error] = [:]
    var written = 0  // groups
    while true {
      while written < groups.count {
        let group = ranges[written]
        if let error = group.lazy.compactMap({ errors[$0] }).first {
          try reject(error, written)
        } else if group.contains(where: { needsStep(sequences[$0]) }) {
          break
        } else {
          for sequence in sequences[group] where !writesEachStep || sequence.steps == 0 { try write(sequence, output) }
        }
        written += 1
      }
      let unfinished = ranges[written...].joined().filter { errors[$0] == nil && needsStep(sequences[$0]) }
      guard !unfinished.isEmpty else { return }
      try step(&sequences, unfinished) { errors[$1] = $0 }
      countTokens(unfinished.count)
      if writesEachStep, errors.isEmpty { try write(sequences[0], output) }
    }
  }

  private func needsStep(_ sequence: GrowingSequence) -> Bool { sequence.done == nil && sequence.steps < count }

  private func write(_ sequence: GrowingSequence, _ output: Output) throws {
    try sequence.write(to: output.buffer, vocabulary)
    try output.endLine()
    try output.flush()  // computing the next token takes a while
  }

  /// Appends a token to each of the sequences at `indices`. Calls `reject` for a sequence whose logits are not finite.
  private func step(
    _ sequences: inout [GrowingSequence], _ indices: [Int], _ reject: (_ error: any Error, _ index: Int) -> Void
  ) throws {
    func append(_ logits: UnsafeBufferPointer<Float>, _ index: Int) throws {
      let tokenizer = try tokenizer()
      do {
        try requireFinite(logits, position: sequences[index].ids.count - 1)
        let controls = try controls?()
        // A token has at least one byte.
        let tail = sequences[index].bytes(ofLast: controls?.neededBytes ?? 0, tokenizer)
        let next = try policy().next(
          logits, after: sequences[index].ids, banned: controls?.bannedTokens(after: tail) ?? [],
          seed: sequences[index].seed)
        sequences[index].append(next, tokenizer)
        sequences[index].done = end(of: sequences[index])
      } catch { reject(error, index) }
    }
    var batch: [(index: Int, entry: Transformer.BatchEntry)] = []
    func computeBatch() throws {
      try model().forward(batch.map(\.entry)) { place, _, logits in try append(logits, batch[place].index) }
      batch = []
    }
    for index in indices {
      if let logits = sequences[index].takeLogits() {
        try logits.withUnsafeBufferPointer { try append($0, index) }
        continue
      }
      let entry = try sequences[index].batchEntry { ids in
        let cache = try fileCache?() ?? model().makeCache()
        cache.reusePrefix(of: ids)
        return cache
      }
      batch.append((index, entry))
      if batch.reduce(0, { $0 + $1.entry.ids.count }) >= Transformer.maximumBatchTokens { try computeBatch() }
    }
    if !batch.isEmpty { try computeBatch() }
  }

  /// Returns the reason why the sequence ends with its last token; nil if it does not end.
  private func end(of sequence: GrowingSequence) -> GrowingSequence.End? {
    if let last = sequence.ids.last, eosTokenIDs.contains(last) { return .eos }
    if stops.contains(where: sequence.completes) { return .stop }
    return sequence.ids.count == shape.contextLength ? .length : nil
  }
}
