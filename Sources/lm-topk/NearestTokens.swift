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

  let forms = ListForms<(last: Int, tokens: [NearToken])>(
    writeTable: { table, list, _ in try table.write(list.tokens, nearestTo: list.last, to: output) },
    columns: ["rank", "id", "token", "cosine", "dot"],
    rows: { list in
      list.tokens.enumerated().map { index, token in
        [
          .integer(index + 1), .integer(token.id), .text(tokenizer.bytes(of: token.id).map(Array.init) ?? []),
          .number(token.similarity.cosine), .number(token.similarity.dot),
        ]
      }
    },
    members: { list in [.set("nearest") { $0.append(list.tokens, tokenizer) }] })
  try writeLists(filter, arguments, output, tokenizer, vocabulary, forms, list: nearest)
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
