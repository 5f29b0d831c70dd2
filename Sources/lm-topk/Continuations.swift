import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Sampling
import Threads
import Tokenizer

/// A continuation of a text, and how probable it is.
struct Continuation {
  let text: [UInt8]
  let ids: [Int]
  /// The rank of its first token.
  let rank: Int
  /// The sum of the log-probabilities of its tokens (chain rule).
  let logprob: Float
  let p: Float
}

/// The continuations of one text.
struct ContinuationList {
  let continuations: [Continuation]
  /// The probability of all other continuations.
  let otherProbability: Float
}

/// Computes the probabilities of given continuations. Those of their first tokens come from the logits of the record,
/// if it has any; all others need the model.
final class ContinuationScorer {
  let tokenizer: Tokenizer
  let vocabulary: ModelVocabulary
  private let encoder: ContinuationEncoder
  private let shape: ModelShape
  private let model: Lazy<Transformer>
  private let texts: [[UInt8]]  // of --of
  private let member: String?  // of --of-member

  init(_ arguments: Arguments) throws {
    let files = try arguments.modelFiles()
    let definition = try ModelDefinition(files)
    let tokenizer = try Tokenizer(files, arguments)
    self.tokenizer = tokenizer
    encoder = ContinuationEncoder(tokenizer)
    vocabulary = ModelVocabulary { tokenizer }
    shape = definition.shape
    model = Lazy { try Transformer(Checkpoint(files), definition, ThreadPool(threads: arguments.threadCount)) }
    texts = arguments.allBytes(.of)
    member = arguments.text(.ofMember)
    guard !texts.contains([]) else { throw ToolError(.usage, "--of must not be empty") }
  }

  /// Returns the continuations of a record; nil if it has no ids, because then there is no next token.
  func continuations(of record: Record, in filter: Filter) throws -> ContinuationList? {
    try vocabulary.check(record)
    let ids = try record.ids(inVocabularyOf: shape.vocabularySize, contextLength: shape.contextLength)
    guard !ids.isEmpty else {
      filter.noteEmptyIDs()
      return nil
    }
    var texts = texts
    if let member {
      guard let list = try record.strings(member) else { throw RecordError("\"\(member)\" is missing") }
      guard !list.contains([]) else { throw RecordError("\"\(member)\" has an empty string") }
      texts += list
    }
    let tokens = try texts.map { try encode($0, after: ids.count) }
    let scores = try scores(of: tokens, after: ids, in: record)
    let continuations = texts.indices.map { index in
      let joint = Distribution.joint(scores[index].candidates)
      return Continuation(
        text: texts[index], ids: tokens[index], rank: scores[index].rank, logprob: joint.logprob, p: joint.p)
    }
    // A continuation that begins with another one, or equals an earlier one, is part of its probability.
    let total = continuations.indices.reduce(0.0) { sum, index in
      let isPart = continuations.indices.contains { other in
        tokens[index].starts(with: tokens[other]) && (tokens[other].count < tokens[index].count || other < index)
      }
      return isPart ? sum : sum + Double(continuations[index].p)
    }
    return ContinuationList(continuations: continuations, otherProbability: Float(max(0, 1 - total)))
  }

  /// Returns the tokens of a continuation of `count` tokens.
  private func encode(_ continuation: [UInt8], after count: Int) throws -> [Int] {
    let tokens = try encoder.encode(continuation)
    guard !tokens.isEmpty else {
      throw RecordError("the tokenizer gives no tokens for the continuation \"\(excerpt(continuation))\"")
    }
    guard count + tokens.count - 1 <= shape.contextLength else {
      throw RecordError(
        "\"ids\" has \(count) tokens and a continuation \(tokens.count), but the model's context length is "
          + "\(shape.contextLength)")
    }
    return tokens
  }

  /// The tokens of a continuation with their probabilities, and the rank of the first.
  private typealias Score = (candidates: [Distribution.Candidate], rank: Int)

  /// Returns the score of each continuation.
  private func scores(of continuations: [[Int]], after ids: [Int], in record: Record) throws -> [Score] {
    var scores: [Score] = []
    func scoreFirstTokens(_ logits: UnsafeBufferPointer<Float>) throws {
      try requireFinite(logits, position: ids.count - 1)
      let distribution = Distribution(logits)
      scores = continuations.map { ([distribution.candidate($0[0])], distribution.rank($0[0])) }
    }
    if let logits = try record.logits() {
      try record.requireLogits(logits.count, ofVocabulary: shape.vocabularySize)
      try logits.withUnsafeBufferPointer(scoreFirstTokens)
    } else {
      let model = try model()
      try model.forward(ids, model.makeSinglePassCache(), logitsAt: ids.count - 1..<ids.count) { _, logits in
        try scoreFirstTokens(logits)
      }
    }
    let longer = continuations.indices.filter { continuations[$0].count > 1 }
    guard !longer.isEmpty else { return scores }
    let model = try model()
    let entries = longer.map { index in
      let sequence = ids + continuations[index].dropLast()
      return Transformer.BatchEntry(sequence, model.makeSinglePassCache(), logitsAt: ids.count..<sequence.count)
    }
    try model.forward(entries) { entry, position, logits in
      let index = longer[entry]
      try requireFinite(logits, position: position)
      let id = continuations[index][position - ids.count + 1]
      scores[index].candidates.append(Distribution(logits).candidate(id))
    }
    return scores
  }
}
