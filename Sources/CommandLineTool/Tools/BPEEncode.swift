extension Option {
  public static let wholeInput = Option(
    "whole", short: "w",
    "Encode each input as one text, final newline included",
    "Encode each input as one text, final newline included, and write one record for it.")
  public static let jsonInput = Option(
    "json", short: "j",
    "Read records with \"text\" instead of plain text",
    "Read records with a member \"text\" instead of plain text, and keep their other members.")
  public static let chat = Option(
    "chat",
    "Read records with \"messages\", apply the chat template",
    "Read records with a member \"messages\", a conversation, and apply the chat template of the model. The record gets "
      + "\"text\", the text of the template, and its \"ids\". See CHAT TEMPLATES.")
  public static let chatTemplate = Option(
    "chat-template", takes: .file("FILE"),
    "A chat template: a file, or a name in the model",
    "The chat template: a file, if it contains a slash or ends in .jinja, or else the name of one of the model's "
      + "templates. Default: the template default, or, for records with tools, tool_use if the model has one.")
  public static let noGenerationPrompt = Option(
    "no-generation-prompt",
    "Leave out the beginning of an answer",
    "Set add_generation_prompt to false, so that the template leaves out the beginning of an answer: to score a "
      + "conversation, for example, instead of continuing it.")
  public static let addPrefixSpace = Option(
    "add-prefix-space",
    "Put a space before the text if it has none",
    "Put a space before the text unless it begins with one, so that its first word is encoded like any other word. "
      + "Without effect for a tokenizer that does this itself, as those of SentencePiece do.")
  public static let special = Option(
    "special",
    "Recognize special tokens such as <|endoftext|>",
    "Recognize special tokens such as <|endoftext|> in the text. By default they are encoded as ordinary characters.")
  public static let bos = Option(
    "bos",
    "Put the beginning-of-text token first",
    "Put the model's beginning-of-text token (BOS) first; for GPT-2 that is <|endoftext|>. Its offsets are [0,0]. If the "
      + "tokenizer adds several tokens before a text, all of them are added.")
  public static let eos = Option(
    "eos",
    "Put the end-of-text token last",
    "Put the model's end-of-text token (EOS) last; for GPT-2 that is <|endoftext|>. --max-length keeps the tokens "
      + "that --bos and --eos add.")
  public static let crlf = Option(
    "crlf",
    "Read lines that end with CR LF",
    "Lines end with CR LF, as on Windows: leave out the carriage return at the end of a line.")
  public static let skipBlank = Option(
    "skip-blank",
    "Skip texts that are empty or only white space",
    "Write no record for a text that is empty or only white space. By default a blank line becomes a record without ids."
  )
  public static let tokens = Option(
    "tokens",
    "Add \"tokens\": the text of each token",
    "Add \"tokens\": the text of each token, or null if the token by itself is not valid UTF-8.")
  public static let offsets = Option(
    "offsets",
    "Add \"offsets\": the byte range of each token",
    "Add \"offsets\": the byte range of each token in the text, as [start,end] with an exclusive end. A token begins at "
      + "the end of the one before it. If a character becomes several tokens, or a normalizer replaces or inserts it, only "
      + "the last of its tokens ends after it.")
  public static let attentionMask = Option("attention-mask", "Add \"attention_mask\": a 1 for each token")
  public static let maxLength = Option(
    "max-length", takes: .integer("N", 0...Int.max), suggesting: ["512", "1024"],
    "Truncate to the first N tokens",
    "Truncate: keep the first N tokens, and the part of the text that they encode; with --keep last, the last N. "
      + "lm-pipeline(7) shows how to score a text that is longer than the model's context.")
  public static let keep = Option(
    "keep", takes: .choice("SIDE", ["first", "last"]),
    "Tokens that --max-length keeps (default: first)",
    "The tokens that --max-length keeps: the first (default) or the last. The tokens that --bos and --eos add count, and "
      + "are kept if there is space for them.")
  public static let encodeTable = Option(
    "table", short: "t", "Print a table of ids and tokens",
    "Print a table: one line per token, with its id and its text.")
  public static let colour = Option(
    "colour", alias: "color",
    "Print the text with coloured tokens (also --color)",
    "Print the text with a coloured background for each token; without colours, with a | between tokens. A character "
      + "that consists of several tokens is underlined. --color is the same option.")
}

