extension Option {
  public static let jsonRecord = Option("json", short: "j", "Print one record instead.")
}

extension Tool {
  public static let lmInfo = Tool(
    name: "lm-info",
    summary: "say what a model is",
    description: [
      "lm-info prints the facts of a model: its architecture, its parameters (each weight counted once), layers, heads "
        + "and widths, its context length, its vocabulary and the fingerprint of it, the type its weights are stored in, "
        + "and its files."
    ],
    input: nil,
    options: [.model, .jsonRecord, .threads, .keepGoing, .quiet, .help, .version],
    examples: [
      Tool.Example("The number of parameters:", "lm-info --json | jq .parameters")
    ])
}
