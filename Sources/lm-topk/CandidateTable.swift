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
        text: name(candidate.id), value: candidate.p)
    }
    try write(rows, headings: ("id", "token", "p"), sums: true, caption: caption(ids), to: output)
  }

  /// Writes the continuations of a record, and the probability of all others.
  mutating func write(_ list: ContinuationList, after ids: [Int], to output: Output) throws {
    var rows = list.continuations.map { continuation in
      Row(
        number: "\(continuation.rank)",
        text: continuation.text.withUnsafeBufferPointer { quoted($0, isUTF8: terminal.isUTF8) }, value: continuation.p)
    }
    rows.append(Row(number: "", text: "(others)", value: list.otherProbability, hasBar: false))
    try write(rows, headings: ("rank", "continuation", "p"), sums: false, caption: caption(ids), to: output)
  }

  /// Writes the tokens with an embedding near that of a token.
  mutating func write(_ tokens: [NearToken], nearestTo id: Int, to output: Output) throws {
    let rows = tokens.map { Row(number: "\($0.id)", text: name($0.id), value: $0.similarity.cosine) }
    let caption = terminal.cut("nearest to \(name(id))", to: terminal.width ?? .max)
    try write(rows, headings: ("id", "token", "cosine"), sums: false, caption: caption, to: output)
  }

  /// Returns a token in quotation marks.
  private func name(_ id: Int) -> String {
    tokenizer.bytes(of: id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? ""
  }

  private struct Row {
    let number: String
    let text: String
    /// A probability or a cosine similarity.
    let value: Float
    var hasBar = true
  }

  /// Writes a table, after a blank line if it is not the first.
  ///
  /// - Parameters:
  ///   - sums: whether there is a column with the sum of the values so far.
  ///   - caption: the line before the table; empty for none.
  private mutating func write(
    _ rows: [Row], headings: (number: String, text: String, value: String), sums: Bool, caption: String,
    to output: Output
  ) throws {
    if count > 0 { try output.endLine() }
    count += 1
    if !caption.isEmpty {
      output.buffer.append(caption)
      try output.endLine()
    }
    let width = terminal.width ?? .max
    let idWidth = ([headings.number] + rows.map(\.number)).map(\.count).max() ?? 0
    let texts = rows.map { width < .max ? terminal.cut($0.text, to: max(5, width / 2 - idWidth)) : $0.text }
    let tokenWidth = ([headings.text] + texts).map(columns).max() ?? 0

    // The width that remains after number, text and value
    var rest = width - (idWidth + tokenWidth + Self.numberWidth + 2 * Self.gap.count)
    let showsSum = sums && rest >= Self.gap.count + Self.numberWidth
    rest -= showsSum ? Self.gap.count + Self.numberWidth : 0
    let barWidth = terminal.showsBars ? min(Self.barWidths.upperBound, rest - Self.gap.count) : 0

    func write(_ id: String, _ token: String, _ value: String, _ sum: String, bar: String = "") throws {
      let numbers = (showsSum ? [value, sum] : [value]).map { padded($0, Self.numberWidth, right: true) }
      let cells = [padded(id, idWidth, right: true), padded(token, tokenWidth)] + numbers + (bar.isEmpty ? [] : [bar])
      output.buffer.append(cells.joined(separator: Self.gap))
      try output.endLine()
    }
    try write(headings.number, headings.text, headings.value, "sum")
    let greatest = max(rows.lazy.filter(\.hasBar).map(\.value).max() ?? 1, .leastNormalMagnitude)
    var sum: Float = 0
    for (row, text) in zip(rows, texts) {
      sum += row.value
      let bar =
        !row.hasBar || barWidth < Self.barWidths.lowerBound ? "" : terminal.bar(max(0, row.value / greatest), barWidth)
      try write(
        row.number, text, (row.value < 0 ? "-" : "") + fixedPoint(abs(row.value), decimals: 4),
        fixedPoint(sum, decimals: 4), bar: bar)
    }
  }

  /// Returns the text of the ids and an arrow: `Once upon a →`; empty if there are no ids. If it is too wide for the
  /// line, the end of the text is kept, because the prefixes of one text differ at their end.
  private func caption(_ ids: [Int]) -> String {
    guard !ids.isEmpty else { return "" }
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
