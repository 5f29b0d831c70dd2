import CommandLineTool
import Sampling
import Tokenizer

/// Displays the most likely tokens of each record, or given continuations, as a table: id or rank, text, probability,
/// the sum of the probabilities so far, and a bar. The text that they follow, if the record has ids, is the caption. On
/// a narrow terminal, columns are shortened or omitted.
struct CandidateTable {
  private let tokenizer: Tokenizer
  private let terminal = Terminal.standardOutput()
  private var count = 0

  private static let gap = "  "
  private static let numberWidth = 6  // the width of `0.1941`
  private static let barWidths = 4...60

  init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

  /// Writes the most likely tokens of a record.
  ///
  /// - Parameter ids: the ids of the record, or an empty array.
  mutating func write(_ candidates: [Distribution.Candidate], after ids: [Int], to output: Output) throws {
    let rows = candidates.map { candidate in
      Row(
        number: "\(candidate.id)",
        text: tokenizer.bytes(of: candidate.id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? "", p: candidate.p)
    }
    try write(rows, headings: ("id", "token"), sums: true, after: ids, to: output)
  }

  /// Writes the continuations of a record, and the probability of all others.
  mutating func write(_ list: ContinuationList, after ids: [Int], to output: Output) throws {
    var rows = list.continuations.map { continuation in
      Row(
        number: "\(continuation.rank)",
        text: continuation.text.withUnsafeBufferPointer { quoted($0, isUTF8: terminal.isUTF8) }, p: continuation.p)
    }
    rows.append(Row(number: "", text: "(others)", p: list.otherProbability, hasBar: false))
    try write(rows, headings: ("rank", "continuation"), sums: false, after: ids, to: output)
  }

  private struct Row {
    let number: String
    let text: String
    let p: Float
    var hasBar = true
  }

  /// Writes a table, after a blank line if it is not the first.
  ///
  /// - Parameter sums: whether there is a column with the sum of the probabilities so far.
  private mutating func write(
    _ rows: [Row], headings: (number: String, text: String), sums: Bool, after ids: [Int], to output: Output
  ) throws {
    if count > 0 { try output.endLine() }
    count += 1
    if !ids.isEmpty {
      output.buffer.append(caption(ids))
      try output.endLine()
    }
    let width = terminal.width ?? .max
    let idWidth = ([headings.number] + rows.map(\.number)).map(\.count).max() ?? 0
    let texts = rows.map { width < .max ? terminal.cut($0.text, to: max(5, width / 2 - idWidth)) : $0.text }
    let tokenWidth = ([headings.text] + texts).map(columns).max() ?? 0

    // The width that remains after id, token and p
    var rest = width - (idWidth + tokenWidth + Self.numberWidth + 2 * Self.gap.count)
    let showsSum = sums && rest >= Self.gap.count + Self.numberWidth
    rest -= showsSum ? Self.gap.count + Self.numberWidth : 0
    let barWidth = terminal.showsBars ? min(Self.barWidths.upperBound, rest - Self.gap.count) : 0

    func write(_ id: String, _ token: String, _ p: String, _ sum: String, bar: String = "") throws {
      let numbers = (showsSum ? [p, sum] : [p]).map { padded($0, Self.numberWidth, right: true) }
      let cells = [padded(id, idWidth, right: true), padded(token, tokenWidth)] + numbers + (bar.isEmpty ? [] : [bar])
      output.buffer.append(cells.joined(separator: Self.gap))
      try output.endLine()
    }
    try write(headings.number, headings.text, "p", "sum")
    let greatest = max(rows.lazy.filter(\.hasBar).map(\.p).max() ?? 1, .leastNormalMagnitude)
    var sum: Float = 0
    for (row, text) in zip(rows, texts) {
      sum += row.p
      let bar = !row.hasBar || barWidth < Self.barWidths.lowerBound ? "" : terminal.bar(row.p / greatest, barWidth)
      try write(row.number, text, fixedPoint(row.p, decimals: 4), fixedPoint(sum, decimals: 4), bar: bar)
    }
  }

  /// Returns the text of the ids and an arrow: `Once upon a →`. If it is too wide for the line, the end of the text is
  /// kept, because the prefixes of one text differ at their end.
  private func caption(_ ids: [Int]) -> String {
    let arrow = terminal.isUTF8 ? " →" : " ->"
    let width = max(1, (terminal.width ?? 80) - columns(arrow))
    // A token has at least one byte, and a character at most four.
    let used = ids.suffix(4 * width)
    let bytes =
      used.count < ids.count ? used.flatMap { tokenizer.bytes(of: $0).map(Array.init) ?? [] } : tokenizer.decode(ids)
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
