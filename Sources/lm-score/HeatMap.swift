import CommandLineTool
import JSON
import Scoring

/// Displays the text, in lines that fit the terminal, with a background for the surprisal of each word or token, and a
/// legend after the last text. Without colours, a line of marks is below each line of text.
final class HeatMap: ScoreWriter {
  private let unit: ScoreUnit
  private let output: Output
  private let terminal = Terminal.standardOutput()
  private var hasText = false

  init(_ unit: ScoreUnit, _ output: Output) { (self.unit, self.output) = (unit, output) }

  var writePlaceholder: (() throws -> Void)? { { [output] in try output.endLine() } }

  func write(_ text: ScoredText) throws {
    hasText = true
    for line in lines(of: text.pieces(by: unit)) {
      output.buffer.append(line.map(coloured).joined())
      try output.endLine()
      guard terminal.palette == .none else { continue }
      let marks = line.map { cell in
        String(repeating: HeatScale.mark(of: cell.bits), count: columns(cell.text))
      }.joined()
      if marks.contains(where: { $0 != " " }) {
        output.buffer.append(String(marks.reversed().drop { $0 == " " }.reversed()))
        try output.endLine()
      }
    }
  }

  func finish() throws {
    guard hasText else { return }
    let ends = HeatScale.levels.dropFirst().map { "-\(Int($0.bits))" } + ["+"]
    var entries = [Cell(text: "bits: 0-\(Int(HeatScale.levels[0].bits))", bits: nil)]
    for (level, end) in zip(HeatScale.levels, ends) {
      let range = "\(Int(level.bits))\(end)"
      entries.append(Cell(text: terminal.palette == .none ? "\(level.mark) \(range)" : range, bits: level.bits))
    }
    let gap = terminal.palette == .none ? "  " : " "
    let isWide = entries.reduce(0) { $0 + columns($1.text) + 3 } <= width
    var used = 0
    for (index, entry) in entries.enumerated() {
      var entry = entry
      if terminal.palette != .none, isWide, index > 0 { entry.text = " \(entry.text) " }
      if used > 0, used + gap.count + columns(entry.text) > width {
        try output.endLine()
        used = 0
      }
      output.buffer.append((used > 0 ? gap : "") + coloured(entry))
      used += (used > 0 ? gap.count : 0) + columns(entry.text)
    }
    try output.endLine()
  }

  /// The length of a line.
  private var width: Int { max(1, terminal.width ?? 80) }

  /// A part of a line, and its surprisal.
  private struct Cell {
    var text: String
    let bits: Float?
  }

  private func coloured(_ cell: Cell) -> String {
    guard let sgr = cell.bits.flatMap({ HeatScale.sgr(of: $0, terminal) }) else { return cell.text }
    return "\u{1B}[\(sgr)m\(cell.text)\u{1B}[0m"
  }

  /// Returns a part of the text with visible control characters; newlines are kept.
  private func shown(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      line.withUnsafeBufferPointer { visible($0, isUTF8: terminal.isUTF8) }
    }.joined(separator: "\n")
  }

  /// Divides the text into lines that fit the terminal. A word that does not fit begins a new line, and white space at
  /// a line's end is left out.
  private func lines(of pieces: [ScoredText.Piece]) -> [[Cell]] {
    var lines: [[Cell]] = [[]]
    var used = 0  // columns of the last line
    func endLine() {
      lines.append([])
      used = 0
    }
    for piece in pieces {
      let parts = shown(piece.bytes).split(separator: "\n", omittingEmptySubsequences: false)
      for (number, part) in parts.enumerated() {
        if number > 0 { endLine() }
        if used > 0, used + columns(String(part)) > width {
          endLine()
          if part.allSatisfy({ $0 == " " }) { continue }
        }
        var cell = Cell(text: "", bits: piece.surprisal)
        for character in part {
          let size = columns(String(character))
          if used + size > width {
            lines[lines.count - 1].append(cell)
            cell.text = ""
            endLine()
          }
          cell.text.append(character)
          used += size
        }
        if !cell.text.isEmpty { lines[lines.count - 1].append(cell) }
      }
    }
    return lines
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
