import CommandLineTool

/// Displays each text as a table: word, surprisal in bits, a bar, rank, and entropy. On a narrow terminal the last
/// columns are omitted, and words are shortened. With `--by record` there is one table for all texts.
final class ScoreTable: ScoreWriter {
  private let unit: ScoreUnit
  private let output: Output
  private let terminal = Terminal.standardOutput()
  private var count = 0

  private static let gap = "  "
  private static let barWidth = 30
  /// On a narrow terminal, columns are omitted rather than bars shorter than this.
  private static let leastBarWidth = 12
  /// The surprisal of the longest bar. Bars of all tables have the same scale, so that texts can be compared.
  private static let bitsOfLongestBar: Float = 25

  init(_ unit: ScoreUnit, _ output: Output) { (self.unit, self.output) = (unit, output) }

  var writePlaceholder: (() throws -> Void)? { { [output] in try output.endLine() } }

  func write(_ text: ScoredText) throws {
    defer { count += 1 }
    guard unit != .record else { return try writeRecord(text) }
    if count > 0 { try output.endLine() }
    let units = unit == .word ? text.words : text.tokens
    let names = units.map { unit in
      text.text.bytes[unit.bytes].withUnsafeBufferPointer {
        self.unit == .word ? visible($0, isUTF8: terminal.isUTF8) : quoted($0, isUTF8: terminal.isUTF8)
      }
    }
    let columns = [
      Column("bits", 5) { $0.score.map { fixedPoint($0.surprisal, decimals: 1) } },
      Column("rank", 5) { $0.score?.rank.map(String.init) },
      Column("entropy", 7) { $0.score?.entropy.map { fixedPoint($0, decimals: 1) } },
    ]
    try write(unit.rawValue, names, units, columns)
    let total = text.total
    let sum = "\(fixedPoint(total.scores.surprisal, decimals: 1)) bits"
    let perplexity = total.scores.perplexity.map { ", perplexity \(fixedPoint($0, decimals: 1))" } ?? ""
    output.buffer.append(terminal.width.map { terminal.cut(sum + perplexity, to: $0) } ?? sum + perplexity)
    try output.endLine()
  }

  /// A column of right-aligned numbers.
  private struct Column {
    let name: String
    let width: Int
    let value: (ScoredText.Unit) -> String?

    init(_ name: String, _ width: Int, _ value: @escaping (ScoredText.Unit) -> String?) {
      (self.name, self.width, self.value) = (name, width, value)
    }
  }

  private func write(
    _ heading: String, _ names: [String], _ units: [ScoredText.Unit], _ columns: [Column]
  ) throws {
    let width = terminal.width ?? .max
    // The first column and the surprisals are always shown.
    let fixedWidth = columns[0].width + Self.gap.count
    let nameLimit = max(4, min(width - fixedWidth, width / 2))
    let shown = width == .max ? names : names.map { terminal.cut($0, to: nameLimit) }
    let nameWidth = max(heading.count, shown.map { CommandLineTool.columns($0) }.max() ?? 0)
    var rest = width - nameWidth - fixedWidth
    var numbers = [columns[0]]
    let barRest = terminal.showsBars ? Self.leastBarWidth + Self.gap.count : 0
    for column in columns.dropFirst() where rest >= column.width + Self.gap.count + barRest {
      numbers.append(column)
      rest -= column.width + Self.gap.count
    }
    let barWidth = terminal.showsBars ? min(Self.barWidth, rest - Self.gap.count) : 0

    func write(_ name: String, _ values: [String], bar: String = "") throws {
      let cells = zip(values, numbers).map { padded($0, $1.width, right: true) }
      output.buffer.append(
        ([padded(name, nameWidth)] + cells + (bar.isEmpty ? [] : [bar])).joined(separator: Self.gap))
      try output.endLine()
    }
    try write(heading, numbers.map(\.name))
    for (name, unit) in zip(shown, units) {
      let fraction = min(1, (unit.score?.surprisal ?? 0) / Self.bitsOfLongestBar)
      try write(
        name, numbers.map { $0.value(unit) ?? "-" }, bar: barWidth < 4 ? "" : terminal.bar(max(0, fraction), barWidth))
    }
  }

  private func writeRecord(_ text: ScoredText) throws {
    let total = text.total
    func write(_ cells: [String], _ text: String) throws {
      let line = cells.map { padded($0, 8, right: true) }.joined(separator: Self.gap) + Self.gap + text
      output.buffer.append(terminal.width.map { terminal.cut(line, to: $0) } ?? line)
      try output.endLine()
    }
    if count == 0 { try write(["bits", "tokens", "per word", "perplex."], "text") }
    let scores = total.scores
    let shown = text.text.bytes[text.textStart...].withUnsafeBufferPointer { visible($0, isUTF8: terminal.isUTF8) }
    try write(
      [
        fixedPoint(scores.surprisal, decimals: 1), "\(scores.tokens)",
        total.words == 0 ? "-" : fixedPoint(scores.surprisal / Float(total.words), decimals: 2),
        scores.perplexity.map { fixedPoint($0, decimals: 1) } ?? "-",
      ], shown)
  }
}
