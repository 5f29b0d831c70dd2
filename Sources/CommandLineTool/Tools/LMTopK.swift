extension Option {
  public static let topK = Option(
    "top-k", short: "k", takes: .integer("K", 1...Int.max), suggesting: ["5", "10", "20"],
    "List the K most likely tokens (default: 10)",
    "List the K most likely tokens (default: 10). It sets the length of the list only; the probabilities are still "
      + "those over the whole vocabulary. (The option -k of lm-step is different: it restricts sampling to K tokens.)")
  public static let of = Option(
    "of", takes: .text("TEXT"),
    "List the continuation TEXT instead (can be repeated)",
    "Instead of the most likely tokens, list the continuation TEXT: its probability, its log-probability, and the rank of "
      + "its first token. If it consists of several tokens, the model is run, and the probabilities of its tokens are "
      + "multiplied (chain rule). The option can be repeated. A continuation is attached to the text as it is: ' door' "
      + "begins a new word, and 'door' continues the last word, even if the tokenizer puts a space before each text, as "
      + "those of SentencePiece do.")
  public static let ofMember = Option(
    "of-member", takes: .text("MEMBER"),
    "Like --of, with the texts in a member of the record",
    "Like --of, with the texts in a member of the record, an array of strings.")
  public static let nearest = Option(
    "nearest", "List the tokens nearest to the last token instead",
    "Instead of the most likely tokens, list the K tokens whose embeddings are nearest to that of the last token of the "
      + "record, by the cosine of the angle between them (cosine similarity). The embeddings are those of the input of the "
      + "model.")
  public static let topTSV = Option(
    "tsv", "Print tab-separated values with a header",
    "Print tab-separated values with a header, one row per token or continuation. The first columns are the number of the "
      + "record and its scalar members.")
  public static let grid = Option(
    "grid", "Print a table of layers, or of attention weights",
    "Print a table of the records of lm-logits --layers --all --top-k 1: layers down, positions across, and in each cell the most "
      + "likely token, with a background colour for its probability, or without colours the probability in percent. For "
      + "records of lm-logits --attention, print a table for each head: a row for each token, and in it the attention "
      + "weights of the token and of those before it in percent.")
  public static let keepLogits = Option("keep-logits", "Keep \"logits\" in the record")
  public static let topTable = Option(
    "table", short: "t",
    "Print a table of tokens and probabilities",
    "Print a table: one line per token, with its id, its text, its probability (p), the cumulative probability (sum) and, "
      + "on a terminal, a bar. The caption of a table is the end of the text that the tokens follow.")
}

extension Tool {
  public static let lmTopK = Tool(
    name: "lm-topk",
    summary: "list the most likely next tokens",
    description: [
      "lm-topk replaces the \"logits\" of each record by \"topk\": the K most likely next tokens, most likely first, ties "
        + "broken by lower id. For each token it gives the id, the text (token), the logit, the log-probability (logprob, "
        + "natural logarithm) and the probability (p). The probabilities are the softmax over the whole vocabulary.",
      "If a token by itself is not valid UTF-8, its text is null and a member \"bytes\" has its bytes.",
      "With --nearest, lm-topk adds \"nearest\": for each of the tokens the id, the text (token), the cosine similarity "
        + "(cosine) and the scalar product (dot). If the last token is only a part of a word, they are those of the part.",
      "With --of or --of-member, lm-topk adds \"continuations\" instead: the probability of each given continuation, and in "
        + "\"other_p\" the probability of all others. If the record has no \"logits\", it runs the model.",
    ],
    operands: .files(of: "records"),
    output: .records(unless: [.topTable, .topTSV, .grid]),
    exclusions: [
      [.sealed, .sealedOutput], [.topTable, .topTSV, .grid], [.topK, .of, .grid], [.topK, .ofMember, .grid],
      [.nearest, .of, .grid], [.nearest, .ofMember, .grid],
    ],
    options: [.topK, .of, .ofMember, .nearest, .keepLogits, .topTable, .topTSV, .grid, .preTokenizer],
    commonOptions: [.model, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    examples: [
      Tool.Example("As a table:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 5 --table"),
      Tool.Example(
        "The most likely token:", "echo 'Once upon a' | bpe-encode | lm-logits | lm-topk -k 1 |\njq -r '.topk[0].token'"
      ),
      Tool.Example(
        "The probabilities of given words:",
        "echo 'The dogs in the garden' | bpe-encode |\nlm-topk --of ' was' --of ' were' --of ' barked loudly' --table"),
      Tool.Example(
        "The tokens with an embedding near that of a word:",
        "echo ' mother' | bpe-encode | lm-topk --nearest -k 5 --table"),
      Tool.Example(
        "The most likely token after each layer:",
        "echo 'Once upon a' | bpe-encode |\nlm-logits --layers --all --top-k 1 | lm-topk --grid"),
    ])
}
