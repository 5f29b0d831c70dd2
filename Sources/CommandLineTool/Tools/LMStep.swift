import JSONLines

extension Option {
  public static let count = Option(
    "count", short: "n", takes: .integer("N", 0...Int.max), suggesting: ["10", "40", "100"],
    "Append N tokens (default: 1)")
  public static let each = Option(
    "each", "Write a record after every token", "Write a record after every token, not only after the last one.")
  public static let temperature = Option(
    "temperature", takes: .number("T", 0...1000), suggesting: ["0.6", "0.8", "1"],
    "Sample with temperature T (0: greedy decoding)",
    "Sample the token instead of taking the most likely one, and divide all logits by the temperature T first. Values "
      + "below 1 favor likely tokens, values above 1 unlikely ones; 0 is greedy decoding. Default: 1 if another sampling option is given."
  )
  public static let topKFilter = Option(
    "top-k", short: "k", takes: .integer("K", 0...Int.max), suggesting: ["20", "40", "100"],
    "Sample from the K most likely tokens (0: from all)",
    "Sample from the K most likely tokens; 0 means from all. (The option -k of lm-topk is different: it sets the length "
      + "of a list.)")
  public static let topPFilter = Option(
    "top-p", takes: .number("P", 0...1), suggesting: ["0.9", "0.95"],
    "Nucleus sampling: top tokens with total probability P",
    "Nucleus sampling: sample from the smallest set of most likely tokens whose probabilities add up to at least P.")
  public static let minPFilter = Option(
    "min-p", takes: .number("P", 0...1), suggesting: ["0.02", "0.05", "0.1"],
    "Exclude tokens below P times the top probability",
    "Sample from the tokens that have at least P times the probability of the most likely token.")
  public static let repetitionPenalty = Option(
    "repetition-penalty", takes: .number("R", 0.001...1000), suggesting: ["1.1", "1.2", "1.3"],
    "Penalize tokens in the sequence (default: 1, off)",
    "Make tokens that are already in the sequence less likely: divide their positive logits by R, and multiply their "
      + "negative logits by R. Default: 1, no penalty.")
  public static let bias = Option(
    "bias", takes: .text("TOKEN=X"), suggesting: [],
    "Add X to the logit of a token (can be repeated)",
    "Add the number X to the logit of a token before all other steps. TOKEN is an id, or the text of one token (usually with a "
      + "space before it). The option can be repeated.")
  public static let ban = Option(
    "ban", takes: .text("TEXT"),
    "Never generate TEXT (can be repeated)",
    "Never append a token that completes TEXT, even if TEXT spans several tokens. The option can be repeated.")
  public static let seed = Option(
    "seed", takes: .integer("S", Record.seeds),
    "Sample with seed S (default: the record's, or random)",
    "Sample with the seed S for the first record, S + 1 for the second, and so on. Default: the member \"seed\" of the "
      + "record, or else a random seed. The sampled token depends only on the seed, the position and the logits.")
  public static let alternatives = Option(
    "alternatives", takes: .integer("N", 1...mostAlternatives), suggesting: ["3", "5"],
    "Write N samples of each record",
    "Sample N sequences from each record, and write a record for each, with its number (from 1) in \"alternative\" and the sum "
      + "of the log-probabilities of its new tokens in \"new_logprob\". Their seeds are S, S + 1, and so on.")
  /// The alternatives of a record are computed together.
  public static let mostAlternatives = 64
  public static let stop = Option(
    "stop", takes: .text("TEXT"),
    "Stop after generating TEXT (can be repeated)",
    "Stop when a new token completes TEXT, even if TEXT spans several tokens. An occurrence that the prompt already "
      + "contains does not count. The option can be repeated to stop at any of several texts.")
  public static let draft = Option(
    "draft", takes: .model,
    "Draft tokens with a smaller model, to generate faster",
    "Draft the next tokens with the model MODEL, which must have the same vocabulary and should be several times smaller. "
      + "The output is the same to the byte.")
  public static let noSpeculation = Option(
    "no-speculation",
    "Compute one token per pass",
    "Compute one token of each sequence per pass of the model, without drafts. The output is the same to the byte.")
  public static let ignoreEOS = Option("ignore-eos", "Do not stop at the end-of-text token")
  public static let exitStatus = Option(
    "exit-status", short: "e",
    "Exit with 1 if all records were already done",
    "Exit with 1 if all records of the input were already done, so that a loop can end.")
}

