import JSONLines

extension Option {
  public static let count = Option(
    "count", short: "n", takes: .integer("N", 0...Int.max), suggesting: ["10", "40", "100"],
    "Append N tokens; 1 without it.")
  public static let each = Option("each", "Write a record after every token, not only after the last.")
  public static let temperature = Option(
    "temperature", takes: .number("T", 0...1000), suggesting: ["0.6", "0.8", "1"],
    "Draw the token instead of taking the likeliest, with all scores divided by T: below 1 likely tokens get likelier, "
      + "above 1 unlikely ones do; 0 takes the likeliest.")
  public static let topKFilter = Option(
    "top-k", short: "k", takes: .integer("K", 0...Int.max), suggesting: ["20", "40", "100"],
    "Draw from the K likeliest tokens; 0 for all of them.")
  public static let topPFilter = Option(
    "top-p", takes: .number("P", 0...1), suggesting: ["0.9", "0.95"],
    "Draw from the likeliest tokens that have a probability of P together.")
  public static let minPFilter = Option(
    "min-p", takes: .number("P", 0...1), suggesting: ["0.02", "0.05", "0.1"],
    "Draw from the tokens that have at least P times the probability of the likeliest.")
  public static let repetitionPenalty = Option(
    "repetition-penalty", takes: .number("R", 0.001...1000), suggesting: ["1.1", "1.2", "1.3"],
    "Divide the positive scores of tokens that the sequence has by R, and multiply the negative ones; 1 for no change.")
  public static let seed = Option(
    "seed", takes: .integer("S", Record.seeds),
    "Draw with the seed S for the first record, S + 1 for the second, and so on. Without it a record's member \"seed\" "
      + "counts, and without that a seed is drawn. The token depends on the seed, the position and the logits alone.")
  public static let stop = Option(
    "stop", takes: .text("TEXT"), "Stop where TEXT has just been completed, also across tokens.")
  public static let ignoreEOS = Option("ignore-eos", "Go on after the token that ends a text.")
  public static let exitStatus = Option(
    "exit-status", short: "e", "Exit with 1 if every record read was already done, so that a loop can end.")
}

extension Tool {
  public static let lmStep = Tool(
    name: "lm-step",
    summary: "append the next token",
    description: [
      "lm-step appends to each record a next token: to \"ids\", to \"text\" where there is one, and as \"next\", "
        + "with its probability. It drops what that makes stale (logits, topk, tokens, offsets, attention_mask). A record "
        + "that carries logits is stepped from them, without running the model.",
      "The token is the likeliest one. With --temperature, --top-k, --top-p, --min-p or --seed it is drawn, and the record "
        + "gets a member \"seed\", so that the next call goes on with it. The scores then go through these steps, in this "
        + "order: repetition penalty, temperature, top-k, top-p, min-p. \"next\" tells the probability before them.",
      "A record gets a member \"done\" when its sequence has ended: \"eos\" at the end of the text, \"stop\" at the text of "
        + "--stop, \"length\" at the model's context length. A record that has it is passed on as it is.",
    ],
    operands: .files(of: "records"),
    output: .records(),
    exclusions: [[.sealed, .sealedOutput]],
    options: [
      .model, .count, .each, .temperature, .topKFilter, .topPFilter, .minPFilter, .repetitionPenalty, .seed, .stop,
      .ignoreEOS, .exitStatus, .cache, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help,
      .version,
    ],
    examples: [
      Tool.Example(
        "Thirty tokens:", "echo 'Once upon a time' | bpe-encode | lm-step -n 30 |\njq -r .text | fold -sw 64"),
      Tool.Example(
        "A story, another one with each seed:",
        "echo 'Once upon a time' | bpe-encode |\nlm-step -n 40 --temperature 0.8 --seed 7 | bpe-decode | fold -sw 64"),
      Tool.Example(
        "From logits that are already there:",
        "echo 'Once upon a' | bpe-encode | lm-logits | lm-step |\njq -c '.next | .id, .token, .p'"),
    ])
}
