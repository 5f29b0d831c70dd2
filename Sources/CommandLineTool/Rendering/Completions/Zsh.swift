/// Returns the completions for zsh, which call `_arguments`.
func zshCompletions(of tool: Tool) -> String {
  var text = "#compdef \(tool.name)\n" + Shell.notice
  if tool.listedOptions.contains(.model) {
    text += """
      _lmpipe_models() {
        local -a models
        models=(${(f)"$(_call_program models \(Shell.listModels))"})
        _alternative 'models:model:compadd -a models' 'files:folder or file:_files -g "*.gguf"'
      }

      """
  }
  text += "_arguments -s -S"
  for option in tool.listedOptions {
    let summary = "[\(quoted(option.summary))]"
    // The notation of _arguments: `-k+` takes its value in the same or the next word, `--top-k=` also after `=`
    let attached = option.spellings.map { $0 + (option.argument == nil ? "" : $0.hasPrefix("--") ? "=" : "+") }
    if attached.count > 1 {
      text += " \\\n  '(\(option.spellings.joined(separator: " ")))'{\(attached.joined(separator: ","))}"
      text += "'\(summary)\(value(of: option))'"
    } else {
      text += " \\\n  '\(attached.joined())\(summary)\(value(of: option))'"
    }
  }
  switch tool.operands {
  case .files(let content): text += " \\\n  '*:file of \(content):_files'"
  case .modelName(let suggestions): text += " \\\n  ':model:(\(suggestions.joined(separator: " ")))'"
  case .model: text += " \\\n  ':model:_lmpipe_models'"
  }
  return text + "\n"
}

private func value(of option: Option) -> String {
  switch option.argument {
  case .model: ":model:_lmpipe_models"
  case .file(let name): ":\(name):_files"
  case .some(let argument) where option.suggestions.isEmpty: ":\(argument.placeholder): "
  case .some(let argument): ":\(argument.placeholder):(\(option.suggestions.joined(separator: " ")))"
  case nil: ""
  }
}

/// Returns text escaped for the brackets of a specification inside single quotes.
private func quoted(_ text: String) -> String {
  text.map { character in
    switch character {
    case "'": "'\\''"
    case "[", "]", ":", "\\": "\\\(character)"
    default: String(character)
    }
  }.joined()
}
