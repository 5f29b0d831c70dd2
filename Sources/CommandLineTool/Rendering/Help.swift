/// Returns the output of `--help`, in ASCII.
///
/// - Parameter width: the columns of a line. Commands in examples are broken after a `|` only and may be wider, so that
///   they can be copied.
package func helpText(of tool: Tool, width: Int = 80) -> String {
  let operands =
    switch tool.operands {
    case .files: " [FILE]..."
    case .modelName: " NAME"
    case .model: " [MODEL]"
    }
  var text = wrapped("Usage: \(tool.name) [OPTION]...\(operands)", width: width, hanging: 4) + "\n"
  text += wrapped("\(tool.summary.prefix(1).uppercased())\(tool.summary.dropFirst()).", width: width) + "\n"
  if let content = tool.content {
    text += "\n"
    text += wrapped(
      "Reads \(content) from each FILE, or from standard input if there is none or FILE is -.", width: width)
    text += "\n"
  }
  text += "\nOptions:\n" + tool.ownOptions.map { lines(for: $0, width: width) }.joined()
  text += "\nCommon options:\n" + tool.commonOptions.map { lines(for: $0, width: width) }.joined()
  text += "\nExamples:\n"
  for example in tool.examples { text += wrappedCommand(example.command, width: width) }
  return text + "\nManual: man \(tool.name)\n"
}

private let summaryColumn = 26  // the width of `      --sealed-output` and of most other spellings
private let leastWidthForColumns = 60

/// An option and its summary: side by side, or one below the other on a narrow terminal or if the option is too long.
private func lines(for option: Option, width: Int) -> String {
  let argument = option.argument.map { "=\($0.placeholder)" } ?? ""
  guard width >= leastWidthForColumns else {
    let head = "  \(option.short.map { "-\($0), " } ?? "")--\(option.name)\(argument)"
    return "\(head)\n\(wrapped(option.summary, indent: 6, width: width))\n"
  }
  let head = "  \(option.short.map { "-\($0), " } ?? "    ")--\(option.name)\(argument)"
  let summary = wrapped(option.summary, indent: summaryColumn, width: width)
  return (head.count < summaryColumn - 1 ? head + summary.dropFirst(head.count) : "\(head)\n\(summary)") + "\n"
}

/// The lines of an example; a line that is too wide is broken after a `|`.
private func wrappedCommand(_ command: String, width: Int) -> String {
  var lines: [String] = []
  for line in command.split(separator: "\n") {
    var rest = (lines.isEmpty ? "  " : "    ") + line
    while rest.count > width,
      let pipe = rest.prefix(width).ranges(of: " | ").last ?? rest.ranges(of: " | ").first
    {
      lines.append(rest[..<pipe.lowerBound] + " |")
      rest = "    " + rest[pipe.upperBound...]
    }
    lines.append(rest)
  }
  return lines.map { $0 + "\n" }.joined()
}

/// Breaks a paragraph into lines of at most `width` characters. Words are not broken.
///
/// - Parameters:
///   - indent: the number of spaces at the beginning of each line.
///   - hanging: the number of additional spaces at the beginning of all lines except the first.
func wrapped(_ paragraph: String, indent: Int = 0, width: Int, hanging: Int = 0) -> String {
  var lines: [String] = []
  var line = String(repeating: " ", count: indent)
  var isEmpty = true
  for word in paragraph.split(separator: " ") {
    if !isEmpty, line.count + 1 + word.count > width {
      lines.append(line)
      line = String(repeating: " ", count: indent + hanging)
      isEmpty = true
    }
    line += (isEmpty ? "" : " ") + word
    isEmpty = false
  }
  return (lines + [line]).joined(separator: "\n")
}
