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
  private let drafter: Drafter?
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
    policy = Lazy {
      let hasControls = arguments.has(.bias) || arguments.has(.ban)
      return NextTokenPolicy(
        arguments, hasControls ? try TokenControls(arguments, tokenizer(), vocabularySize: size) : nil)
    }
    stops = arguments.allBytes(.stop)
    guard !stops.contains([]) else { throw ToolError(.usage, "--stop must not be empty") }
    eosTokenIDs = arguments.has(.ignoreEOS) ? [] : shape.eosTokenIDs
    count = arguments.integer(.count) ?? 1
    let draftModel = try DraftModel(arguments, tokenizer, vocabularySize: size, pool)
    // The first token needs a pass of its own, and the last one no draft.
    drafter = count < 3 || arguments.has(.noSpeculation) ? nil : Drafter(draftModel)
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
    let sizes = lengths.map { KeyValueCache.size(shape, positions: $0) + (drafter?.cacheSize(positions: $0) ?? 0) }
    return sizes.reduce(0, +) <= Self.maximumCacheSize
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
      try step(&sequences, unfinished) { sequence in
        countTokens(1)
        if writesEachStep { try write(sequence, output) }
      } _: {
        errors[$1] = $0
      }
    }
  }

  private func needsStep(_ sequence: GrowingSequence) -> Bool { sequence.done == nil && sequence.steps < count }

  private func write(_ sequence: GrowingSequence, _ output: Output) throws {
    try sequence.write(to: output.buffer, vocabulary)
    try output.endLine()
    try output.flush()  // computing the next token takes a while
  }

  /// Appends a token to each of the sequences at `indices`, and more tokens to those whose drafts are accepted.
  ///
  /// - Parameters:
  ///   - didAppend: called after each token with its sequence.
  ///   - reject: called for a sequence whose logits are not finite.
  private func step(
    _ sequences: inout [GrowingSequence], _ indices: [Int], _ didAppend: (GrowingSequence) throws -> Void,
    _ reject: (_ error: any Error, _ index: Int) -> Void
  ) throws {
    /// Returns whether a token was appended.
    func append(_ logits: UnsafeBufferPointer<Float>, _ index: Int) throws -> Bool {
      let tokenizer = try tokenizer()
      do {
        try requireFinite(logits, position: sequences[index].ids.count - 1)
        let next = try policy().next(logits, after: sequences[index].ids, seed: sequences[index].seed)
        drafter?.observe(next.id, after: sequences[index].suffixes)
        sequences[index].append(next, tokenizer)
        sequences[index].done = end(of: sequences[index])
      } catch {
        reject(error, index)
        return false
      }
      try didAppend(sequences[index])
      return true
    }
    var pending: [(index: Int, cache: KeyValueCache)] = []
    for index in indices {
      if let logits = sequences[index].takeLogits() {
        _ = try logits.withUnsafeBufferPointer { try append($0, index) }
        continue
      }
      let cache = try sequences[index].prepareCache { ids in
        let cache = try fileCache?() ?? model().makeCache()
        cache.reusePrefix(of: ids)
        return cache
      }
      pending.append((index, cache))
    }
    let drafts = try drafts(&sequences, pending)
    var batch: [Verification] = []
    for (place, (index, cache)) in pending.enumerated() {
      batch.append(Verification(sequences[index], at: index, cache, drafts?[place] ?? Drafter.Draft()))
      guard place == pending.count - 1 || batch.rowCount >= Transformer.maximumBatchTokens else { continue }
      let start = ContinuousClock.now
      var duration: Duration?
      try model().forward(batch.map(\.entry)) { place, _, logits in
        duration = duration ?? ContinuousClock.now - start  // without the time to write tokens
        guard !batch[place].isOver else { return }
        let index = batch[place].index
        let hasNext = try append(logits, index) && needsStep(sequences[index])
        batch[place].compare(hasNext ? sequences[index].ids.last : nil)
      }
      if batch.areSteps, let duration { drafter?.observe(rows: batch.rowCount, seconds: duration / .seconds(1)) }
      for verification in batch { verification.finish(drafter) }
      batch = []
    }
  }

  /// Returns drafts for sequences with KV caches; nil if tokens are not drafted.
  private func drafts(
    _ sequences: inout [GrowingSequence], _ pending: [(index: Int, cache: KeyValueCache)]
  ) throws -> [Drafter.Draft]? {
    guard let drafter, !pending.isEmpty else { return nil }
    let limits = try pending.map { index, cache in
      let sequence = sequences[index]
      guard cache.count + 1 == sequence.ids.count else { return 0 }
      let needed = count - sequence.steps - 1  // the pass yields one token more than the draft has
      return try model().draftLimit(cache, after: 1, atMost: min(needed, Drafter.longestDraft))
    }
    return try drafter.drafts(&sequences, pending.map(\.index), limits: limits, policy())
  }

  /// Returns the reason why the sequence ends with its last token; nil if it does not end.
  private func end(of sequence: GrowingSequence) -> GrowingSequence.End? {
    if let last = sequence.ids.last, eosTokenIDs.contains(last) { return .eos }
    if stops.contains(where: sequence.completes) { return .stop }
    return sequence.ids.count == shape.contextLength ? .length : nil
  }
}
