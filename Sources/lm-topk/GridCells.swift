import CommandLineTool

extension Terminal {
  /// Returns text on a background for a probability: black on greens of about equal lightness, so that the contrast is
  /// at least 4.5:1 in light and dark themes, and a more probable cell stands out more in both. Below 0.1, and without
  /// colours, it is the text alone.
  func shaded(_ text: String, _ p: Float) -> String {
    guard let level = [0.1, 0.25, 0.5, 0.75].lastIndex(where: { p >= $0 }) else { return text }
    switch palette {
    case .none: return text
    case .eight: return "\u{1B}[30;\([47, 46, 43, 42][level])m\(text)\u{1B}[0m"
    case .many: return "\u{1B}[38;5;16;48;5;\([151, 114, 77, 40][level])m\(text)\u{1B}[0m"
    }
  }
}

extension Output {
  /// Writes a line of a table without white space at its end.
  func writeGridLine(_ line: String) throws {
    buffer.append(String(line.reversed().drop { $0 == " " }.reversed()))
    try endLine()
  }
}
