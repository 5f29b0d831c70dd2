/// Text as roff reads it in a line: a backslash, and characters that typesetting would make others of, are escaped; the
/// line does not begin as a request.
package func roffEscaped(_ text: some StringProtocol) -> String {
  let begins = text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : ""
  return begins + text.map { escapes[$0] ?? String($0) }.joined()
}

/// The inverse.
package func roffUnescaped(_ text: some StringProtocol) -> String {
  var text = String(text)
  for (character, escape) in escapes.sorted(by: { $0.key < $1.key }) where character != "\\" {
    text = text.replacing(escape, with: String(character))
  }
  return text.replacing("\\&", with: "").replacing("\\e", with: "\\")
}

/// groff_char(7). A quotation mark is among them because it would begin an argument where it follows a macro.
private let escapes: [Character: String] = [
  "\\": "\\e", "-": "\\-", "\"": "\\(dq", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "…": "\\[u2026]",
  "“": "\\(lq", "”": "\\(rq", "→": "\\(->",
]

/// The commands in a page's displays, with the lines that follow each, as they stand: what the command prints.
package func examples(inPage page: String) -> [String: [String]] {
  var outputs: [String: [String]] = [:]
  var command: String?
  for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
    if line.hasPrefix("$ ") {
      command = roffUnescaped(line.dropFirst(2))
    } else if line == ".Ed" {
      command = nil
    } else if let known = command {
      if line.hasPrefix("> "), outputs[known] == nil {
        command = known + "\n" + roffUnescaped(line.dropFirst(2))
      } else {
        outputs[known, default: []].append(String(line))
      }
    }
  }
  return outputs
}
