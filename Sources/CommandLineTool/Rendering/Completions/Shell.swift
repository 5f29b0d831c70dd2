/// The shells that the tools bring completions for, each made from the tool's table.
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

  static let notice = "# Made by `make generate` from Sources/CommandLineTool/Tools: change it there.\n"

  /// Lists the names that `--model` knows, one a line.
  static let listModels = "lm-info --list 2>/dev/null"
}

extension Option {
  /// What a list of completions says of it: the first clause of the explanation.
  var shortExplanation: String {
    var clause: [Substring] = []
    for word in explanation.split(separator: " ") {
      clause.append(word)
      if let last = word.last, ".:;".contains(last) { break }
    }
    return String(clause.joined(separator: " ").dropLast())
  }
}
