extension Option {
  public static let jsonRecord = Option("json", short: "j", "Print one record instead.")
  public static let list = Option(
    "list", short: "l", "Print the names of the models that --model knows on this machine, one a line.")
}

extension Tool {
  public static let lmInfo = Tool(
    name: "lm-info",
    summary: "say what a model is",
    description: [
      "lm-info prints the facts of a model: its architecture, its parameters (each weight counted once), layers, heads "
        + "and widths, its context length, its vocabulary and the fingerprint of it, the type its weights are stored in, "
        + "and its files.",
      "With --list it prints the names by which the models on this machine can be called: those in the hub cache, and the "
        + "one that comes with the toolset.",
      "In file names, bytes that are not UTF-8 are printed as \\xE9, and control characters as \\u{1B}.",
    ],
    operands: .model,
    output: .text(unless: [.jsonRecord]),
    exclusions: [[.list, .jsonRecord], [.list, .model]],
    options: [.model, .jsonRecord, .list, .threads, .keepGoing, .quiet, .help, .version],
    examples: [
      Tool.Example("The number of parameters:", "lm-info --json | jq .parameters"),
      Tool.Example("The models that are there:", "lm-info --list"),
    ])
}
