import CommandLineTool
import JSON
import JSONLines

/// Writes the probabilities of the given continuations of each record.
func scoreContinuations(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let scorer = try ContinuationScorer(arguments)
  filter.beforeBlockingRead = scorer.vocabulary.prepare
  let forms = ListForms<ContinuationList>(
    writeTable: { table, list, ids in try table.write(list, after: ids, to: output) },
    columns: ["continuation", "tokens", "rank", "logprob", "p"],
    rows: { list in
      list.continuations.map {
        [.text($0.text), .integer($0.ids.count), .integer($0.rank), .number($0.logprob), .number($0.p)]
      }
    },
    members: { list in
      [
        .set("continuations") { $0.append(list.continuations) },
        .set("other_p") { $0.append(json: list.otherProbability) },
      ]
    })
  try writeLists(filter, arguments, output, scorer.tokenizer, scorer.vocabulary, forms) {
    try scorer.continuations(of: $0, in: filter)
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
