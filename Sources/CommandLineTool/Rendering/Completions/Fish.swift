/// Completions for fish.
func fishCompletions(of tool: Tool) -> String {
  var text = Shell.notice
  switch tool.operands {
  case .files: break  // which fish offers anyway
  case .modelName(let suggestions):
    text += "complete -c \(tool.name) -f -a \(quoted(suggestions.joined(separator: " ")))\n"
  case .model: text += "complete -c \(tool.name) -f -a \(quoted(models))\n"
  case nil: text += "complete -c \(tool.name) -f\n"
  }
  for option in tool.options {
    text += "complete -c \(tool.name)"
    if let short = option.short { text += " -s \(short)" }
    text += " -l \(option.name)"
    switch option.argument {
    case .model: text += " -x -a \(quoted(models))"
    case .file: text += " -r -F"
    case .some where option.suggestions.isEmpty: text += " -x"
    case .some: text += " -x -a \(quoted(option.suggestions.joined(separator: " ")))"
    case nil: break
    }
    text += " -d \(quoted(option.shortExplanation))\n"
  }
  return text
}

/// Names, folders and `.gguf` files. The word under the cursor may have its option in front, which fish takes off
/// before it compares; folders are not taken apart by fish but by its own function.
private let models =
  "(\(Shell.listModels)) (__fish_complete_directories) (__fish_complete_suffix .gguf | string match -r -- '.*\\.gguf(?:\\t.*)?$')"

private func quoted(_ text: String) -> String {
  "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
}
