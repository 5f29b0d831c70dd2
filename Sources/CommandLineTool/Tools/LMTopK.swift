extension Option {
  public static let topK = Option(
    "top-k", short: "k", takes: .integer("K", 1...Int.max), suggesting: ["5", "10", "20"],
    "How many tokens; 10 without it.")
  public static let keepLogits = Option("keep-logits", "Keep \"logits\" in the record.")
  public static let topTable = Option(
    "table", short: "t",
    "Write a table for people: a line for each token, with its id, its text, its probability, the sum of the "
      + "probabilities so far and, on a terminal, a bar.")
}

extension Tool {
  public static let lmTopK = Tool(
    name: "lm-topk",
    summary: "name the likeliest next tokens",
    description: [
      "lm-topk replaces the \"logits\" of each record by \"topk\": the K likeliest tokens, likeliest first, ties by lower id. "
        + "Of each it tells the id, the text, the raw score (logit), the natural logarithm of its probability (logprob) and "
        + "the probability (p), both over the whole vocabulary.",
      "A token that is not UTF-8 by itself has null for its text, and a member \"bytes\".",
    ],
    operands: .files(of: "records"),
    output: .records(unless: [.topTable]),
    exclusions: [[.sealed, .sealedOutput]],
    options: [
      .model, .topK, .keepLogits, .topTable, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help,
      .version,
    ],
    examples: [
      Tool.Example("As a table:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 5 --table"),
      Tool.Example(
        "The likeliest alone:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 1 |\njq -r '.topk[0].token'"),
    ])
}
