import CommandLineTool
import JSON
import JSONLines
import Scoring
import Tokenizer

/// Writes the records with the members that lm-records(5) describes.
final class ScoreRecords: ScoreWriter {
  private let tokenizer: Tokenizer
  private let output: Output
  let writePlaceholder: (() throws -> Void)? = nil

  init(_ tokenizer: Tokenizer, _ output: Output) { (self.tokenizer, self.output) = (tokenizer, output) }

  func write(_ text: ScoredText) throws {
    let (scores, words, total) = (text.scores, text.words, text.total)
    var changes: [Record.Change] = []
    if !text.windows.isEmpty {
      changes.append(.set("logprobs") { $0.append(json: scores.logprobs) })
    }
    changes.append(.set("surprisals") { $0.append(json: scores.logprobs.map { $0.map(TextScores.surprisal) }) })
    if let predictions = text.predictions {
      if let ranks = scores.ranks { changes.append(.set("ranks") { $0.append(json: ranks) }) }
      if let entropies = scores.entropies { changes.append(.set("entropies") { $0.append(json: entropies) }) }
      if let spaces = scores.spaceLogprobs { changes.append(.set("space_logprobs") { $0.append(json: spaces) }) }
      changes.append(
        .set("predictions") { [tokenizer] buffer in
          buffer.append(array: predictions) { buffer, candidates in
            guard let best = candidates.first else { return buffer.append("null") }
            buffer.append("{\"id\":\(best.id),")
            buffer.append(tokenMembers: tokenizer.bytes(of: best.id))
            buffer.append(number: "p", best.p)
            buffer.append("}")
          }
        })
    }
    changes.append(.set("word_scores") { $0.append(array: words) { $0.append($1, of: text) } })
    changes.append(.set("text_score") { $0.append(total) })
    text.record.write(to: output.buffer, changes + text.vocabulary)
    try output.endLine()
  }
}

extension ByteBuffer {
  /// Appends a word as an object.
  fileprivate func append(_ word: ScoredText.Unit, of text: ScoredText) {
    let bytes = Array(text.text.bytes[word.bytes])
    append("{\"word\":")
    if isUTF8(bytes.span) {
      append(jsonString: bytes)
    } else {
      append("null,\"bytes\":")
      append(json: bytes.map { Int($0) })
    }
    append(",\"tokens\":")
    append(json: [word.tokens.lowerBound, word.tokens.upperBound])
    append(number: "logprob", word.score?.logprob)
    append(number: "surprisal", word.score?.surprisal)
    append(number: "corrected_surprisal", word.score?.correctedSurprisal)
    append(",\"rank\":" + (word.score?.rank.map(String.init) ?? "null"))
    append(number: "entropy", word.score?.entropy)
    append("}")
  }

  /// Appends the scores of a text as an object.
  fileprivate func append(_ total: ScoredText.Total) {
    let scores = total.scores
    append("{\"tokens\":\(scores.tokens),\"words\":\(total.words)")
    append(",\"bytes\":\(total.bytes),\"characters\":\(total.characters)")
    append(number: "logprob", scores.logprob)
    append(number: "surprisal", scores.surprisal)
    append(number: "mean_surprisal", scores.meanSurprisal)
    append(number: "perplexity", scores.perplexity)
    append(number: "bits_per_byte", total.bitsPerByte)
    append(number: "bits_per_character", total.bitsPerCharacter)
    append("}")
  }

  /// Appends a member after others: `,"p":0.25`.
  fileprivate func append(number name: String, _ number: Float?) {
    append(",\"\(name)\":")
    if let number { append(json: number) } else { append("null") }
  }

  fileprivate func append(json numbers: [Int?]) {
    append(array: numbers) { buffer, number in
      if let number { buffer.append(json: number) } else { buffer.append("null") }
    }
  }

  /// Appends an array, whose elements `write` appends.
  fileprivate func append<Element>(array elements: [Element], _ write: (ByteBuffer, Element) -> Void) {
    append("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { append(",") }
      write(self, element)
    }
    append("]")
  }
}
