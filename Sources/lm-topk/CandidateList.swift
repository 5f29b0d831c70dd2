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

  if arguments.has(.topTable) {
    var table = CandidateTable(tokenizer)
    try filter.forEachRecord { record in
      guard let candidates = try mostLikely(record) else { return try output.endLine() }
      try table.write(candidates, after: (try? record.ids()) ?? [], to: output)
    } orWrite: {
      try output.endLine()
    }
  } else if arguments.has(.topTSV) {
    var rows = DelimitedText(
      separator: UInt8(ascii: "\t"), columns: ["rank", "id", "token", "logit", "logprob", "p"], arguments, output)
    try filter.forEachRecord { record in
      let candidates = try mostLikely(record) ?? []
      let fields: [[DelimitedText.Field]] = candidates.enumerated().map { index, candidate in
        [
          .integer(index + 1), .integer(candidate.id),
          .text(tokenizer.bytes(of: candidate.id).map(Array.init) ?? []), .number(candidate.logit),
          .number(candidate.logprob), .number(candidate.p),
        ]
      }
      try rows.write(fields, of: record, index: filter.recordIndex)
    } orWrite: {
    }
    try rows.finish()
  } else {
    try filter.forEachRecord { record in
      guard let candidates = try mostLikely(record) else {
        record.write(to: output.buffer, [])
        return try output.endLine()
      }
      var changes = [Record.Change.set("topk") { $0.append(candidates, tokenizer) }]
      if !arguments.has(.keepLogits) { changes.append(.drop("logits")) }
      record.write(to: output.buffer, try changes + vocabulary.addition(to: record))
      try output.endLine()
    }
  }
}
