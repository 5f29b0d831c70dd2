/// The manual page of a tool in mdoc(7), made from its table.
///
/// - Parameter old: the page as it is. What its examples print stays: `Scripts/renew-sessions` writes it there.
public func manualPage(of tool: Tool, old: String = "") -> String {
  var page = """
    .\\" Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
    .Dd \(Tool.date)
    .Dt \(tool.name.uppercased()) 1 LOCAL
    .Os
    .Sh NAME
    .Nm \(tool.name)
    .Nd \(roffEscaped(tool.summary))
    .Sh SYNOPSIS
    .Nm

    """
  for option in tool.options { page += ".Op \(flag(option))\n" }
  switch tool.operands {
  case .files: page += ".Op Ar\n"
  case .modelName: page += ".Ar NAME\n"
  case .model: page += ".Op Ar MODEL\n"
  case nil: break
  }
  page += ".Sh DESCRIPTION\n"
  page += tool.description.map(sentences).joined(separator: ".Pp\n")
  if tool.content != nil {
    page += ".Pp\nThe files are read one after the other; without any, or for a\n.Sq \\- ,\nstandard input is read.\n"
  }
  page += ".Sh OPTIONS\n.Bl -tag -width Ds\n"
  for option in tool.options {
    if let short = option.short {
      page +=
        ".It Fl \(short)\(argument(option, separator: " ")) , Fl \\-\(option.name)\(argument(option, separator: " Ns = Ns "))\n"
    } else {
      page += ".It Fl \\-\(option.name)\(argument(option, separator: " Ns = Ns "))\n"
    }
    page += sentences(option.explanation)
  }
  page += ".El\n"
  page += ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
  for entry in variables(of: tool) {
    page += ".It Ev \(entry.term.replacing(", ", with: " , "))\n\(sentences(entry.meaning))"
  }
  page += """
    .El
    .Sh FILES
    .Bl -tag -width Ds
    .It Pa ~/.cache/huggingface/hub
    The hub cache, in which a model is looked for by its name.

    """
  if tool.options.contains(.model) {
    page += ".It Pa PREFIX/share/lmpipe\nThe model that comes with the toolset.\n"
  }
  page += ".El\n.Sh EXIT STATUS\n.Bl -tag -width Ds\n"
  for entry in exitStatuses(of: tool) { page += ".It \(entry.term)\n\(sentences(entry.meaning))" }
  page += ".El\n.Sh EXAMPLES\n"
  let outputs = examples(inPage: old)
  page += tool.examples.map { example in
    guard example.isRun else { return "\(sentences(example.caption)).Dl \(roffEscaped(example.command))\n" }
    let command = example.command.split(separator: "\n").map { roffEscaped($0) }.joined(separator: "\n> ")
    let lines = ["$ " + command] + (outputs[example.command] ?? [])
    return "\(sentences(example.caption)).Bd -literal -offset indent\n\(lines.joined(separator: "\n"))\n.Ed\n"
  }.joined(separator: ".Pp\n")
  let others = Tool.all.map(\.name).filter { $0 != tool.name }.sorted()
  page += ".Sh SEE ALSO\n"
  page += others.map { ".Xr \($0) 1 ,\n" }.joined()
  page += ".Xr lm-records 5 ,\n.Xr lm-pipeline 7\n"
  return page
}

private func variables(of tool: Tool) -> [Tool.Entry] {
  var variables: [Tool.Entry] = []
  if tool.options.contains(.model) { variables.append(("LM_MODEL", "The model where --model names none.")) }
  variables.append(("HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME", "Where the Hugging Face hub cache is."))
  if tool.options.contains(.topTable) || tool.options.contains(.colour) {
    variables += [
      ("NO_COLOR", "Neither bars nor colours, where it is set and not empty."),
      ("CLICOLOR_FORCE", "Bars and colours also where the output is no terminal, in front of less -R for example."),
      ("COLUMNS", "The width, where no terminal tells it."),
      ("LC_ALL, LC_CTYPE, LANG", "Nothing but ASCII is shown where they do not name UTF-8."),
    ]
  }
  return variables + tool.variables
}

private func exitStatuses(of tool: Tool) -> [Tool.Entry] {
  let readsRecords = tool.content != nil
  var statuses: [Tool.Entry] = [("0", "Done.")]
  if tool.options.contains(.exitStatus) { statuses.append(("1", "With --exit-status: every record was already done.")) }
  statuses += [
    ("64", "The command line is wrong."),
    ("65", "\(readsRecords ? "A record is bad, or the" : "The") model is damaged or not supported."),
    ("66", "A file or the model is not there or cannot be read."),
    ("70", "An error in the program itself."),
    ("71", "The system gives no more memory."),
    ("74", "Reading or writing failed."),
  ]
  let ownTerms = tool.statuses.map(\.term)
  return (statuses.filter { !ownTerms.contains($0.term) } + tool.statuses).sorted { $0.term < $1.term }
}

private func flag(_ option: Option) -> String {
  if let short = option.short { return "Fl \(short)\(argument(option, separator: " "))" }
  return "Fl \\-\(option.name)\(argument(option, separator: " Ns = Ns "))"
}

private func argument(_ option: Option, separator: String) -> String {
  option.argument.map { "\(separator)Ar \($0.placeholder)" } ?? ""
}

/// A paragraph with each sentence on a line of its own, as mdoc wants it, and no line too long.
private func sentences(_ paragraph: String) -> String {
  var lines: [String] = [""]
  let words = paragraph.split(separator: " ")
  for (index, word) in words.enumerated() {
    lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    if index + 1 < words.count, word.hasSuffix(".") || word.hasSuffix(":") { lines.append("") }
  }
  return lines.map { wrapped(roffEscaped($0), indent: 0, width: 79) + "\n" }.joined()
}
