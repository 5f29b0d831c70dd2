import Checkpoint
import CommandLineTool
import JSONLines
import LanguageModel
import Sampling
import Tokenizer

toolMain(.lmLogits) { arguments, output in
  let files = try arguments.modelFiles()
  let model = try Transformer(files, threads: arguments.threadCount)
  let tokenizer = Lazy { try ByteLevelTokenizer(files, for: .decoding) }
  let vocabulary = ModelVocabulary { try tokenizer() }
  let fileCache = arguments.path(.cache).map { path in
    model.makeCache(inFile: path) { arguments.note("\(path): \($0)") }
  }
  let filter = Filter(arguments, output)
  filter.beforeBlockingRead = vocabulary.prepare
  let isBase64 = arguments.has(.base64)
  let k = arguments.integer(.topKOnly)
  let writesAllPositions = arguments.has(.everyPosition)
  let writesLogprobs = arguments.has(.logProbabilities)
  var hasWrittenLogits = false

  try filter.forEachBatch { record -> (record: Record, ids: [Int], vocabulary: [Record.Change])? in
    try vocabulary.check(record)
    let ids = try record.ids(
      inVocabularyOf: model.shape.vocabularySize, contextLength: model.shape.contextLength)
    guard !ids.isEmpty else {
      filter.noteEmptyIDs()
      return nil
    }
    return (record: record, ids: ids, vocabulary: try vocabulary.addition(to: record))
  } while: { batch, next in
    fileCache == nil && batch.reduce(next.ids.count) { $0 + $1.ids.count } <= Transformer.maximumBatchTokens
  } _: { batch, reject in
    let entries = batch.map { _, ids, _ in
      let cache = fileCache ?? model.makeSinglePassCache()
      cache.reusePrefix(of: ids)
      return Transformer.BatchEntry(
        Array(ids[cache.count...]), cache,
        logitsAt: (writesAllPositions || writesLogprobs ? 0 : ids.count - 1)..<ids.count)
    }
    var logprobs: [Float?] = []  // of the record that is being computed
    var rejected: Int?  // the index of a record with logits that are not finite at an earlier position
    try model.forward(entries) { index, position, logits in
      guard index != rejected else { return }
      let (record, ids, vocabulary) = batch[index]
      do { try requireFinite(logits, position: position) } catch {
        rejected = index
        return try reject(error, index)
      }
      if writesLogprobs {
        if position == 0 { logprobs = [nil] }
        guard position == ids.count - 1 else {
          return logprobs.append(Distribution(logits).candidate(ids[position + 1]).logprob)
        }
        record.write(to: output.buffer, [.set("logprobs") { $0.append(json: logprobs) }] + vocabulary)
        return try output.endLine()
      }
      var changes: [Record.Change] = []
      if writesAllPositions {
        changes = [.set("ids") { $0.append(json: ids[...position]) }, .set("position") { $0.append(json: position) }]
      }
      if let k {
        let (candidates, tokenizer) = (Distribution(logits).mostLikely(k), try tokenizer())
        changes += vocabulary + [.drop("logits"), .set("topk") { $0.append(candidates, tokenizer) }]
      } else {
        changes.append(.set("logits") { isBase64 ? $0.append(base64: logits) : $0.append(json: logits) })
        changes += vocabulary
      }
      if writesAllPositions { changes += [.drop("text")] + Record.Change.staleWithOtherSequence }
      record.write(to: output.buffer, changes)
      try output.endLine()
      hasWrittenLogits = k == nil
    }
    try output.flush()  // computing the next batch takes a while
  }
  if hasWrittenLogits, output.isTerminal {
    let count = withThousandsSeparators(model.shape.vocabularySize)
    arguments.note("\(count) logits per record; lm-topk shows the most likely tokens")
  }
  return filter.status
}
