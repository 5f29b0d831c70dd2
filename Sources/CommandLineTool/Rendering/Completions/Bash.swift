/// Completions for bash, loaded by the package bash-completion.
///
/// The word under the cursor comes in pieces where it has a character of `$COMP_WORDBREAKS`, by default `=` among them:
/// `--model=gp` is three words, and what is inserted replaces the last alone. Where it stands in one piece, or behind
/// its letter, the option is put in front of each candidate again. Files are left to readline, which knows best how
/// their names are quoted.
func bashCompletions(of tool: Tool) -> String {
  let function = "_" + tool.name.map { $0 == "-" ? "_" : String($0) }.joined()
  let withValue = tool.options.filter { $0.argument != nil }
  let letters = withValue.compactMap(\.short).map(String.init).joined()
  return """
    \(Shell.notice)\(tool.options.contains(.model) ? models : "")\(function)() {
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
      :-*) \(candidates(tool.options.map { "--" + $0.name })) ;;
      :*) \(operands(of: tool)) ;;
      esac
      COMPREPLY=("${COMPREPLY[@]/#/$attached}")
    }
    complete -F \(function) \(tool.name)

    """
}

/// A `case` for an option's value.
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
  case nil: ":"
  }
}

/// Offers those of some words that begin with `$word`.
private func candidates(_ words: [String]) -> String {
  "mapfile -t COMPREPLY < <(compgen -W '\(words.joined(separator: " "))' -- \"$word\")"
}

/// Offers names, folders and `.gguf` files that begin with a word. Readline shows of a file's name only what follows
/// the last slash, so candidates are called file names only where no model's name is among them.
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
