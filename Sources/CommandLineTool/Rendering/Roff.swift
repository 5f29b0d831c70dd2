/// Returns the roff source of a line of text. It escapes backslashes, characters that roff would typeset as other
/// characters (a hyphen for a minus sign), and a first character that would make the line a request.
package func roffEscaped(_ text: some StringProtocol) -> String {
  let begins = text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : ""
  return begins + text.map { escapes[$0] ?? String($0) }.joined()
}

/// Returns the text of a line of roff source: the inverse of `roffEscaped`.
package func roffUnescaped(_ text: some StringProtocol) -> String {
  var text = String(text)
  for (character, escape) in escapes.sorted(by: { $0.key < $1.key }) where character != "\\" {
    text = text.replacing(escape, with: String(character))
  }
  return text.replacing("\\&", with: "").replacing("\\e", with: "\\")
}

/// Names from groff_char(7). The quotation mark must be escaped because it begins a quoted argument after a macro name.
private let escapes: [Character: String] = [
  "\\": "\\e", "-": "\\-", "\"": "\\(dq", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "…": "\\[u2026]",
  "“": "\\(lq", "”": "\\(rq", "→": "\\(->",
]

/// Returns the commands in the displays of a page, each with the roff source of its output.
package func examples(inPage page: String) -> [String: [String]] {
  var outputs: [String: [String]] = [:]
  var command: String?
  for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
    if line.hasPrefix("$ ") {
      command = roffUnescaped(line.dropFirst(2))
    } else if line == ".Ed" {
      command = nil
    } else if let current = command {
      if line.hasPrefix("> "), outputs[current] == nil {
        command = current + "\n" + roffUnescaped(line.dropFirst(2))
      } else {
        outputs[current, default: []].append(String(line))
      }
    }
  }
  return outputs
}
