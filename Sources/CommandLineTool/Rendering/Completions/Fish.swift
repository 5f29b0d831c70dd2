/// Returns the completions for fish.
func fishCompletions(of tool: Tool) -> String {
  var text = Shell.notice
  switch tool.operands {
  case .files: break  // the default of fish
  case .modelName(let suggestions):
    text += "complete -c \(tool.name) -f -a \(quoted(suggestions.joined(separator: " ")))\n"
  case .model: text += "complete -c \(tool.name) -f -a \(quoted(models))\n"
  }
  for option in tool.listedOptions {
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
    text += " -d \(quoted(option.summary))\n"
  }
  return text
}

/// Model names, folders and `.gguf` files. `commandline -ct` is the whole word before the cursor, including an option
/// in it; fish adds the option to the candidates itself, so file names must be completed without it.
private let models =
  "(\(Shell.listModels); set -l value (commandline -ct | string replace -r -- '^(--model=|-m)' ''); "
  + "__fish_complete_directories \"$value\"; "
  + "__fish_complete_suffix \"$value\" .gguf | string match -r -- '.*\\.gguf(?:\\t.*)?$')"

private func quoted(_ text: String) -> String {
  "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
}
