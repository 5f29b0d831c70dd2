/// Returns the completions for bash, in the format that the package bash-completion loads.
///
/// Bash splits the word before the cursor at the characters of `$COMP_WORDBREAKS`, by default at `=`: `--model=gp` is
/// three words, and a candidate replaces the last one only. If `=` is not in `$COMP_WORDBREAKS`, or for `-mgp`, the
/// option and its value are one word, and each candidate repeats the option. Files are completed by readline, which
/// quotes their names.
func bashCompletions(of tool: Tool) -> String {
  let function = "_" + tool.name.map { $0 == "-" ? "_" : String($0) }.joined()
  let withValue = tool.listedOptions.filter { $0.argument != nil }
  let letters = withValue.compactMap(\.short).map(String.init).joined()
  return """
    \(Shell.notice)\(tool.listedOptions.contains(.model) ? models : "")\(function)() {
      local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} attached= index
      COMPREPLY=()
      if [[ $option = *[\\<\\>] ]]; then
        compopt -o default
        return
      fi
      for ((index = 1; index < COMP_CWORD; index++)); do
        if [[ ${COMP_WORDS[index]} = -- ]]; then
          \(operands(of: tool))
          return
        fi
      done
      if [[ $word = '=' ]]; then
        word=
      elif [[ $option = '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
      else
        case $option in
        \(withValue.flatMap(\.spellings).joined(separator: "|"))) ;;
        *)
          option=
          case $word in
          --*=*) option=${word%%=*} attached=$option= word=${word#*=} ;;
          -[\(letters)]?*) option=${word:0:2} attached=$option word=${word:2} ;;
          esac
          ;;
        esac
      fi
      case $option:$word in
    \(withValue.map(values).joined())\
      :-[!-]) COMPREPLY=("$word") ;;
      :-*) \(candidates(tool.listedOptions.map { "--" + $0.name })) ;;
      :*) \(operands(of: tool)) ;;
      esac
      COMPREPLY=("${COMPREPLY[@]/#/$attached}")
    }
    complete -F \(function) \(tool.name)

    """
}

/// Returns a branch of the `case` statement that completes the value of an option.
private func values(of option: Option) -> String {
  let pattern = option.spellings.map { $0 + ":*" }.joined(separator: "|")
  let body =
    switch option.argument {
    case .model: "_lmpipe_models \"$word\""
    case .file: "compopt -o default"
    default: option.suggestions.isEmpty ? "" : candidates(option.suggestions)
    }
  return "  \(pattern))\(body.isEmpty ? "" : " " + body) ;;\n"
}

private func operands(of tool: Tool) -> String {
  switch tool.operands {
  case .files: "compopt -o default"
  case .modelName(let suggestions): candidates(suggestions)
  case .model: "_lmpipe_models \"$word\""
  }
}

/// Returns a command that offers the words that begin with `$word`.
private func candidates(_ words: [String]) -> String {
  "mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$word\")"
}

/// A function that offers model names, folders and `.gguf` files. In a list of file names readline shows only the part
/// after the last slash, so the candidates are declared file names only if no model name is among them.
private let models = """
  _lmpipe_models() {
    mapfile -t COMPREPLY < <(
      \(Shell.listModels) | while IFS= read -r name; do
        [[ $name = "$1"* ]] && printf '%s\\n' "$name"
      done
    )
    if ((${#COMPREPLY[@]})); then
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(
        compgen -d -S / -- "$1"
        compgen -f -X '!*.gguf' -- "$1"
      )
    else
      compopt -o filenames
      mapfile -t COMPREPLY < <(
        compgen -d -- "$1"
        compgen -f -X '!*.gguf' -- "$1"
      )
    fi
  }

  """