extension Tool {
  public static let lmStep = Tool(
    name: "lm-step",
    summary: "append the next token",
    description: [
      "lm-step generates text: it appends the next token to each record, its id to \"ids\", its text to \"text\" if there is "
        + "one, and writes the token and its probability to \"next\". It removes members that no longer apply (logits, position, "
        + "topk, tokens, offsets, attention_mask, logprobs). If a record has \"logits\", they are used, and the model is not run for "
        + "the first token.",
      "By default the token is the most likely one (greedy decoding). With --temperature, --top-k, --top-p, --min-p or "
        + "--seed it is sampled, and the record gets a member \"seed\" that the next call uses. The other settings are not "
        + "stored in the record: give the same options again in each call.",
      "The logits are processed in this order: bias and ban, repetition penalty, temperature, top-k, top-p (nucleus), min-p, and the "
        + "softmax of the remaining logits. The log-probability and probability in \"next\" are those of the model, before "
        + "these steps. Beam search is not built "
        + "in; lm-pipeline(7) has a script for it.",
      "A sequence that has ended has a member \"done\": \"eos\" if the model generated its end-of-text token, \"stop\" if a "
        + "new token completed the text of --stop, \"length\" if the model's context is full (not if N tokens have been "
        + "appended). Such a record is passed on unchanged.",
      "With -n, lm-step computes several tokens in one pass of the model if it expects that to be faster (speculative "
        + "decoding). It drafts the next tokens: those after the latest earlier occurrence of the end of the sequence "
        + "(Saxena, Prompt Lookup Decoding, 2023), or with --draft those of a smaller model. One pass gives the logits of "
        + "all drafted positions. The drafted tokens up to the first that is not the next token of the sequence are kept, "
        + "and the others leave no trace. The lengths of drafts follow the share of drafted tokens that is kept and the "
        + "measured times of passes; without repetitions in a text, nothing is drafted from it.",
      "Drafts do not change a byte of the output, neither with greedy decoding nor with sampling. In the papers (Leviathan "
        + "et al., Fast Inference from Transformers via Speculative Decoding, 2023; Chen et al., Accelerating Large Language "
        + "Model Decoding with Speculative Sampling, 2023), further random numbers decide whether a drafted token is kept, and "
        + "the output is another sample of the same distribution. Here the logits of a position have the same bits in any "
        + "pass (see lm-records(5), SAME BITS), and the sampled token depends on the seed, the position and the logits only. "
        + "So lm-step samples each token as without a draft, and compares it with the draft. The draft model samples with the "
        + "same random numbers: the closer its distributions are to those of the model, the more of its tokens are kept.",
    ],
    operands: .files(of: "records"),
    output: .records(),
    exclusions: [
      [.sealed, .sealedOutput], [.alternatives, .each], [.alternatives, .cache], [.draft, .noSpeculation],
    ],
    options: [
      .count, .each, .temperature, .topKFilter, .topPFilter, .minPFilter, .repetitionPenalty, .bias, .ban, .seed,
      .alternatives, .stop,
      .ignoreEOS,
      .exitStatus, .cache, .draft, .noSpeculation,
    ],
    synopsis: [.count, .temperature, .topPFilter, .seed, .stop, .exitStatus, .cache],
    commonOptions: [.model, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    ignoring: [.preTokenizer],
    examples: [
      Tool.Example(
        "Thirty tokens by greedy decoding:",
        "echo 'Once upon a time' | bpe-encode | lm-step -n 30 |\njq -r .text | fold -sw 64"),
      Tool.Example(
        "A story by sampling; each seed gives a different story:",
        "echo 'Once upon a time' | bpe-encode |\nlm-step -n 40 --temperature 0.8 --seed 7 | bpe-decode | fold -sw 64"),
      Tool.Example(
        "A step from existing logits:",
        "echo 'Once upon a' | bpe-encode | lm-logits | lm-step |\njq -c '.next | .id, .token, .p'"),
    ])
}
