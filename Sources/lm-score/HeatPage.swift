import CommandLineTool
import JSON
import Platform
import Sampling
import Scoring
import Tokenizer

/// Writes one web page with all texts. Each word has a background for its surprisal, and shows its tokens and the most
/// likely tokens at their places when it is pointed at or has the focus. The page has no script and loads nothing.
final class HeatPage: ScoreWriter {
  /// The number of most likely tokens to show at each place.
  static let candidateCount = 5

  private let unit: ScoreUnit
  private let tokenizer: Tokenizer
  private let output: Output
  private var hasBegun = false

  init(_ unit: ScoreUnit, _ tokenizer: Tokenizer, _ output: Output) {
    (self.unit, self.tokenizer, self.output) = (unit, tokenizer, output)
  }

  func write(_ text: ScoredText) throws {
    try begin()
    let total = text.total
    var caption = "\(fixedPoint(total.scores.surprisal, decimals: 1)) bits, \(total.scores.tokens) tokens"
    if let perplexity = total.scores.perplexity { caption += ", perplexity \(fixedPoint(perplexity, decimals: 1))" }
    output.buffer.append("<section><p class=\"text\">")
    for piece in text.pieces(by: unit) {
      guard let bits = piece.surprisal else {
        output.buffer.append(html(piece.bytes))
        continue
      }
      output.buffer.append("<span class=\"unit\" tabindex=\"0\" style=\"--t:\(heat(bits))\">\(html(piece.bytes))")
      appendDetails(of: piece, in: text)
      output.buffer.append("</span>")
    }
    output.buffer.append("</p><p class=\"total\">\(caption)</p></section>\n")
    try output.endLine(nil)
  }

  func finish() throws {
    try begin()
    output.buffer.append("</main></body></html>\n")
    try output.endLine(nil)
  }

  private func begin() throws {
    guard !hasBegun else { return }
    hasBegun = true
    output.buffer.append(Self.head)
    output.buffer.append("<body><main><p class=\"legend\">Surprisal in bits:")
    for bits in [0, 5, 10, 15, 20] {
      let label = bits == 20 ? "20 and more" : "\(bits)"
      output.buffer.append(" <span class=\"unit\" style=\"--t:\(heat(Float(bits)))\">\(label)</span>")
    }
    output.buffer.append("</p>\n")
    try output.endLine(nil)
  }

  /// Returns the strength of the colour, 0 to 1.
  private func heat(_ bits: Float) -> String { fixedPoint(min(max(bits, 0) / 20, 1), decimals: 3) }

  /// Appends the box with the scores of a word, its tokens, and the most likely tokens at the place of each.
  private func appendDetails(of piece: ScoredText.Piece, in text: ScoredText) {
    output.buffer.append("<span class=\"details\" role=\"tooltip\">")
    if let score = piece.score {
      var line = "\(fixedPoint(score.surprisal, decimals: 2)) bits"
      if unit == .word, let corrected = score.correctedSurprisal {
        line += "; corrected: \(fixedPoint(max(corrected, 0), decimals: 2))"
      }
      if let entropy = score.entropy { line += "; entropy before: \(fixedPoint(entropy, decimals: 2))" }
      output.buffer.append("<span class=\"line\">\(line)</span>")
    }
    for token in piece.tokens {
      guard let logprob = text.scores.logprobs[token] else { continue }
      output.buffer.append("<span class=\"line\"><b>\(name(text.text.bytes[text.text.ranges[token]]))</b> ")
      output.buffer.append("\(fixedPoint(TextScores.surprisal(logprob), decimals: 2)) bits")
      if let rank = text.scores.ranks?[token] { output.buffer.append(", rank \(rank)") }
      output.buffer.append("</span>")
      guard let candidates = text.predictions?[token], !candidates.isEmpty else { continue }
      output.buffer.append("<span class=\"line candidates\">")
      for candidate in candidates {
        let bytes = tokenizer.bytes(of: candidate.id).map(Array.init) ?? []
        output.buffer.append("<span>\(name(bytes[...])) \(fixedPoint(candidate.p, decimals: 3))</span>")
      }
      output.buffer.append("</span>")
    }
    output.buffer.append("</span>")
  }

  /// Returns a token in quotation marks, with visible control characters.
  private func name(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.withUnsafeBufferPointer { escapedForHTML(quoted($0, isUTF8: true)) }
  }

  /// Returns a part of the text; newlines and tabs are kept.
  private func html(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.withUnsafeBufferPointer { escapedForHTML(visible($0, isUTF8: true)) }
    }.joined(separator: "\n")
  }

  private func escapedForHTML(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The mixture with the page's background keeps the text readable in light and dark themes: the colour is a light red
  /// below black text, or a dark red below white text.
  private static let head = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <title>Surprisal</title>
    <style>
    :root { color-scheme: light dark; --page: #fdfcf9; --ink: #1b1b1a; --soft: #5f5d58; --hot: #ff7a4d; --box: #ffffff; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #17181a; --ink: #ececea; --soft: #a3a29c; --hot: #b3341b; --box: #26282b; }
    }
    body { margin: 0; background: var(--page); color: var(--ink); font: 1.1rem/1.9 Georgia, "Noto Serif", serif; }
    main { position: relative; max-width: 42rem; margin: 0 auto; padding: 2rem 1.2rem 12rem; }
    section { margin: 0 0 2.2rem; }
    .text { margin: 0; white-space: pre-wrap; overflow-wrap: break-word; }
    .legend, .total { color: var(--soft); font: .82rem/1.6 system-ui, sans-serif; }
    .total { margin: .4rem 0 0; }
    .legend .unit { color: var(--ink); padding: .15em .6em; }
    .unit { position: relative; border-radius: .2em; padding: .12em 0;
      background: color-mix(in srgb, var(--hot) calc(var(--t) * 100%), transparent); }
    .unit:hover, .unit:focus { outline: 2px solid var(--soft); }
    .details { display: none; position: absolute; left: 0; top: 100%; z-index: 1; width: max-content;
      max-width: min(22rem, 80vw); margin-top: .3rem; padding: .6rem .8rem; border-radius: .4rem; background: var(--box);
      border: 1px solid var(--soft); box-shadow: 0 .3rem 1rem rgb(0 0 0 / .25); font: .82rem/1.5 system-ui, sans-serif;
      white-space: normal; }
    .unit:hover > .details, .unit:focus > .details { display: block; }
    .line { display: block; }
    .candidates { color: var(--soft); margin: 0 0 .3rem 1rem; }
    .candidates > span { display: inline-block; margin-right: .8em; white-space: pre; }
    /* A box of 22rem at the end of a column of 42rem would not fit. */
    @media (max-width: 88rem) {
      .unit { position: static; }
      .details { left: 1rem; top: auto; max-width: calc(100% - 3.8rem); margin-top: 2.2rem; }
    }
    </style>
    </head>

    """
}
