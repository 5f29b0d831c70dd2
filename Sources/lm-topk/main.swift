import CommandLineTool
import JSON
import JSONLines
import Sampling

run(.lmTopK) { arguments, output in
  let tokenizer = try arguments.tokenizer(for: .decoding)
  let vocabulary = VocabularyCheck { tokenizer }
  let filter = Filter(arguments, output)
  let k = arguments.integer(.topK) ?? 10

  func likeliest(_ record: Record) throws -> [Distribution.Candidate] {
    try vocabulary.check(record)
    guard let logits = try record.logits() else { throw RecordError("there is no \"logits\"; lm-logits adds it") }
    guard !logits.isEmpty else { throw RecordError("\"logits\" is empty") }
    return try logits.withUnsafeBufferPointer { logits in
      try requireFinite(logits)
      return Distribution(logits).likeliest(k)
    }
  }

  if arguments.has(.topTable) {
    var table = CandidateTable(tokenizer)
    try filter.forEachRecord { record in
      try table.write(try likeliest(record), to: output)
    } orWrite: {
      try output.endLine()
    }
  } else {
    try filter.forEachRecord { record in
      let candidates = try likeliest(record)
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
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
  }
  return filter.status
}
