/// The shells that completions are generated for.
public enum Shell: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// Returns the path below `completions/`: `bash/lm-topk`, `zsh/_lm-topk`, `fish/lm-topk.fish`.
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

  /// A command that prints the model names that `--model` accepts, one per line.
  static let listModels = "lm-info --list 2>/dev/null"
}
