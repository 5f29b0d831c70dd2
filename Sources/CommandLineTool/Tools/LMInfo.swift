extension Option {
  public static let jsonRecord = Option("json", short: "j", "Print a JSON record")
  public static let list = Option(
    "list", short: "l",
    "Print the names of the models on this machine",
    "Print the model names that --model accepts on this machine, one per line.")
  public static let listFamilies = Option(
    "list-families",
    "Print the model families that the tools run",
    "Print the models that the tools run, one kind per line: its model_type in config.json, its architecture in GGUF files "
      + "(- if llama.cpp writes no such files), and its names.")
}

extension Tool {
  public static let lmInfo = Tool(
    name: "lm-info",
    summary: "show information about a model",
    description: [
      "lm-info prints the architecture of a model, the number of its parameters (each weight counted once), its layers, "
        + "heads and widths, its positions, attention windows, norms and activation function, its context length, its "
        + "vocabulary with its fingerprint, the type of its weights, the total size of its files, and their names. "
        + "The argument MODEL means the same as --model=MODEL.",
      "With --list it prints the names of the models on this machine: those in the hub cache and the bundled model.",
      "In file names, bytes that are not valid UTF-8 are printed as \\xE9, and control characters as \\u{1B}.",
    ],
    operands: .model(excluding: [.model, .list, .listFamilies]),
    output: .text(unless: [.jsonRecord]),
    exclusions: [
      [.list, .jsonRecord], [.list, .model], [.list, .listFamilies], [.listFamilies, .jsonRecord],
      [.listFamilies, .model],
    ],
    options: [.jsonRecord, .list, .listFamilies],
    commonOptions: [.model, .help, .version],
    ignoring: [.threads, .keepGoing, .quiet, .preTokenizer],
    examples: [
      Tool.Example("The number of parameters:", "lm-info --json | jq .parameters"),
      Tool.Example("The models on this machine:", "lm-info --list"),
      Tool.Example("The families that run:", "lm-info --list-families"),
    ])
}
