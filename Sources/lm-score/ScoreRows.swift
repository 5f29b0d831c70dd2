import CommandLineTool
import Tokenizer

/// Writes tab-separated or comma-separated values: one row per word, token or record.
final class ScoreRows: ScoreWriter {
  private let unit: ScoreUnit
  private let tokenizer: Tokenizer
  private var rows: DelimitedText

  init(
    _ separator: UInt8, _ unit: ScoreUnit, _ tokenizer: Tokenizer, _ arguments: Arguments, _ output: Output
  ) {
    self.unit = unit
    let columns =
      switch unit {
      case .word:
        ["word_index", "word", "tokens", "logprob", "surprisal", "corrected_surprisal", "rank", "entropy"]
      case .token:
        [
          "token_index", "token", "id", "word_index", "logprob", "surprisal", "rank", "entropy", "predicted",
          "predicted_p",
        ]
      case .record:
        [
          "tokens", "words", "bytes", "characters", "logprob", "surprisal", "mean_surprisal", "perplexity",
          "bits_per_byte", "bits_per_character",
        ]
      }
    self.tokenizer = tokenizer
    rows = DelimitedText(separator: separator, columns: columns, arguments, output)
  }

  func write(_ text: ScoredText) throws { try rows.write(fields(of: text), of: text.record, index: text.index) }

  func finish() throws { try rows.finish() }

  private func fields(of text: ScoredText) -> [[DelimitedText.Field]] {
    switch unit {
    case .word:
      return text.words.map { word in
        [
          .integer(word.index + 1), .text(Array(text.text.bytes[word.bytes])), .integer(word.tokens.count),
          .number(word.score?.logprob), .number(word.score?.surprisal), .number(word.score?.correctedSurprisal),
          .integer(word.score?.rank), .number(word.score?.entropy),
        ]
      }
    case .token:
      let words = text.wordOfToken
      return text.tokens.map { token in
        let predicted = text.predictions?[token.index].first
        return [
          .integer(token.index + 1), .text(Array(text.text.bytes[token.bytes])), .integer(text.ids[token.index]),
          .integer(words[token.index].map { $0 + 1 }), .number(token.score?.logprob),
          .number(token.score?.surprisal), .integer(token.score?.rank), .number(token.score?.entropy),
          predicted.map { .text(tokenizer.bytes(of: $0.id).map(Array.init) ?? []) } ?? .number(nil),
          .number(predicted?.p),
        ]
      }
    case .record:
      let (total, scores) = (text.total, text.total.scores)
      return [
        [
          .integer(scores.tokens), .integer(total.words), .integer(total.bytes), .integer(total.characters),
          .number(scores.logprob), .number(scores.surprisal), .number(scores.meanSurprisal),
          .number(scores.perplexity), .number(total.bitsPerByte), .number(total.bitsPerCharacter),
        ]
      ]
    }
  }
}
