extension Option {
  public static let everyPosition = Option(
    "all", short: "a",
    "Write one record for each position, its ids cut to that prefix, with a member \"position\": the record that the prefix "
      + "alone would give.")
  public static let logProbabilities = Option(
    "logprobs",
    "Instead of logits add \"logprobs\": for each of the record's own ids the natural logarithm of its probability after "
      + "those before it. The first has none, so it is null: bpe-encode --bos puts a token before the text.")
  public static let base64 = Option(
    "base64", "Write the logits as a string: the base64 of little-endian float32. Smaller, and quicker to read.")
}

extension Tool {
  public static let lmLogits = Tool(
    name: "lm-logits",
    summary: "score every token as the next one",
    description: [
      "lm-logits runs the model on the ids of each record and adds \"logits\": for every token of the vocabulary, in the "
        + "order of the ids, the score of that token coming next.",
      "With --logprobs it tells of the text that is there how probable each of its tokens is: one number a token instead "
        + "of one for each token of the vocabulary.",
      "The logits depend on the ids alone, to the bit: not on the number of threads, nor on what else is computed.",
    ],
    operands: .files(of: "records"),
    output: .records(),
    exclusions: [
      [.sealed, .sealedOutput],
      [.everyPosition, .cache], [.logProbabilities, .everyPosition], [.logProbabilities, .base64],
      [.logProbabilities, .cache],
    ],
    options: [
      .model, .everyPosition, .logProbabilities, .base64, .cache, .threads, .keepGoing, .errors, .sealed, .sealedOutput,
      .quiet, .help, .version,
    ],
    examples: [
      Tool.Example(
        "The five likeliest next tokens:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 5 --table"),
      Tool.Example("How many scores there are:", "echo 'Once upon a' | bpe-encode | lm-logits | jq '.logits | length'"),
      Tool.Example(
        "How probable a text is, token by token:",
        "echo 'Once upon a' | bpe-encode --bos | lm-logits --logprobs |\njq -c .logprobs"),
    ])
}
