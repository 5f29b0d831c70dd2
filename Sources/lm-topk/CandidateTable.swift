import CommandLineTool
import Sampling
import Tokenizer

/// Displays the most likely tokens of each record as a table: id, token, probability, the sum of the probabilities so
/// far, and a bar. The text that the tokens follow, if the record has ids, is the caption. On a narrow terminal,
/// columns are shortened or omitted.
struct CandidateTable {
  private let tokenizer: ByteLevelTokenizer
  private let terminal = Terminal.standardOutput()
  private var count = 0

  private static let gap = "  "
  private static let numberWidth = 6  // the width of `0.1941`
  private static let barWidths = 4...60

  init(_ tokenizer: ByteLevelTokenizer) { self.tokenizer = tokenizer }

  /// Writes the table of a record, after a blank line if it is not the first table.
  ///
  /// - Parameter ids: the ids of the record, or an empty array.
  mutating func write(_ candidates: [Distribution.Candidate], after ids: [Int], to output: Output) throws {
    if count > 0 { try output.endLine() }
    count += 1
    if !ids.isEmpty {
      output.buffer.append(caption(ids))
      try output.endLine()
    }
    var tokens = candidates.map { candidate in
      tokenizer.bytes(of: candidate.id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? ""
    }
    let idWidth = max(2, candidates.map { String($0.id).count }.max() ?? 0)
    let width = terminal.width ?? .max
    if width < .max { tokens = tokens.map { terminal.cut($0, to: max(5, width / 2 - idWidth)) } }
    let tokenWidth = max(5, tokens.map(columns).max() ?? 0)

    // The width that remains after id, token and p
    var rest = width - (idWidth + tokenWidth + Self.numberWidth + 2 * Self.gap.count)
    let showsSum = rest >= Self.gap.count + Self.numberWidth
    rest -= showsSum ? Self.gap.count + Self.numberWidth : 0
    let barWidth = terminal.showsBars ? min(Self.barWidths.upperBound, rest - Self.gap.count) : 0

    func write(_ id: String, _ token: String, _ p: String, _ sum: String, bar: String = "") throws {
      let numbers = (showsSum ? [p, sum] : [p]).map { padded($0, Self.numberWidth, right: true) }
      let cells = [padded(id, idWidth, right: true), padded(token, tokenWidth)] + numbers + (bar.isEmpty ? [] : [bar])
      output.buffer.append(cells.joined(separator: Self.gap))
      try output.endLine()
    }
    try write("id", "token", "p", "sum")
    let greatest = candidates.first?.p ?? 1
    var sum: Float = 0
    for (candidate, token) in zip(candidates, tokens) {
      sum += candidate.p
      let bar = barWidth < Self.barWidths.lowerBound ? "" : terminal.bar(candidate.p / greatest, barWidth)
      try write("\(candidate.id)", token, fixedPoint(candidate.p, decimals: 4), fixedPoint(sum, decimals: 4), bar: bar)
    }
  }

  /// Returns the text of the ids and an arrow: `Once upon a →`. If it is too wide for the line, the end of the text is
  /// kept, because the prefixes of one text differ at their end.
  private func caption(_ ids: [Int]) -> String {
    let arrow = terminal.isUTF8 ? " →" : " ->"
    let width = max(1, (terminal.width ?? 80) - columns(arrow))
    // A token has at least one byte, and a character at most four.
    let used = ids.suffix(4 * width)
    var bytes: [UInt8] = []
    for id in used { if let token = tokenizer.bytes(of: id) { bytes.append(contentsOf: token) } }
    let text = bytes.withUnsafeBufferPointer { visible($0, isUTF8: terminal.isUTF8) }
    guard used.count < ids.count || columns(text) > width else { return text + arrow }
    let ellipsis = terminal.isUTF8 ? "…" : "~"
    var kept = 0
    var start = text.unicodeScalars.endIndex
    while start > text.unicodeScalars.startIndex {
      let previous = text.unicodeScalars.index(before: start)
      kept += columns(String(text.unicodeScalars[previous]))
      guard kept < width else { break }
      start = previous
    }
    return ellipsis + text[start...] + arrow
  }
}
