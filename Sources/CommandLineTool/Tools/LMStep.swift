extension Option {
  public static let count = Option(
    "count", short: "n", takes: .integer("N", 0...Int.max), "Append N tokens; 1 without it.")
  public static let each = Option("each", "Write a record after every token, not only after the last.")
  public static let stop = Option(
    "stop", takes: .text("TEXT"), "Stop where TEXT has just been completed, also across tokens.")
  public static let ignoreEndOfText = Option("ignore-eos", "Go on after the token that ends a text.")
  public static let exitStatus = Option(
    "exit-status", short: "e", "Exit with 1 if every record read was already done, so that a loop can end.")
}

extension Tool {
  public static let lmStep = Tool(
    name: "lm-step",
    summary: "append the next token",
    description: [
      "lm-step appends to each record the likeliest next token: to \"ids\", to \"text\" where there is one, and as \"next\", "
        + "with its probability. It drops what that makes stale (logits, topk, tokens, offsets, attention_mask). A record "
        + "that carries logits is stepped from them, without running the model.",
      "A record gets a member \"done\" when its sequence has ended: \"eos\" at the end of the text, \"stop\" at the text of "
        + "--stop, \"length\" at the model's context length. A record that has it is passed on as it is.",
    ],
    input: "records",
    options: [
      .model, .count, .each, .stop, .ignoreEndOfText, .exitStatus, .threads, .keepGoing, .quiet, .help, .version,
    ],
    examples: [
      Tool.Example("Thirty tokens:", "echo 'Once upon a time' | bpe-encode | lm-step -n 30 | jq -r .text"),
      Tool.Example(
        "From logits that are already there:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-step | jq -c .next"),
    ])
}
