import CommandLineTool
import JSONLines

toolMain(.lmScore) { arguments, output in
  let scorer = try Scorer(arguments)
  let filter = Filter(arguments, output)
  let writer = try scoreWriter(arguments, scorer.tokenizer, output)
  try filter.forEachBatch(orWrite: writer.writePlaceholder) { record in
    try scorer.read(record, in: filter)
  } while: {
    scorer.hasRoom(besides: $0, for: $1)
  } _: { texts, reject in
    try scorer.score(texts, write: writer.write, reject)
    try output.flush()  // computing the next batch takes a while
  }
  try writer.finish()
  return filter.status
}