extension Tool {
  public static let bpeEncode = Tool(
    name: "bpe-encode",
    summary: "encode text as token ids",
    description: [
      "bpe-encode is a tokenizer: it reads text and writes a record for each line, with the text, the ids of its tokens, "
        + "and a fingerprint of the vocabulary. The newline is not part of the text. Any byte sequence is accepted; if it is "
        + "not valid UTF-8, the record has \"ids\" but no \"text\".",
      "The tokenizer is that of the model: byte-level byte-pair encoding (BPE) as in GPT-2, Llama 3 and Qwen, BPE of "
        + "characters with byte fallback as in Llama 2, Mistral and Gemma, or a unigram model, with the normalizers, "
        + "patterns and added tokens of its files. A folder has tokenizer.json, vocab.json and merges.txt, or a file of "
        + "SentencePiece; the files beside it (tokenizer_config.json, special_tokens_map.json, added_tokens.json, "
        + "config.json) are read with the precedence of transformers. Settings that are not implemented and would change "
        + "the ids are errors. A GGUF file contains its tokenizer.",
      "Each line is a separate text: the model does not see the other lines. To encode a file as one text, use --whole, or "
        + "join its lines first with tr -s '[:space:]' ' '.",
      "A carriage return at the end of a line is part of the text, unless --crlf is given. A byte-order mark at the start "
        + "of a file is removed; with --null and --whole it is kept. The first carriage return, the first byte-order mark "
        + "and a text that looks like UTF-16 are reported on standard error. A blank line becomes a record without ids, "
        + "which the other tools pass on, so that input lines and output lines correspond; --skip-blank leaves it out.",
      "Nothing in the text is interpreted: a backslash is a backslash, and <|endoftext|> is thirteen characters unless "
        + "--special is given. With --chat, the text of the template can contain special tokens, and the messages cannot.",
    ],
    operands: .files(of: "text"),
    output: .records(unless: [.encodeTable, .colour]),
    exclusions: [
      [.sealed, .sealedOutput], [.nullTerminated, .wholeInput, .jsonInput, .chat], [.encodeTable, .colour],
      [.chat, .crlf], [.chat, .skipBlank], [.chat, .addPrefixSpace], [.chat, .special], [.chat, .bos], [.chat, .eos],
    ],
    options: [
      .nullTerminated, .wholeInput, .jsonInput, .chat, .chatTemplate, .noGenerationPrompt, .crlf, .skipBlank,
      .addPrefixSpace, .special, .bos, .eos, .tokens,
      .offsets,
      .attentionMask, .maxLength, .keep, .preTokenizer, .encodeTable, .colour,
    ],
    synopsis: [.wholeInput, .jsonInput, .chat, .special, .bos, .tokens, .offsets, .encodeTable],
    commonOptions: [.model, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    sections: [.chatTemplates],
    examples: [
      Tool.Example("The ids of a sentence:", "echo 'Once upon' | bpe-encode"),
      Tool.Example("Its tokens as a table:", "echo 'Once upon a time' | bpe-encode --table"),
      Tool.Example("A text divided into tokens:", "echo 'A kettle whistled' | bpe-encode --colour"),
      Tool.Example("The number of tokens:", "seq 1000 | bpe-encode -w | jq '.ids | length'"),
      Tool.Example(
        "A question in a chat template:",
        "echo 'Q: {{ messages[0].content }} A:' > question.jinja\n"
          + "echo '{\"messages\":[{\"role\":\"user\",\"content\":\"Who is Ann?\"}]}' |\n"
          + "    bpe-encode --chat --chat-template question.jinja | jq -c .ids"),
    ])
}
