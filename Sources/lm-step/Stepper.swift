import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Sampling
import Tokenizer

/// Chooses the next token of a sequence, and knows when the sequence has ended.
final class Stepper {
  private let configuration: GPT2Configuration
  private let tokenizer: ByteLevelTokenizer
  private let vocabulary: VocabularyCheck
  private let model: Lazy<GPT2>  // not opened for records that carry their logits
  private let stop: [UInt8]?
  private let endOfTextTokens: [Int]

  init(_ arguments: Arguments) throws {
    let location = try arguments.modelLocation()
    configuration = try GPT2Configuration(location)
    let tokenizer = try arguments.tokenizer()
    self.tokenizer = tokenizer
    vocabulary = VocabularyCheck { tokenizer }
    model = Lazy { try GPT2(Checkpoint(location), threads: arguments.threadCount) }
    stop = arguments.text(.stop).map { Array($0.utf8) }
    guard stop?.isEmpty != true else { throw ToolError(.usage, "--stop wants a text of one character at least") }
    endOfTextTokens = arguments.has(.ignoreEndOfText) ? [] : configuration.endOfTextTokens
  }

  /// The state of the sequence that a record holds.
  func begin(_ record: Record) throws -> GrowingSequence {
    try vocabulary.check(record)
    let ids = try record.ids(for: configuration)
    var sequence = GrowingSequence(record, ids, text: try record.string("text"), logits: try record.logits(), tokenizer)
    if ids.count == configuration.n_positions { sequence.done = .length }
    return sequence
  }

  /// Appends one token.
  func step(_ sequence: inout GrowingSequence) throws {
    let next = try withLogits(of: &sequence) { Distribution($0).likeliest }
    sequence.append(next, isSpecial: tokenizer.isSpecial(next.id))
    if endOfTextTokens.contains(next.id) {
      sequence.done = .endOfText
    } else if let stop, sequence.completes(stop) {
      sequence.done = .stop
    } else if sequence.ids.count == configuration.n_positions {
      sequence.done = .length
    }
  }

  /// The logits for what follows the sequence: its record's own, or the model's.
  private func withLogits<Result>(
    of sequence: inout GrowingSequence, _ use: (UnsafeBufferPointer<Float>) throws -> Result
  ) throws -> Result {
    let position = sequence.ids.count - 1
    if let logits = sequence.takeLogits() {
      guard logits.count == configuration.vocabularySize else {
        throw RecordError(
          "\"logits\" has \(logits.count) numbers, but the vocabulary has \(configuration.vocabularySize) tokens")
      }
      return try logits.withUnsafeBufferPointer { logits in
        try requireFinite(logits, position: position)
        return try use(logits)
      }
    }
    let model = try model()
    let cache = sequence.cache ?? model.makeCache()
    sequence.cache = cache
    var result: Result?
    try model.forward(Array(sequence.ids[cache.count...]), cache, logitsAt: position..<position + 1) { _, logits in
      try requireFinite(logits, position: position)
      result = try use(logits)
    }
    guard let result else { throw ToolError(.internalError, "the model gave no logits") }
    return result
  }
}
