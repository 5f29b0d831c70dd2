/// The manual page of a tool in mdoc(7), made from its table.
public func manualPage(of tool: Tool) -> String {
  var page = """
    .\\" Made by `make generate` from Sources/CommandLineTool/Tools: change it there.
    .Dd \(Tool.date)
    .Dt \(tool.name.uppercased()) 1
    .Os
    .Sh NAME
    .Nm \(tool.name)
    .Nd \(escaped(tool.summary))
    .Sh SYNOPSIS
    .Nm

    """
  for option in tool.options { page += ".Op \(flag(option))\n" }
  switch tool.operands {
  case .files: page += ".Op Ar\n"
  case .modelName: page += ".Ar NAME\n"
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
  page += """
    .Sh ENVIRONMENT
    .Bl -tag -width Ds
    .It Ev LM_MODEL
    The model where
    .Fl m
    names none.
    .It Ev HF_HUB_CACHE , HF_HOME , XDG_CACHE_HOME
    Where the Hugging Face hub cache is.
    .El
    .Sh FILES
    .Bl -tag -width Ds
    .It Pa ~/.cache/huggingface/hub
    The hub cache, in which a model is looked for by its name.
    .It Pa PREFIX/share/lmpipe
    The model that comes with the toolset.
    .El
    .Sh EXIT STATUS
    .Bl -tag -width Ds

    """
  for (status, meaning) in exitStatuses(of: tool) { page += ".It \(status)\n\(sentences(meaning))" }
  page += ".El\n.Sh EXAMPLES\n"
  page += tool.examples.map { "\(sentences($0.caption)).Dl \(escaped($0.command))\n" }.joined(separator: ".Pp\n")
  let others = Tool.all.map(\.name).filter { $0 != tool.name }.sorted()
  page += ".Sh SEE ALSO\n"
  page += others.map { ".Xr \($0) 1 ,\n" }.joined()
  page += ".Xr lm-records 5 ,\n.Xr lm-pipeline 7\n"
  return page
}

private func exitStatuses(of tool: Tool) -> [(Int, String)] {
  var statuses = [(0, "Done.")]
  if tool.options.contains(.exitStatus) { statuses.append((1, "With --exit-status: every record was already done.")) }
  statuses.append((64, "The command line is wrong."))
  statuses.append(
    (
      65,
      tool.content != nil
        ? "A record is bad, or the model is damaged or not supported." : "The model is damaged or not supported."
    ))
  statuses.append((66, "A file or the model is not there or cannot be read."))
  statuses.append((70, "An error in the program itself."))
  statuses.append((74, "Reading or writing failed."))
  return statuses
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
  return lines.map { wrapped(escaped($0), indent: 0, width: 79) + "\n" }.joined()
}

/// Text as roff reads it: a backslash, and a hyphen that has to stay a hyphen, are escaped; no line begins as a request.
private func escaped(_ text: String) -> String {
  var result = text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : ""
  for character in text {
    switch character {
    case "\\": result += "\\e"
    case "-": result += "\\-"
    case "\"": result += "\\(dq"  // a bare one would begin a quoted argument
    case "…": result += "..."
    case "“": result += "\\(lq"
    case "”": result += "\\(rq"
    default: result.append(character)
    }
  }
  return result
}
