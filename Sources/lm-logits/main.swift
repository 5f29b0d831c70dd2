import Checkpoint
import CommandLineTool
import JSONLines
import LanguageModel

run(.lmLogits) { arguments, output in
  let model = try GPT2(Checkpoint(arguments.modelLocation()), threads: arguments.threadCount)
  let vocabulary = VocabularyCheck(arguments.tokenizer)
  let filter = Filter(arguments, output)
  filter.whileWaiting = vocabulary.prepare
  let isBase64 = arguments.has(.base64)

  try filter.forEachRecord { record in
    try vocabulary.check(record)
    let ids = try record.ids(for: model.configuration)
    let wanted = (arguments.has(.everyPosition) ? 0 : ids.count - 1)..<ids.count
    try model.forward(ids, model.makeSinglePassCache(), logitsAt: wanted) { position, logits in
      try requireFinite(logits, position: position)
      var changes: [Record.Change] = []
      if arguments.has(.everyPosition) {
        changes = [.set("ids") { $0.append(json: ids[...position]) }, .set("position") { $0.append(json: position) }]
      }
      changes.append(.set("logits") { isBase64 ? $0.append(base64: logits) : $0.append(json: logits) })
      if arguments.has(.everyPosition) {
        changes += [.drop("text")] + Record.Change.dropsOfAnotherSequence
      }
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
    try output.flush()  // the next record takes a while
  }
  return filter.status
}
