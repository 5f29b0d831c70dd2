/// What `--help` prints.
package func helpText(of tool: Tool) -> String {
  var text = "Usage: \(tool.name) [OPTION]…"
  switch tool.operands {
  case .files: text += " [FILE]…\n"
  case .modelName: text += " NAME\n"
  case .model: text += " [MODEL]\n"
  case nil: text += "\n"
  }
  text += wrapped("\(tool.name): \(tool.summary).", indent: 0, width: 80) + "\n"
  if let content = tool.content {
    text += wrapped(
      "Reads \(content) from the files, or from standard input where there is none or it is “-”.", indent: 0, width: 80)
    text += "\n"
  }
  text += "\n"
  for option in tool.options {
    let short = option.short.map { "-\($0), " } ?? "    "
    let argument = option.argument.map { "=\($0.placeholder)" } ?? ""
    let head = "  \(short)--\(option.name)\(argument)"
    let body = wrapped(option.explanation, indent: 26, width: 80)
    text += head.count < 25 ? head + body.dropFirst(head.count) : head + "\n" + body
    text += "\n"
  }
  text += "\nExamples:\n"
  for example in tool.examples { text += "  \(example.command.replacing("\n", with: "\n    "))\n" }
  return text + "\nThe manual: man \(tool.name)\n"
}

/// Breaks a paragraph into lines of at most `width` characters, each indented.
func wrapped(_ paragraph: String, indent: Int, width: Int) -> String {
  let margin = String(repeating: " ", count: indent)
  var lines: [String] = []
  var line = margin
  for word in paragraph.split(separator: " ") {
    if line.count > indent, line.count + 1 + word.count > width {
      lines.append(line)
      line = margin
    }
    if line.count > indent { line += " " }
    line += word
  }
  return (lines + [line]).joined(separator: "\n")
}
