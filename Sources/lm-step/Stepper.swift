import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Threads
import Tokenizer

/// Grows sequences by the tokens that the command line asks for, and knows when they have ended.
final class Stepper {
  private let configuration: ModelConfiguration
  private let tokenizer: Future<ByteLevelTokenizer>  // read while the model is opened, or computes
  private let vocabulary: ModelVocabulary
  private let model: Lazy<Transformer>  // not opened for records that carry their logits
  private let kept: Lazy<KeyValueCache>?  // of --cache
  private let choice: TokenChoice
  private let stops: [[UInt8]]
  private let eosTokenIDs: [Int]
  private let count: Int
  private let writesEachStep: Bool
  /// Whether a record was read that was not done.
  private(set) var hadWork = false

  init(_ arguments: Arguments) throws {
    let files = try arguments.modelFiles()
    let configuration = try ModelConfiguration(files)
    self.configuration = configuration
    let pool = ThreadPool(threads: arguments.threadCount)
    let tokenizer = Future(pool, operations: configuration.vocabularySize * Self.operationsOfToken) {
      try ByteLevelTokenizer(files, for: .decoding)
    }
    self.tokenizer = tokenizer
    vocabulary = ModelVocabulary { try tokenizer() }
    let model = Lazy { try Transformer(Checkpoint(files, configuration), pool) }
    self.model = model
    kept = arguments.path(.cache).map { path in
      Lazy { try model().makeCache(inFile: path) { arguments.note("\(path): \($0)") } }
    }
    choice = TokenChoice(arguments)
    stops = arguments.allBytes(.stop)
    guard !stops.contains([]) else { throw ToolError(.usage, "--stop wants a text of one character at least") }
    eosTokenIDs = arguments.has(.ignoreEOS) ? [] : configuration.eosTokenIDs
    count = arguments.integer(.count) ?? 1
    writesEachStep = arguments.has(.each)
  }

  /// Reads the vocabulary, if there is time for it.
  func prepare() { vocabulary.prepare() }

  /// The state of the sequence that a record holds; nil for an empty text, which has no next token.
  func begin(_ record: Record, in filter: Filter) throws -> GrowingSequence? {
    guard try !record.isTrue("done") else { return try GrowingSequence(finished: record) }
    if count > 0, try !record.has("logits") { _ = try model() }  // while the vocabulary is being read
    try vocabulary.check(record)
    let ids = try record.ids(for: configuration)
    guard !ids.isEmpty else {
      filter.noteEmptyText()
      return nil
    }
    hadWork = true
    let logits = try record.logits()
    if let logits { try record.requireLogits(logits.count, ofVocabulary: configuration.vocabularySize) }
    var sequence = try GrowingSequence(
      record, ids, text: try record.string("text"), logits: logits,
      seed: try choice.seed(of: record, at: filter.recordIndex))
    if ids.count == configuration.contextLength { sequence.done = .length }
    return sequence
  }

  /// Whether one more sequence can grow together with some others: caches take memory.
  func hasRoom(besides run: [GrowingSequence], for next: GrowingSequence) -> Bool {
    guard !writesEachStep, kept == nil, run.count < Self.mostSequences else { return false }
    let lengths = (run + [next]).map { $0.ids.count + min(count, configuration.contextLength - $0.ids.count) }
    return lengths.reduce(0) { $0 + KeyValueCache.size(configuration, positions: $1) } <= Self.mostCacheBytes
  }

  /// A token of the vocabulary is read in some 50 ns.
  private static let operationsOfToken = 1_000
  private static let mostSequences = 64
  private static let mostCacheBytes = 1 << 29

  /// Grows the sequences together, and writes each as soon as it and all before it are ready.
  ///
  /// - Parameters:
  ///   - told: called after each step with the number of tokens that it made.
  ///   - refuse: called for a sequence that turns out to be bad, in its place.
  func grow(
    _ sequences: [GrowingSequence], _ output: Output, told: (Int) -> Void,
    _ refuse: (_ error: any Error, _ index: Int) throws -> Void
  ) throws {
    var sequences = sequences
    var faults: [Int: any Error] = [:]
    var written = 0
    while true {
      while written < sequences.count {
        if let fault = faults[written] {
          try refuse(fault, written)
        } else if needsStep(sequences[written]) {
          break
        } else if !writesEachStep || sequences[written].steps == 0 {
          try write(sequences[written], output)
        }
        written += 1
      }
      let growing = (written..<sequences.count).filter { faults[$0] == nil && needsStep(sequences[$0]) }
      guard !growing.isEmpty else { return }
      try step(&sequences, growing) { faults[$1] = $0 }
      told(growing.count)
      if writesEachStep, faults.isEmpty { try write(sequences[0], output) }
    }
  }

  private func needsStep(_ sequence: GrowingSequence) -> Bool { sequence.done == nil && sequence.steps < count }

  private func write(_ sequence: GrowingSequence, _ output: Output) throws {
    try sequence.write(to: output.buffer, vocabulary)
    try output.endLine()
    try output.flush()  // the next token takes a while
  }

  /// Appends a token to each of the sequences at `indices`; `refuse` is told of those for which there is none.
  private func step(
    _ sequences: inout [GrowingSequence], _ indices: [Int], _ refuse: (_ error: any Error, _ index: Int) -> Void
  ) throws {
    func append(_ logits: UnsafeBufferPointer<Float>, _ index: Int) throws {
      let tokenizer = try tokenizer()
      do {
        try requireFinite(logits, position: sequences[index].ids.count - 1)
        let next = choice.next(logits, after: sequences[index].ids, seed: sequences[index].seed)
        sequences[index].append(next, tokenizer)
        sequences[index].done = end(of: sequences[index])
      } catch { refuse(error, index) }
    }
    var pass: [(index: Int, continuation: Transformer.BatchEntry)] = []
    func compute() throws {
      try model().forward(pass.map(\.continuation)) { place, _, logits in try append(logits, pass[place].index) }
      pass = []
    }
    for index in indices {
      if let logits = sequences[index].takeLogits() {
        try logits.withUnsafeBufferPointer { try append($0, index) }
        continue
      }
      let continuation = try sequences[index].continuation { ids in
        let cache = try kept?() ?? model().makeCache()
        cache.reusePrefix(of: ids)
        return cache
      }
      pass.append((index, continuation))
      if pass.reduce(0, { $0 + $1.continuation.ids.count }) >= Transformer.maximumBatchTokens { try compute() }
    }
    if !pass.isEmpty { try compute() }
  }

  /// Why a sequence ends with its last token; nil where it goes on.
  private func end(of sequence: GrowingSequence) -> GrowingSequence.End? {
    if let last = sequence.ids.last, eosTokenIDs.contains(last) { return .endOfText }
    if stops.contains(where: sequence.completes) { return .stop }
    return sequence.ids.count == configuration.contextLength ? .length : nil
  }
}
