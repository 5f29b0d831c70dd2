extension Option {
  public static let everyPosition = Option(
    "all", short: "a",
    "Write a record for every position",
    "Write a record for every position: the same record as if the text ended at this position, with a "
      + "member \"position\".")
  public static let logProbabilities = Option(
    "logprobs",
    "Add log-probabilities of the tokens, not logits",
    "Instead of logits, add \"logprobs\": for each token of the record the natural logarithm of its probability after the "
      + "tokens before it. The first token has no context, so its value is null; bpe-encode --bos puts a token before it. "
      + "The negative log-probability divided by log(2) is the token's surprisal in bits; exp of the mean negative "
      + "log-probability is the perplexity of the text.")
  public static let topKOnly = Option(
    "top-k", short: "k", takes: .integer("K", 1...Int.max), suggesting: ["5", "10", "20"],
    "Add the K most likely tokens, not logits",
    "Instead of logits, add \"topk\": the K most likely tokens, as lm-topk -k K does. The logits, which are hundreds of "
      + "kilobytes per record, then do not pass through a pipe.")
  public static let layers = Option(
    "layers",
    "Write a record for every layer (logit lens)",
    "Write a record for every layer, with a member \"layer\": the logits that the final norm and the output head give after "
      + "this number of layers (logit lens). Layer 0 is the embeddings. With --top-k 1 and --all, lm-topk --grid shows them as "
      + "a table.")
  public static let attention = Option(
    "attention", takes: .text("LAYER.HEAD"), suggesting: ["1", "1.1"],
    "Add the attention weights of a head, not logits",
    "Instead of logits, add \"attentions\": the attention weights of a head, that is, for each token of the text the "
      + "probabilities (softmax) with which the head attends to this token and the tokens before it. Layers and heads are "
      + "counted from 1: layer N is the one that computes the state of layer N of --layers. LAYER alone requests all heads "
      + "of the layer. The option can be repeated. lm-topk --grid shows the weights as a table.")
  public static let base64 = Option(
    "base64",
    "Write the logits as base64 of little-endian float32",
    "Write the logits as a string: the base64 of little-endian float32. It is shorter than decimal numbers and faster to "
      + "read.")
}

extension Tool {
  public static let lmLogits = Tool(
    name: "lm-logits",
    summary: "compute the logits of the next token",
    description: [
      "lm-logits runs the model on the ids of each record and adds \"logits\": an unnormalized score (logit) for every token "
        + "of the vocabulary, in the order of the ids. The softmax of the logits is the probability distribution of the "
        + "next token. lm-topk computes it and lists the most likely tokens; lm-step chooses a token from it.",
      "With --logprobs, lm-logits adds the log-probability of each token of the text instead: one number per token. From "
        + "these come the surprisal of words and the perplexity of a text. lm-score computes both, and the entropy of the next token.",
      "The logits depend on the model and the ids only, bit for bit: see lm-records(5), SAME BITS.",
    ],
    operands: .files(of: "records"),
    output: .records(),
    exclusions: [
      [.sealed, .sealedOutput],
      [.everyPosition, .cache], [.logProbabilities, .everyPosition], [.logProbabilities, .base64],
      [.logProbabilities, .cache], [.topKOnly, .logProbabilities], [.topKOnly, .base64],
      [.layers, .logProbabilities], [.layers, .cache],
    ] + [Option.everyPosition, .logProbabilities, .topKOnly, .layers, .base64, .cache].map { [.attention, $0] },
    options: [.everyPosition, .logProbabilities, .topKOnly, .layers, .attention, .base64, .cache],
    commonOptions: [.model, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    ignoring: [.preTokenizer],
    examples: [
      Tool.Example(
        "The five most likely next tokens:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 5 --table"),
      Tool.Example("The number of logits:", "echo 'Once upon a' | bpe-encode | lm-logits | jq '.logits | length'"),
      Tool.Example(
        "The log-probability of each token:",
        "echo 'Once upon a' | bpe-encode --bos | lm-logits --logprobs |\njq -c .logprobs"),
      Tool.Example(
        "The attention of the first head of layer 2:",
        "echo 'Once upon a' | bpe-encode |\nlm-logits --attention 2.1 | lm-topk --grid"),
    ])
}
