import CommandLineTool
import Sampling
import Tokenizer

/// The likeliest tokens as a person would like to see them: id, token, probability, the sum of the probabilities so far,
/// and a bar. A narrow terminal gets what fits into it.
struct CandidateTable {
  private let tokenizer: ByteLevelTokenizer
  private let terminal = Terminal.standardOutput()
  private var count = 0

  private static let gap = "  "
  private static let numberWidth = 6  // of `0.1941`
  private static let barWidths = 4...60

  init(_ tokenizer: ByteLevelTokenizer) { self.tokenizer = tokenizer }

  /// A blank line stands between the tables of two records.
  mutating func write(_ candidates: [Distribution.Candidate], to output: Output) throws {
    if count > 0 { try output.endLine() }
    count += 1
    var tokens = candidates.map { candidate in
      tokenizer.bytes(of: candidate.id).map { quoted($0, isUTF8: terminal.isUTF8) } ?? ""
    }
    let idWidth = max(2, candidates.map { String($0.id).count }.max() ?? 0)
    let width = terminal.width ?? .max
    if width < .max { tokens = tokens.map { terminal.cut($0, to: max(5, width / 2 - idWidth)) } }
    let tokenWidth = max(5, tokens.map(columns).max() ?? 0)

    // What is left of the line behind id, token and p
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
      let bar = barWidth < Self.barWidths.lowerBound ? "" : bar(candidate.p / greatest, barWidth)
      try write("\(candidate.id)", token, decimals(candidate.p), decimals(sum), bar: bar)
    }
  }

  /// Four decimals: `0.1941`.
  private func decimals(_ p: Float) -> String {
    let tenThousandths = Int((p * 10_000).rounded())
    let digits = String(tenThousandths % 10_000)
    return "\(tenThousandths / 10_000).\(String(repeating: "0", count: 4 - digits.count))\(digits)"
  }

  /// A bar of at most `width` columns: eighths of a column where the terminal can show them.
  private func bar(_ fraction: Float, _ width: Int) -> String {
    guard terminal.isUTF8 else { return String(repeating: "#", count: Int((fraction * Float(width)).rounded())) }
    let eighths = Int((fraction * Float(width) * 8).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }
}
