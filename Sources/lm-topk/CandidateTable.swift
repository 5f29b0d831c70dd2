import CommandLineTool
import Sampling
import Tokenizer

/// The likeliest tokens as a person would like to see them: id, token, probability, and a bar.
struct CandidateTable {
  private let tokenizer: ByteLevelTokenizer
  private let terminal = Terminal.standardOutput()
  private var count = 0

  init(_ tokenizer: ByteLevelTokenizer) { self.tokenizer = tokenizer }

  /// A blank line stands between the tables of two records.
  mutating func write(_ candidates: [Distribution.Candidate], to output: Output) throws {
    if count > 0 { try output.endLine() }
    count += 1
    let tokens = candidates.map { candidate in
      tokenizer.bytes(of: candidate.id).map { printable($0, isUTF8: terminal.isUTF8) } ?? ""
    }
    let idWidth = max(2, candidates.map { String($0.id).count }.max() ?? 0)
    let tokenWidth = max(5, tokens.map { columns($0) }.max() ?? 0)
    let barWidth = min(40, terminal.width - idWidth - tokenWidth - 12)
    let greatest = candidates.first?.p ?? 1
    output.buffer.append("\(padded("id", idWidth, right: true))  \(padded("token", tokenWidth))       p")
    try output.endLine()
    for (candidate, token) in zip(candidates, tokens) {
      var line =
        "\(padded("\(candidate.id)", idWidth, right: true))  \(padded(token, tokenWidth))  \(decimals(candidate.p))"
      if terminal.showsBars, barWidth > 3 { line += "  " + bar(candidate.p / greatest, barWidth) }
      while line.last == " " { line.removeLast() }
      output.buffer.append(line)
      try output.endLine()
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
