extension Option {
  public static let scoreUnit = Option(
    "by", takes: .choice("UNIT", ["word", "token", "record"]),
    "Rows of --tsv, --csv, --table: word, token or record",
    "The unit of a row with --tsv, --csv and --table, and of a coloured area with --colour and --html, which accept word and "
      + "token only. Default: word.")
  public static let words = Option(
    "words", takes: .text("MEMBER"),
    "Read the words from a member: an array of strings",
    "Read the words from a member of the record, an array of strings, such as the regions of an experiment. Together they "
      + "must be the text; between them there can be white space. Default: words are separated by white space.")
  public static let context = Option(
    "context", takes: .text("WHICH"),
    "Do not score the beginning of the text: only condition",
    "Do not score the beginning of the text; it is context only. WHICH is a number of tokens, or a member of the record "
      + "with a number of tokens or with the text that the record's text begins with. With --context prompt, only the "
      + "tokens that lm-step appended are scored.")
  public static let window = Option(
    "window", takes: .integer("N", 2...Int.max), suggesting: ["512", "1024"],
    "Score long texts in windows of N tokens",
    "Score a text of more than N tokens in windows of N tokens that overlap. Default: the model's context length.")
  public static let stride = Option(
    "stride", takes: .integer("N", 1...Int.max), suggesting: ["256", "512"],
    "Begin a window every N tokens (default: half a window)",
    "Begin a window every N tokens; N must be less than the window. Each token is scored once, with at least (window - "
      + "stride) tokens before it. Default: half the window.")
  public static let tsv = Option(
    "tsv", "Print tab-separated values with a header",
    "Print tab-separated values with a header, which R (read_tsv) and pandas (read_csv with sep=\"\\t\") read without other "
      + "options. The first columns are the number of the record and its scalar members.")
  public static let csv = Option(
    "csv", "Print comma-separated values with a header",
    "Print comma-separated values with a header, and otherwise the same as --tsv.")
  public static let scoreTable = Option(
    "table", short: "t", "Print a table of surprisals",
    "Print a table: one line per word (or token or record) with its surprisal in bits, its rank, the entropy before it and, on a "
      + "terminal, a bar.")
  public static let heatMap = Option(
    "colour", alias: "color",
    "Print the text coloured by surprisal (also --color)",
    "Print the text with a background colour for the surprisal of each word, and a legend; without colours, with marks "
      + "below the words. --color is the same option.")
  public static let html = Option(
    "html", "Write a web page with the text coloured by surprisal",
    "Write one web page that needs no other files: the text with a background colour for the surprisal of each word. A "
      + "word that is pointed at, or has the focus of the keyboard, shows its tokens, and the most likely tokens there."
  )
}

extension Tool {
  public static let lmScore = Tool(
    name: "lm-score",
    summary: "compute the surprisal of words and texts",
    description: [
      "lm-score computes how probable the text of each record is to the model: the surprisal of each token, word and text. "
        + "The surprisal of a token is the negative binary logarithm of its probability after the tokens before it, in bits. "
        + "The first token has no context and no score; bpe-encode --bos puts a token before it.",
      "Each record gets, for each token, \"logprobs\" (natural logarithms, as by lm-logits --logprobs), \"surprisals\" (bits), "
        + "\"ranks\" (1: the token is the most likely one), \"entropies\" (in bits, of the distribution before the token) and "
        + "\"predictions\" (the most likely token); \"word_scores\" for each word; and "
        + "\"text_score\" with the sums, the perplexity, and bits per token, byte and character. lm-records(5) describes all "
        + "members. A record that already has \"logprobs\" is not computed again.",
      "The surprisal of a word is the sum over its tokens, so the surprisals of words add up to that of the text. A token "
        + "belongs to the word that contains its first byte that is not white space; white space before a word (several "
        + "spaces, a line end) counts for this word, and white space after the last word for no word. Punctuation belongs to "
        + "the word that it is attached to.",
      "In most vocabularies the token that begins a word contains the space before it. So the sum over the tokens of \"can\" "
        + "includes \"cannot\": nothing says that the word ends, and the cost of the space is charged to the next word. The "
        + "\"corrected_surprisal\" of a word moves the space to the word before it: it adds the surprisal of a space after "
        + "the word, and subtracts that of the space before it (Tiago Pimentel and Clara Meister, How to Compute the "
        + "Probability of a Word, EMNLP 2024; Byung-Doh Oh and William Schuler, Leading Whitespaces of Language Models' "
        + "Subword Vocabulary Pose a Confound for Calculating Word Probabilities, EMNLP 2024). It is defined as in minicons "
        + "(bow_correction): the probability of a space is that of all tokens that begin with U+0020; after the last word "
        + "it is always added, and before the first word of a text never subtracted. The displays show the plain sum, because it is "
        + "defined for every vocabulary and adds up to the surprisal of the text; for the analysis of reading times, "
        + "where the end of a word matters, use corrected_surprisal. Both are always in records and in --tsv.",
      "A text that is longer than the model's context is scored in windows that overlap, as in the perplexity guide of "
        + "transformers (see --window).",
    ],
    operands: .files(of: "records"),
    output: .records(unless: [.tsv, .csv, .scoreTable, .heatMap, .html]),
    exclusions: [[.sealed, .sealedOutput], [.tsv, .csv, .scoreTable, .heatMap, .html]],
    options: [.tsv, .csv, .scoreTable, .heatMap, .html, .scoreUnit, .words, .context, .window, .stride],
    commonOptions: [.model, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    ignoring: [.preTokenizer],
    examples: [
      Tool.Example(
        "The surprisal of each word:", "echo 'She opened the door.' | bpe-encode --bos | lm-score --table"),
      Tool.Example(
        "The text of a file, whose lines are one text, in colours:",
        "tr -s '[:space:]' ' ' < letter.txt | bpe-encode --bos | lm-score --colour", isRun: false),
      Tool.Example(
        "A minimal pair; the text with fewer bits is the more probable one:",
        "printf '%s\\n' 'The dogs are here.' 'The dogs is here.' |\nbpe-encode --bos | lm-score |\njq -c '[.text_score.surprisal, .text]'"
      ),
      Tool.Example(
        "The words after a context:",
        "echo '{\"text\":\"The dogs are here.\",\"before\":\"The dogs\"}' |\nbpe-encode -j --bos | lm-score --context before --tsv | cut -f 2-5"
      ),
    ])
}
