import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Platform
import Sampling
import Scoring
import Threads
import Tokenizer

/// Reads the texts of records, and computes the scores of their tokens in batches.
final class Scorer {
  let tokenizer: Tokenizer
  private let vocabulary: ModelVocabulary
  private let shape: ModelShape
  private let model: Lazy<Transformer>  // not opened if all records have log-probabilities
  private let positionScorer: PositionScorer
  private let beginsWithSpace: [Bool]  // of each token of the vocabulary
  private let window: Int
  private let stride: Int
  private let wordsMember: String?
  private let context: ContextOption?

  init(_ arguments: Arguments) throws {
    let files = try arguments.modelFiles()
    let definition = try ModelDefinition(files)
    let (shape, tokenizer) = (definition.shape, try Tokenizer(files, for: .decoding))
    (self.shape, self.tokenizer) = (shape, tokenizer)
    vocabulary = ModelVocabulary { tokenizer }
    model = Lazy { try Transformer(Checkpoint(files), definition, ThreadPool(threads: arguments.threadCount)) }
    let beginsWithSpace = (0..<shape.vocabularySize).map { id in
      tokenizer.bytes(of: id)?.first == UInt8(ascii: " ") && !tokenizer.isSpecial(id)
    }
    self.beginsWithSpace = beginsWithSpace
    positionScorer = PositionScorer(
      vocabularySize: shape.vocabularySize, candidates: arguments.has(.html) ? HeatPage.candidateCount : 1
    ) { beginsWithSpace[$0] }
    window = arguments.integer(.window) ?? shape.contextLength
    guard window <= shape.contextLength else {
      throw ToolError(.usage, "--window must be at most \(shape.contextLength), the model's context length")
    }
    stride = arguments.integer(.stride) ?? max(1, window / 2)
    guard stride < window || !arguments.has(.stride) else {
      throw ToolError(.usage, "--stride must be less than the window, which has \(window) tokens")
    }
    wordsMember = arguments.text(.words)
    context = arguments.text(.context).map(ContextOption.init)
  }

  // MARK: - Reading

  /// Returns the text of a record; nil if it has no ids.
  func read(_ record: Record, in filter: Filter) throws -> ScoredText? {
    try vocabulary.check(record)
    let ids = try record.ids(inVocabularyOf: shape.vocabularySize)
    guard !ids.isEmpty else {
      filter.noteEmptyIDs()
      return nil
    }
    let text = TokenizedText(
      ids.lazy.map { [tokenizer] in
        (bytes: tokenizer.bytes(of: $0).map(Array.init) ?? [], isSpecial: tokenizer.isSpecial($0))
      })
    guard ids.count <= window || stride < window else {
      throw RecordError(
        "\"ids\" has \(ids.count) tokens, but the model's context length is \(window), too short for windows")
    }
    let firstToken = try context?.tokenCount(in: record, text) ?? 0
    let scores = try scores(in: record, count: ids.count, firstToken)
    let windows =
      scores != nil
      ? [] : ScoringWindow.windows(of: ids.count, scoringFrom: firstToken, length: window, stride: stride)
    return ScoredText(
      record, index: filter.recordIndex, ids: ids, text, words: try words(of: text, in: record), firstToken: firstToken,
      beginsWithSpace: ids.map { beginsWithSpace[$0] }, vocabulary: try vocabulary.addition(to: record),
      windows: windows, scores: scores)
  }

  /// Returns the scores that the record has; nil if it has no log-probabilities. Those of the context are left out.
  private func scores(in record: Record, count: Int, _ firstToken: Int) throws -> TextScores? {
    func checked<Number>(_ name: String, _ numbers: [Number?]?) throws -> [Number?]? {
      guard let numbers else { return nil }
      guard numbers.count == count else {
        throw RecordError("\"\(name)\" has \(numbers.count) elements, but \"ids\" has \(count)")
      }
      return numbers.indices.map { $0 < firstToken ? nil : numbers[$0] }
    }
    guard let logprobs = try checked("logprobs", record.optionalFloats("logprobs")) else { return nil }
    if let index = logprobs.firstIndex(where: { $0.map { $0 > 0 } ?? false }) {
      throw RecordError("\"logprobs\"[\(index)] is greater than 0: it is not a log-probability")
    }
    var scores = TextScores(logprobs: logprobs)
    scores.ranks = try checked("ranks", record.optionalIntegers("ranks"))
    scores.entropies = try checked("entropies", record.optionalFloats("entropies"))
    // The probability of a space after the last token of the context is needed too.
    if let spaces = try record.optionalFloats("space_logprobs"), spaces.count == count { scores.spaceLogprobs = spaces }
    return scores
  }

  private func words(of text: TokenizedText, in record: Record) throws -> [TokenizedText.Word] {
    guard let wordsMember else { return text.words() }
    guard let list = try record.strings(wordsMember) else { throw RecordError("\"\(wordsMember)\" is missing") }
    do { return try text.words(list) } catch {
      let rest = escaped(text.bytes[error.offset...].prefix(40))
      guard let index = error.index else {
        throw RecordError("the text continues after the last of \"\(wordsMember)\": \"\(rest)\"")
      }
      throw RecordError(
        "\"\(wordsMember)\"[\(index)] is \"\(escaped(list[index].prefix(40)))\", but the text continues with \"\(rest)\""
      )
    }
  }

  // MARK: - Computing

  /// Returns whether one more text can be computed in the same batch.
  func hasRoom(besides texts: [ScoredText], for next: ScoredText) -> Bool {
    (texts + [next]).reduce(0) { $0 + $1.ids.count } <= Transformer.maximumBatchTokens
  }

  /// Computes the scores of texts, and writes each text when all its windows are computed.
  ///
  /// - Parameter reject: called instead of `write` for a text whose logits are not finite.
  func score(
    _ texts: [ScoredText], write: (ScoredText) throws -> Void,
    _ reject: (_ error: any Error, _ index: Int) throws -> Void
  ) throws {
    var parts = texts.indices.flatMap { index in texts[index].windows.map { (index: index, window: $0) } }[...]
    var finished = 0  // the number of texts that are written or rejected
    /// Writes the texts before `end`, which are complete.
    func finish(before end: Int) throws {
      while finished < end {
        try write(texts[finished])
        finished += 1
      }
    }
    while let first = parts.first {
      var batch = [first]
      var tokens = first.window.tokens.count
      for part in parts.dropFirst() {
        tokens += part.window.tokens.count
        guard tokens <= Transformer.maximumBatchTokens else { break }
        batch.append(part)
      }
      parts = parts.dropFirst(batch.count)
      let model = try model()
      let entries = batch.map { index, window in
        let positions =
          window.positions.lowerBound - window.tokens.lowerBound..<window.positions.upperBound
          - window.tokens.lowerBound
        return Transformer.BatchEntry(
          Array(texts[index].ids[window.tokens]), model.makeSinglePassCache(), logitsAt: positions)
      }
      try model.forward(entries) { entry, place, logits in
        let (index, window) = batch[entry]
        guard index >= finished else { return }  // rejected
        let (text, position) = (texts[index], window.tokens.lowerBound + place)
        do { try requireFinite(logits, position: position) } catch {
          try finish(before: index)
          try reject(error, index)
          finished = index + 1
          return
        }
        let next = position + 1 < text.ids.count ? text.ids[position + 1] : nil
        text.set(positionScorer.score(logits, next: next), at: position)
        if position + 1 == text.ids.count { try finish(before: index + 1) }
      }
    }
    try finish(before: texts.count)
  }
}
