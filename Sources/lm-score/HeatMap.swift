import CommandLineTool
import JSON
import Scoring

/// Displays the text with a background for the surprisal of each word or token, and a legend after the last text.
/// Without colours, a line of marks is below each line of text.
final class HeatMap: ScoreWriter {
  private let unit: ScoreUnit
  private let output: Output
  private let terminal = Terminal.standardOutput()
  private var hasText = false

  init(_ unit: ScoreUnit, _ output: Output) { (self.unit, self.output) = (unit, output) }

  var writePlaceholder: (() throws -> Void)? { { [output] in try output.endLine() } }

  func write(_ text: ScoredText) throws {
    hasText = true
    let pieces = text.pieces(by: unit)
    if terminal.palette == .none { return try writeMarked(pieces) }
    for piece in pieces {
      guard let bits = piece.surprisal, let sgr = HeatScale.sgr(of: bits, terminal) else {
        output.buffer.append(shown(piece.bytes))
        continue
      }
      output.buffer.append("\u{1B}[\(sgr)m\(shown(piece.bytes))\u{1B}[0m")
    }
    try output.endLine()
  }

  func finish() throws {
    guard hasText else { return }
    let ends = HeatScale.levels.dropFirst().map { "-\(Int($0.bits))" } + ["+"]
    var entries = ["0-\(Int(HeatScale.levels[0].bits))"]
    for (level, end) in zip(HeatScale.levels, ends) {
      let range = "\(Int(level.bits))\(end)"
      entries.append(
        HeatScale.sgr(of: level.bits, terminal).map { "\u{1B}[\($0)m \(range) \u{1B}[0m" } ?? "\(level.mark) \(range)")
    }
    output.buffer.append("bits: \(entries.joined(separator: terminal.palette == .none ? "  " : " "))")
    try output.endLine()
  }

  /// Returns a part of the text with visible control characters; newlines are kept.
  private func shown(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.withUnsafeBufferPointer { visible($0, isUTF8: terminal.isUTF8) }
    }.joined(separator: "\n")
  }

  /// Writes lines of text, broken at the width of the terminal, each with a line of marks below it.
  private func writeMarked(_ pieces: [ScoredText.Piece]) throws {
    let width = max(1, terminal.width ?? 80)
    var (line, marks, used) = ("", "", 0)
    func endLine() throws {
      output.buffer.append(line)
      try output.endLine()
      if marks.contains(where: { $0 != " " }) {
        output.buffer.append(String(marks.reversed().drop { $0 == " " }.reversed()))
        try output.endLine()
      }
      (line, marks, used) = ("", "", 0)
    }
    for piece in pieces {
      let parts = shown(piece.bytes).split(separator: "\n", omittingEmptySubsequences: false)
      for (number, part) in parts.enumerated() {
        if number > 0 { try endLine() }
        let mark = piece.surprisal.flatMap(HeatScale.level).map { HeatScale.levels[$0].mark } ?? " "
        // A word that does not fit begins a new line, and white space at a line's end is left out.
        let isSpace = part.allSatisfy { $0 == " " }
        if used > 0, used + columns(String(part)) > width {
          try endLine()
          if isSpace { continue }
        }
        for character in part {
          let size = columns(String(character))
          if used + size > width { try endLine() }
          line.append(character)
          marks += String(repeating: mark, count: size)
          used += size
        }
      }
    }
    try endLine()
  }
}

extension ScoredText {
  /// A part of the text: a word or token with its surprisal, or text that has none.
  struct Piece {
    let bytes: ArraySlice<UInt8>
    let surprisal: Float?
    /// The tokens of the piece; empty for the text between words.
    let tokens: Range<Int>
    let score: TextScores.WordScore?
  }

  /// Returns the text from its beginning to its end, without special tokens at the beginning. Tokens that share a
  /// character are one piece.
  func pieces(by unit: ScoreUnit) -> [Piece] {
    var pieces: [Piece] = []
    var end = textStart
    func add(
      to limit: Int, _ surprisal: Float? = nil, _ tokens: Range<Int> = 0..<0, _ score: TextScores.WordScore? = nil
    ) {
      guard limit > end else { return }
      pieces.append(Piece(bytes: text.bytes[end..<limit], surprisal: surprisal, tokens: tokens, score: score))
      end = limit
    }
    guard unit == .token else {
      for word in words {
        add(to: word.bytes.lowerBound)
        add(to: word.bytes.upperBound, word.score?.surprisal, word.tokens, word.score)
      }
      add(to: text.bytes.count)
      return pieces
    }
    var first: Int?  // the first of the tokens that share an incomplete character
    var bits: Float?
    for token in tokens {
      if first == nil { add(to: token.bytes.lowerBound) }
      let start = first ?? token.index
      bits = token.score.map { (bits ?? 0) + $0.surprisal } ?? bits
      if token.index + 1 < ids.count, incompleteUTF8Suffix(Array(text.bytes[end..<token.bytes.upperBound]).span) > 0 {
        first = start
        continue
      }
      add(to: token.bytes.upperBound, bits, start..<token.index + 1, start == token.index ? token.score : nil)
      (first, bits) = (nil, nil)
    }
    add(to: text.bytes.count)
    return pieces
  }
}
