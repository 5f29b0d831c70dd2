/// Returns the manual page of a tool in mdoc(7).
///
/// - Parameter old: the current page. The output of its examples is kept; `Scripts/renew-sessions` updates it.
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
  for option in tool.synopsis { page += ".Op \(flag(option))\n" }
  page += ".Op Ar OPTION ...\n"
  switch tool.operands {
  case .files: page += ".Op Ar FILE ...\n"
  case .modelName: page += ".Ar NAME\n"
  case .model: page += ".Op Ar MODEL\n"
  }
  page += ".Sh DESCRIPTION\n"
  page += tool.description.map(sentences).joined(separator: ".Pp\n")
  if tool.content != nil {
    page += ".Pp\nFiles are read one after another.\nWithout a file, or for a file named\n.Sq \\- ,\n"
    page += "standard input is read.\n"
  }
  page += ".Sh OPTIONS\n" + list(of: tool.ownOptions)
  page += ".Sh COMMON OPTIONS\n" + list(of: tool.commonOptions)
  if !tool.ignoredOptions.isEmpty {
    let options = tool.ignoredOptions.map { "--\($0.name)" }
    let names = (options.dropLast(2) + [options.suffix(2).joined(separator: " and ")]).joined(separator: ", ")
    page += ".Pp\n"
    page += sentences(
      "\(tool.name) also accepts \(names), without effect, so that all tools can be given the same options.")
  }
  for section in tool.sections {
    page += ".Sh \(section.title)\n" + section.paragraphs.map(sentences).joined(separator: ".Pp\n")
  }
  page += ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
  for entry in variables(of: tool) {
    page += ".It Ev \(entry.term.replacing(", ", with: " , "))\n\(sentences(entry.meaning))"
  }
  page += """
    .El
    .Sh FILES
    .Bl -tag -width Ds
    .It Pa ~/.cache/huggingface/hub
    The hub cache, where models are found by name.

    """
  if tool.options.contains(.model) {
    page += ".It Pa PREFIX/share/lmpipe/wren\nThe bundled model.\n"
  }
  if tool.opensTokenizer {
    page += ".It Pa ~/.cache/lmpipe/tokenizers\n"
    page += sentences(
      "The tokenizer cache: images of large tokenizers, which open faster than their files. An image is used only if no "
        + "file of its tokenizer has changed, and only if nobody else can write to it. Images that were not used for 90 "
        + "days are removed, and the oldest if all together exceed 512 MiB. The folder can be removed at any time.")
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

private func list(of options: [Option]) -> String {
  var list = ".Bl -tag -width Ds\n"
  for option in options {
    let long = "Fl \(roffEscaped("-" + option.name))\(argument(option, separator: " Ns = Ns "))"
    if let short = option.short {
      list += ".It Fl \(short)\(argument(option, separator: " ")) , \(long)\n"
    } else {
      list += ".It \(long)\n"
    }
    list += sentences(option.explanation)
  }
  return list + ".El\n"
}

private func variables(of tool: Tool) -> [Tool.Entry] {
  var variables: [Tool.Entry] = []
  if tool.options.contains(.model) { variables.append(("LM_MODEL", "The default of --model.")) }
  if tool.options.contains(.preTokenizer) { variables.append(("LM_PRE", "The default of --pre-tokenizer.")) }
  if tool.options.contains(.sealed) {
    variables.append(("LM_SEALED", "If set, not empty and not 0, the same as --sealed."))
  }
  if tool.opensTokenizer {
    variables += [
      (
        "LMPIPE_CACHE",
        "The folder of the tokenizer cache. Default: lmpipe in $XDG_CACHE_HOME or ~/.cache (macOS: ~/Library/Caches)."
      ),
      ("LM_NO_TOKENIZER_CACHE", "If set, not empty and not 0, the tokenizer cache is neither read nor written."),
    ]
  }
  variables.append(("HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME", "The location of the Hugging Face hub cache."))
  if tool.options.contains(where: { ["table", "colour"].contains($0.name) }) {
    variables += [
      ("NO_COLOR", "If set and not empty, no colours are used."),
      (
        "CLICOLOR_FORCE",
        "If set and not 0, output is the same as on a terminal with colours, for example in a pipe to less -R."
      ),
      ("COLUMNS", "The width of tables if the terminal's width is unknown."),
      ("TERM", "If dumb, no colours and no bars are used, unless CLICOLOR_FORCE is set."),
    ]
  }
  variables.append(
    ("LC_ALL, LC_CTYPE, LANG", "If they do not select UTF-8, tables, messages and help have ASCII characters only."))
  return variables + tool.variables
}

private func exitStatuses(of tool: Tool) -> [Tool.Entry] {
  let readsRecords = tool.content != nil
  var statuses: [Tool.Entry] = [("0", "Success.")]
  if tool.options.contains(.exitStatus) {
    statuses.append(("1", "With --exit-status: all records were already done."))
  }
  statuses += [
    ("64", "The command line is wrong."),
    ("65", "\(readsRecords ? "A record is bad, or the" : "The") model is damaged or not supported."),
    ("66", "A file or the model is missing or unreadable."),
    ("70", "Internal error."),
    ("71", "Out of memory."),
    ("74", "A read or write error\(readsRecords ? ", or records were lost (see --sealed)" : "")."),
  ]
  let ownTerms = tool.statuses.map(\.term)
  return (statuses.filter { !ownTerms.contains($0.term) } + tool.statuses).sorted { $0.term < $1.term }
}

private func flag(_ option: Option) -> String {
  if let short = option.short { return "Fl \(short)\(argument(option, separator: " "))" }
  return "Fl \(roffEscaped("-" + option.name))\(argument(option, separator: " Ns = Ns "))"
}

private func argument(_ option: Option, separator: String) -> String {
  option.argument.map { "\(separator)Ar \($0.placeholder)" } ?? ""
}

/// Returns a paragraph in roff: each sentence begins a line, as mdoc(7) requires, and no line has more than 79 columns.
private func sentences(_ paragraph: String) -> String {
  var lines: [String] = [""]
  let words = paragraph.split(separator: " ")
  for (index, word) in words.enumerated() {
    lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    if index + 1 < words.count, word.hasSuffix(".") || word.hasSuffix(".)") { lines.append("") }
  }
  return lines.map { line in
    wrapped(roffEscaped(line), width: 79).split(separator: "\n").map { line in
      (line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" : "") + line + "\n"
    }.joined()
  }.joined()
}
