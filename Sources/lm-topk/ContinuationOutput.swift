import CommandLineTool
import JSON
import JSONLines

/// Writes the probabilities of the given continuations of each record.
func scoreContinuations(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let scorer = try ContinuationScorer(arguments)
  filter.beforeBlockingRead = scorer.vocabulary.prepare
  if arguments.has(.topTable) {
    var table = CandidateTable(scorer.tokenizer)
    try filter.forEachRecord { record in
      guard let list = try scorer.continuations(of: record, in: filter) else { return try output.endLine() }
      try table.write(list, after: (try? record.ids()) ?? [], to: output)
    } orWrite: {
      try output.endLine()
    }
  } else if arguments.has(.topTSV) {
    var rows = DelimitedText(
      separator: UInt8(ascii: "\t"), columns: ["continuation", "tokens", "rank", "logprob", "p"], arguments, output)
    try filter.forEachRecord { record in
      let list = try scorer.continuations(of: record, in: filter)
      let fields: [[DelimitedText.Field]] = (list?.continuations ?? []).map {
        [.text($0.text), .integer($0.ids.count), .integer($0.rank), .number($0.logprob), .number($0.p)]
      }
      try rows.write(fields, of: record, index: filter.recordIndex)
    } orWrite: {
    }
    try rows.finish()
  } else {
    try filter.forEachRecord { record in
      var changes: [Record.Change] = []
      if let list = try scorer.continuations(of: record, in: filter) {
        changes = [
          .set("continuations") { $0.append(list.continuations) },
          .set("other_p") { $0.append(json: list.otherProbability) },
        ]
        if !arguments.has(.keepLogits) { changes.append(.drop("logits")) }
        changes += try scorer.vocabulary.addition(to: record)
      }
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
  }
}

extension ByteBuffer {
  fileprivate func append(_ continuations: [Continuation]) {
    append("[")
    for (index, continuation) in continuations.enumerated() {
      append(index == 0 ? "{\"text\":" : ",{\"text\":")
      if isUTF8(continuation.text.span) { append(jsonString: continuation.text) } else { append("null") }
      append(",\"ids\":")
      append(json: continuation.ids)
      append(",\"rank\":\(continuation.rank),\"logprob\":")
      append(json: continuation.logprob)
      append(",\"p\":")
      append(json: continuation.p)
      append("}")
    }
    append("]")
  }
}
