extension Option {
  public static let model = Option(
    "model", short: "m", takes: .model,
    "The model: a folder with config.json, model.safetensors and tokenizer files, a .gguf file, or a name in the local hub "
      + "cache such as gpt2; lm-info --list tells the names. Without it $LM_MODEL counts, and without that the model that "
      + "comes with the toolset.")
  public static let threads = Option(
    "threads", takes: .integer("N", 1...1024), suggesting: ["1", "2", "4", "8"],
    "Compute with N threads, but with no more than there are processors; the default is all processors. The results are "
      + "the same for every N. lm-logits and lm-step compute with them, bpe-encode shares out the lines that are waiting; the "
      + "other tools accept the option, so that all stages of a pipeline can be given the same.")
  public static let keepGoing = Option(
    "keep-going",
    "Where a record is bad, write a record with a member \"error\" in its place and go on; the exit status is still 65. "
      + "Where the output is text or a table, a message on standard error and an empty line take its place. Without the "
      + "option the tool stops at the first bad record.")
  public static let errors = Option(
    "errors", takes: .choice("WHERE", ["status", "records"]),
    "Where bad records are reported. status: the exit status is 65 (the default). records: as with --keep-going, but the "
      + "exit status is 0, because the error records say what was wrong.")
  public static let sealed = Option(
    "sealed",
    "Expect an end record {\"end\":N} as the last line of each input of records, and write one as the last line of the "
      + "output. If it is missing or has another number, records were lost: the exit status is 74. LM_SEALED=1 does the "
      + "same for all tools of a pipeline.")
  public static let sealedOutput = Option(
    "sealed-output",
    "Write an end record, but do not expect one in the input, whatever LM_SEALED says: for the first tool of a pipeline."
  )
  public static let cache = Option(
    "cache", takes: .file("FILE"),
    "Keep the keys and values of the sequence in FILE, and use what is there of its beginning: the next call then "
      + "computes only what is new. One sequence, any number of calls; what does not fit is computed again.")
  public static let quiet = Option(
    "quiet", short: "q",
    "Say nothing but errors: not on a terminal what is being waited for or how far it has come, nor what is amiss with a "
      + "cache.")
  public static let help = Option("help", short: "h", "Print a summary of the options and exit.")
  public static let version = Option("version", short: "V", "Print the version and exit.")

  public static let nullTerminated = Option(
    "null", short: "z", "Records of text end with a NUL byte instead of a newline.")
}
