import Checkpoint
import CommandLineTool
import JSONLines
import LanguageModel
import Sampling
import Tokenizer

toolMain(.lmLogits) { arguments, output in
  let files = try arguments.modelFiles()
  let model = try Transformer(files, threads: arguments.threadCount)
  let tokenizer = Lazy { try Tokenizer(files, for: .decoding) }
  let vocabulary = ModelVocabulary { try tokenizer() }
  let fileCache = arguments.path(.cache).map { path in
    model.makeCache(inFile: path) { arguments.note("\(path): \($0)") }
  }
  let filter = Filter(arguments, output)
  filter.beforeBlockingRead = vocabulary.prepare
  let positionRecord = PositionRecord(arguments, tokenizer)
  let attention = try AttentionOption(arguments, model.shape)
  let writesLayers = arguments.has(.layers)
  let writesLogprobs = arguments.has(.logProbabilities)
  let needsAllPositions = writesLogprobs || arguments.has(.everyPosition)
  var hasOutput = false

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
    fileCache == nil && !writesLayers && attention == nil
      && batch.reduce(next.ids.count) { $0 + $1.ids.count } <= Transformer.maximumBatchTokens
  } _: { batch, reject in
    hasOutput = true
    if let attention {
      let (record, ids, vocabulary) = batch[0]
      do {
        record.write(to: output.buffer, [try attention.change(for: ids, model)] + vocabulary)
      } catch {
        return try reject(error, 0)
      }
      try output.endLine()
      return try output.flush()
    }
    var rejected: Int?  // the index of a record with logits that are not finite at an earlier position
    /// Calls `body`, unless a logit is not finite or was not at an earlier position of the record.
    func visit(
      _ index: Int, _ position: Int, _ logits: UnsafeBufferPointer<Float>, _ body: () throws -> Void
    ) throws {
      guard index != rejected else { return }
      do { try requireFinite(logits, position: position) } catch {
        rejected = index
        return try reject(error, index)
      }
      try body()
    }
    func logitPositions(_ ids: [Int]) -> Range<Int> { (needsAllPositions ? 0 : ids.count - 1)..<ids.count }

    if writesLayers {
      let (record, ids, vocabulary) = batch[0]
      try model.forwardByLayer(ids, logitsAt: logitPositions(ids)) { layer, position, logits in
        try visit(0, position, logits) {
          try positionRecord.write(
            logits, of: record, ids, position: position, layer: layer, vocabulary, to: output)
        }
      }
      return try output.flush()
    }
    let entries = batch.map { _, ids, _ in
      let cache = fileCache ?? model.makeSinglePassCache()
      cache.reusePrefix(of: ids)
      return Transformer.BatchEntry(Array(ids[cache.count...]), cache, logitsAt: logitPositions(ids))
    }
    var logprobs: [Float?] = []  // of the record that is being computed
    try model.forward(entries) { index, position, logits in
      try visit(index, position, logits) {
        let (record, ids, vocabulary) = batch[index]
        guard writesLogprobs else {
          return try positionRecord.write(logits, of: record, ids, position: position, vocabulary, to: output)
        }
        if position == 0 { logprobs = [nil] }
        guard position == ids.count - 1 else {
          return logprobs.append(Distribution(logits).candidate(ids[position + 1]).logprob)
        }
        record.write(to: output.buffer, [.set("logprobs") { $0.append(json: logprobs) }] + vocabulary)
        try output.endLine()
      }
    }
    try output.flush()  // computing the next batch takes a while
  }
  if hasOutput, output.isTerminal, !writesLogprobs, attention == nil, !arguments.has(.topKOnly) {
    let count = withThousandsSeparators(model.shape.vocabularySize)
    arguments.note("\(count) logits per record; lm-topk shows the most likely tokens")
  }
  return filter.status
}
