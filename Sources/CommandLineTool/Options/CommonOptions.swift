/// The options of the section COMMON OPTIONS in help and manual pages. Each explanation fits in three lines;
/// lm-records(5) has the details.
extension Option {
  public static let model = Option(
    "model", short: "m", takes: .model,
    "Model folder, .gguf file or name (default: $LM_MODEL)",
    "A folder with config.json, model.safetensors and tokenizer files, a .gguf file or part of one, or a name that "
      + "lm-info --list prints. Default: $LM_MODEL, or else wren, the bundled model.")
  public static let threads = Option(
    "threads", takes: .integer("N", 1...1024), suggesting: ["1", "2", "4", "8"],
    "Use at most N threads (default: one per processor)",
    "Use at most N threads (default: one per processor). The results do not depend on N.")
  public static let keepGoing = Option(
    "keep-going",
    "Replace bad records by error records and continue",
    "Replace a bad record by an error record (in text output by an empty line, with a message) and continue; exit with 65 "
      + "at the end. Default: stop at the first bad record.")
  public static let errors = Option(
    "errors", takes: .choice("WHERE", ["status", "records"]),
    "Report bad records by exit status or only in records",
    "status: exit with 65 if there were bad records (default). records: like --keep-going, but exit with 0, because the "
      + "error records report them.")
  public static let sealed = Option(
    "sealed",
    "Require and write end records, to detect lost records",
    "Require an end record {\"end\":N} after each input, write one after the output, and exit with 74 if records were lost "
      + "(see lm-records(5)). LM_SEALED=1 does this for all tools.")
  public static let sealedOutput = Option(
    "sealed-output",
    "Write an end record, but require none in the input",
    "Write an end record, but do not require one in the input, even if LM_SEALED is 1: for the first tool of a pipeline."
  )
  public static let quiet = Option(
    "quiet", short: "q",
    "Print errors only",
    "Print errors only: no prompts, progress reports or warnings.")
  public static let help = Option(
    "help", short: "h", "Print this help and exit", "Print a summary of the options and exit.")
  public static let version = Option("version", short: "V", "Print the version and exit")
}

/// Other options that several tools have.
extension Option {
  public static let cache = Option(
    "cache", takes: .file("FILE"),
    "Store the KV cache in FILE and reuse it next time",
    "Store the KV cache (the attention's keys and values) of one sequence in FILE, and reuse the part of it that matches "
      + "the beginning of the ids, so that the next call computes only the new tokens. Entries that do not match are "
      + "recomputed; the output is the same as without a cache.")
  public static let nullTerminated = Option(
    "null", short: "z",
    "Read texts that end with NUL instead of newline",
    "Input texts end with a NUL byte instead of a newline, as find -print0 writes them.")
  public static let preTokenizer = Option(
    "pre-tokenizer", takes: .text("NAME"),
    "The pre-tokenizer of a GGUF file, such as qwen2",
    "The name of the pre-tokenizer of a GGUF file, as in tokenizer.ggml.pre, for old files that do not name it or name "
      + "the wrong one: gpt-2, llama-bpe, qwen2 and so on. Without effect for other files. Default: $LM_PRE.")
}
