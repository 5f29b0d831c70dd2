import CommandLineTool
import JSON
import JSONLines
import Sampling
import Tokenizer

toolMain(.lmTopK) { arguments, output in
  let files = try arguments.modelFiles()
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let vocabularySize = files.vocabularySize(tokenizer)
  let filter = Filter(arguments, output)
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
  } else {
    try filter.forEachRecord { record in
      guard let candidates = try mostLikely(record) else {
        record.write(to: output.buffer, [])
        return try output.endLine()
      }
      var changes = [
        Record.Change.set("topk") { buffer in
          for (index, candidate) in candidates.enumerated() {
            buffer.append(index == 0 ? "[" : ",")
            buffer.append(candidate, tokenizer)
          }
          buffer.append(UInt8(ascii: "]"))
        }
      ]
      if !arguments.has(.keepLogits) { changes.append(.drop("logits")) }
      record.write(to: output.buffer, try changes + vocabulary.addition(to: record))
      try output.endLine()
    }
  }
  return filter.status
}
