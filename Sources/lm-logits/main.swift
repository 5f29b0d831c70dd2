import Checkpoint
import CommandLineTool
import JSONLines
import LanguageModel
import Sampling
import Tokenizer

run(.lmLogits) { arguments, output in
  let files = try arguments.modelFiles()
  let model = try Transformer(Checkpoint(files), threads: arguments.threadCount)
  let vocabulary = ModelVocabulary { try ByteLevelTokenizer(files, for: .decoding) }
  let kept = arguments.path(.cache).map { path in model.makeCache(inFile: path) { arguments.note("\(path): \($0)") } }
  let filter = Filter(arguments, output)
  filter.beforeBlockingRead = vocabulary.prepare
  let isBase64 = arguments.has(.base64)
  let isForEveryPosition = arguments.has(.everyPosition)
  let isForOwnTokens = arguments.has(.logProbabilities)

  try filter.forEachBatch { record -> (record: Record, ids: [Int], vocabulary: [Record.Change])? in
    try vocabulary.check(record)
    let ids = try record.ids(for: model.configuration)
    guard !ids.isEmpty else {
      filter.noteEmptyText()
      return nil
    }
    return (record: record, ids: ids, vocabulary: try vocabulary.addition(to: record))
  } while: { run, next in
    kept == nil && run.reduce(next.ids.count) { $0 + $1.ids.count } <= Transformer.maximumBatchTokens
  } _: { run, refuse in
    let continuations = run.map { _, ids, _ in
      let cache = kept ?? model.makeSinglePassCache()
      cache.reusePrefix(of: ids)
      return Transformer.BatchEntry(
        Array(ids[cache.count...]), cache,
        logitsAt: (isForEveryPosition || isForOwnTokens ? 0 : ids.count - 1)..<ids.count)
    }
    var ownTokens: [Float?] = []  // of the record that is being computed: the log-probabilities of its tokens
    var refused: Int?  // the record whose logits were not finite at an earlier position
    try model.forward(continuations) { index, position, logits in
      guard index != refused else { return }
      let (record, ids, vocabulary) = run[index]
      do { try requireFinite(logits, position: position) } catch {
        refused = index
        return try refuse(error, index)
      }
      if isForOwnTokens {
        if position == 0 { ownTokens = [nil] }
        guard position == ids.count - 1 else {
          return ownTokens.append(Distribution(logits).candidate(ids[position + 1]).logprob)
        }
        record.write(to: output.buffer, [.set("logprobs") { $0.append(json: ownTokens) }] + vocabulary)
        return try output.endLine()
      }
      var changes: [Record.Change] = []
      if isForEveryPosition {
        changes = [.set("ids") { $0.append(json: ids[...position]) }, .set("position") { $0.append(json: position) }]
      }
      changes.append(.set("logits") { isBase64 ? $0.append(base64: logits) : $0.append(json: logits) })
      changes += vocabulary
      if isForEveryPosition { changes += [.drop("text")] + Record.Change.staleWithOtherSequence }
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
    try output.flush()  // the next record takes a while
  }
  return filter.status
}
