import CommandLineTool
import JSON
import JSONLines
import Sampling
import Tokenizer

/// Lists the most likely next tokens of each record.
func listCandidates(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let files = try arguments.modelFiles()
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  let k = arguments.integer(.topK) ?? 10

  /// Returns the K most likely tokens; nil for a record without ids, which lm-logits passes on without logits.
  func mostLikely(_ record: Record) throws -> [Distribution.Candidate]? {
    try vocabulary.check(record)
    guard let logits = try record.logits() else {
      if try record.ids()?.isEmpty ?? false { return nil }
      throw RecordError(
        try record.has("logprobs")
          ? "\"logits\" is missing, there is only \"logprobs\"; run lm-logits without --logprobs"
          : "\"logits\" is missing; lm-logits adds it")
    }
    try record.requireLogits(logits.count, ofVocabulary: vocabularySize)
    return try logits.withUnsafeBufferPointer { logits in
      try requireFinite(logits)
      return Distribution(logits).mostLikely(k)
    }
  }

  let forms = ListForms<[Distribution.Candidate]>(
    writeTable: { table, candidates, ids in try table.write(candidates, after: ids, to: output) },
    columns: ["rank", "id", "token", "logit", "logprob", "p"],
    rows: { candidates in
      candidates.enumerated().map { index, candidate in
        [
          .integer(index + 1), .integer(candidate.id),
          .text(tokenizer.bytes(of: candidate.id).map(Array.init) ?? []), .number(candidate.logit),
          .number(candidate.logprob), .number(candidate.p),
        ]
      }
    },
    members: { candidates in [.set("topk") { $0.append(candidates, tokenizer) }] })
  try writeLists(filter, arguments, output, tokenizer, vocabulary, forms, list: mostLikely)
}
