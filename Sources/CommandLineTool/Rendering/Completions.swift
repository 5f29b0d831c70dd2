/// The completions of a tool for three shells, made from its table.
public enum Shell: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// Where `make install` and the repository put the file: `bash/lm-topk`, `zsh/_lm-topk`, `fish/lm-topk.fish`.
  public func fileName(of tool: Tool) -> String {
    switch self {
    case .bash: "bash/\(tool.name)"
    case .zsh: "zsh/_\(tool.name)"
    case .fish: "fish/\(tool.name).fish"
    }
  }

  public func completions(of tool: Tool) -> String {
    switch self {
    case .bash: bashCompletions(of: tool)
    case .zsh: zshCompletions(of: tool)
    case .fish: fishCompletions(of: tool)
    }
  }
}

private let notice = "# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.\n"

/// A shell pipeline that lists the models in the hub cache by name.
private let listModels =
  #"ls -d "${HF_HUB_CACHE:-${HF_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/huggingface}/hub}"/models--* 2>/dev/null | sed 's|.*/models--||; s|--|/|'"#

private func spellings(_ option: Option) -> [String] { (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.name)"] }

private func bashCompletions(of tool: Tool) -> String {
  let function = "_" + String(tool.name.map { $0 == "-" ? "_" : $0 })
  func patterns(_ isMeant: (Option) -> Bool) -> String {
    tool.options.filter(isMeant).flatMap(spellings).joined(separator: "|")
  }
  let withFile = patterns(\.takesFile)
  let withValue = patterns { $0.argument != nil && $0.argument != .model && !$0.takesFile }
  let all = tool.options.map { "--\($0.name)" }.joined(separator: " ")
  var text = notice + "\(function)() {\n"
  text += "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
  text += "  [ \"$word\" = = ] && word=\n"
  text += "  [ \"$previous\" = = ] && previous=${COMP_WORDS[COMP_CWORD-2]}\n"
  text += "  case $previous in\n"
  if tool.options.contains(.model) {
    text += "  -m|--model)\n"
    text += "    COMPREPLY=($(compgen -d -- \"$word\") $(compgen -W \"$(\(listModels))\" -- \"$word\"))\n"
    text += "    return ;;\n"
  }
  if !withFile.isEmpty { text += "  \(withFile)) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n" }
  if !withValue.isEmpty { text += "  \(withValue)) return ;;\n" }
  text += "  esac\n  case $word in\n"
  text += "  -*) COMPREPLY=($(compgen -W \"\(all)\" -- \"$word\")) ;;\n"
  if tool.input != nil { text += "  *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n" }
  return text + "  esac\n}\ncomplete -o filenames -F \(function) \(tool.name)\n"
}

private func zshCompletions(of tool: Tool) -> String {
  func quoted(_ text: String) -> String {
    var result = ""
    for character in text {
      if character == "'" {
        result += "'\\''"
      } else if "[]:\\".contains(character) {
        result += "\\\(character)"
      } else {
        result.append(character)
      }
    }
    return result
  }
  var text = "#compdef \(tool.name)\n" + notice
  if tool.options.contains(.model) {
    text += "_lmpipe_models() {\n  local -a models\n  models=(${(f)\"$(\(listModels))\"})\n"
    text += "  _alternative 'models:model:compadd -a models' 'folders:folder:_files -/'\n}\n"
  }
  text += "_arguments -s -S"
  for option in tool.options {
    let names = spellings(option)
    let value =
      switch option.argument {
      case .model: ":model:_lmpipe_models"
      case .file(let name): ":\(name):_files"
      case .some(let argument): ":\(argument.placeholder): "
      case nil: ""
      }
    let help = "[\(quoted(firstSentence(option.explanation)))]"
    let exclusion = names.count > 1 ? "'(\(names.joined(separator: " ")))'" : ""
    for (index, name) in names.enumerated() {
      let attached = option.argument == nil ? "" : index == names.count - 1 ? "=" : "+"
      text += " \\\n  \(exclusion)'\(name)\(attached)\(help)\(value)'"
    }
  }
  if let input = tool.input { text += " \\\n  '*:file of \(input):_files'" }
  return text + "\n"
}

private func fishCompletions(of tool: Tool) -> String {
  func quoted(_ text: String) -> String {
    "'" + text.map { $0 == "'" ? "\\'" : $0 == "\\" ? "\\\\" : String($0) }.joined() + "'"
  }
  var text = notice
  if tool.input == nil { text += "complete -c \(tool.name) -f\n" }
  for option in tool.options {
    text += "complete -c \(tool.name)"
    if let short = option.short { text += " -s \(short)" }
    text += " -l \(option.name)"
    switch option.argument {
    case .model: text += " -x -a \(quoted("(__fish_complete_directories) (sh -c \(quoted(listModels)))"))"
    case .file: text += " -r -F"
    case .some: text += " -x"
    case nil: break
    }
    text += " -d \(quoted(firstSentence(option.explanation)))\n"
  }
  return text
}

private func firstSentence(_ text: String) -> String {
  var sentence = ""
  for word in text.split(separator: " ") {
    sentence += (sentence.isEmpty ? "" : " ") + word
    if word.hasSuffix(".") { return String(sentence.dropLast()) }
  }
  return sentence
}
