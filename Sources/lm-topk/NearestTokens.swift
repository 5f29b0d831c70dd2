import Checkpoint
import CommandLineTool
import JSON
import JSONLines
import LanguageModel
import Threads
import Tokenizer

/// A token with an embedding near that of another token.
struct NearToken {
  let id: Int
  let similarity: TokenEmbedding.Similarity
}

/// Lists the tokens whose embeddings are nearest to that of the last token of each record.
func listNearestTokens(_ filter: Filter, _ arguments: Arguments, _ output: Output) throws {
  let files = try arguments.modelFiles()
  let definition = try ModelDefinition(files)
  let tokenizer = try Tokenizer(files, for: .decoding)
  let vocabulary = ModelVocabulary { tokenizer }
  let embedding = try TokenEmbedding(Checkpoint(files), definition)
  let pool = ThreadPool(threads: arguments.threadCount)
  let k = arguments.integer(.topK) ?? 10

  /// Returns the last token of a record and the K tokens nearest to it, nearest first, ties by lower id; nil for a
  /// record without ids. Ids without a token are left out.
  func nearest(_ record: Record) throws -> (last: Int, tokens: [NearToken])? {
    try vocabulary.check(record)
    guard let last = try record.ids(inVocabularyOf: definition.shape.vocabularySize).last else {
      filter.noteEmptyIDs()
      return nil
    }
    let similarities = embedding.similarities(to: last, pool)
    guard similarities[last] != nil else {
      throw RecordError("the embedding of token \(last) is not finite: the model's weights are damaged")
    }
    let tokens = similarities.enumerated().compactMap { id, similarity in
      similarity.flatMap { id == last || tokenizer.bytes(of: id) == nil ? nil : NearToken(id: id, similarity: $0) }
    }
    let sorted = tokens.sorted { ($1.similarity.cosine, $0.id) < ($0.similarity.cosine, $1.id) }
    return (last, Array(sorted.prefix(k)))
  }

  if arguments.has(.topTable) {
    var table = CandidateTable(tokenizer)
    try filter.forEachRecord { record in
      guard let (last, tokens) = try nearest(record) else { return try output.endLine() }
      try table.write(tokens, nearestTo: last, to: output)
    } orWrite: {
      try output.endLine()
    }
  } else if arguments.has(.topTSV) {
    var rows = DelimitedText(
      separator: UInt8(ascii: "\t"), columns: ["rank", "id", "token", "cosine", "dot"], arguments, output)
    try filter.forEachRecord { record in
      let fields: [[DelimitedText.Field]] = (try nearest(record)?.tokens ?? []).enumerated().map { index, token in
        [
          .integer(index + 1), .integer(token.id), .text(tokenizer.bytes(of: token.id).map(Array.init) ?? []),
          .number(token.similarity.cosine), .number(token.similarity.dot),
        ]
      }
      try rows.write(fields, of: record, index: filter.recordIndex)
    } orWrite: {
    }
    try rows.finish()
  } else {
    try filter.forEachRecord { record in
      var changes: [Record.Change] = []
      if let (_, tokens) = try nearest(record) {
        changes = [.set("nearest") { $0.append(tokens, tokenizer) }]
        if !arguments.has(.keepLogits) { changes.append(.drop("logits")) }
        changes += try vocabulary.addition(to: record)
      }
      record.write(to: output.buffer, changes)
      try output.endLine()
    }
  }
}

extension ByteBuffer {
  fileprivate func append(_ tokens: [NearToken], _ tokenizer: Tokenizer) {
    append("[")
    for (index, token) in tokens.enumerated() {
      append(index == 0 ? "{\"id\":" : ",{\"id\":")
      append(json: token.id)
      append(",")
      append(tokenMembers: tokenizer.bytes(of: token.id))
      append(",\"cosine\":")
      append(json: token.similarity.cosine)
      append(",\"dot\":")
      append(json: token.similarity.dot)
      append("}")
    }
    append("]")
  }
}
