extension Option {
  public static let wholeInput = Option(
    "whole", short: "w", "The whole of each input is one record, nothing stripped from its end.")
  public static let jsonInput = Option(
    "json", short: "j", "The input is records with a member \"text\", not plain text.")
  public static let addPrefixSpace = Option(
    "add-prefix-space",
    "Put a space before the text, unless one is there, so that its first word is encoded like any other.")
  public static let special = Option(
    "special", "Recognise special tokens such as <|endoftext|> in the text. Without it they are ordinary text.")
  public static let bos = Option(
    "bos", "Begin with the token that begins a text (GPT-2 has one token for both ends). Its offsets are [0,0].")
  public static let crlf = Option(
    "crlf", "Line ends are CR LF, as Windows writes them: encode no carriage return that stands at the end of a line.")
  public static let skipBlank = Option(
    "skip-blank", "Write nothing for a text of white space alone. Without it a blank line is a record without ids.")
  public static let tokens = Option(
    "tokens", "Add \"tokens\": the text of each token, null where it is not UTF-8 by itself.")
  public static let offsets = Option(
    "offsets", "Add \"offsets\": the range of bytes of each token in the text, end exclusive.")
  public static let attentionMask = Option("attention-mask", "Add \"attention_mask\": a 1 for each token.")
  public static let maxLength = Option(
    "max-length", takes: .integer("N", 0...Int.max), suggesting: ["512", "1024"],
    "Keep the first N tokens, and the text that they stand for.")
  public static let encodeTable = Option(
    "table", short: "t", "Write a table for people: a line for each token, with its id and its text.")
  public static let colour = Option(
    "colour", alias: "color",
    "Write the text itself for people, each token on a background of its own; where there are no colours, with a | between "
      + "tokens. A character that several tokens make together is underlined. --color does the same.")
}

extension Tool {
  public static let bpeEncode = Tool(
    name: "bpe-encode",
    summary: "turn text into token ids",
    description: [
      "bpe-encode reads text and writes a record for each line: its text, the ids of its tokens under byte-level "
        + "byte-pair encoding, and a fingerprint of the vocabulary the ids belong to. The line's end is not part of its "
        + "text. Any bytes are text; where they are not UTF-8 the record has no member text, and the ids stand for the bytes all the same.",
      "A carriage return at the end of a line is part of its text, unless --crlf is given. A byte-order mark at the start "
        + "of a file is left out, and with --null and --whole kept. The first of each, and a text that looks like UTF-16, "
        + "is reported on standard error. A blank line becomes a record without ids, which the other tools pass on, so that "
        + "lines of the output and the input correspond; --skip-blank leaves it out.",
      "Nothing in the text is interpreted: a backslash is a backslash, and <|endoftext|> is thirteen characters unless "
        + "--special is given.",
    ],
    operands: .files(of: "text"),
    output: .records(unless: [.encodeTable, .colour]),
    exclusions: [[.sealed, .sealedOutput], [.nullTerminated, .wholeInput, .jsonInput], [.encodeTable, .colour]],
    options: [
      .model, .nullTerminated, .wholeInput, .jsonInput, .crlf, .skipBlank, .addPrefixSpace, .special, .bos, .tokens,
      .offsets,
      .attentionMask,
      .maxLength, .encodeTable, .colour, .threads, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version,
    ],
    examples: [
      Tool.Example("The ids of a sentence:", "echo 'Once upon' | bpe-encode"),
      Tool.Example("Its tokens, for people:", "echo 'Once upon a time' | bpe-encode --table"),
      Tool.Example("The text in tokens:", "echo 'A kettle whistled' | bpe-encode --colour"),
      Tool.Example("How many tokens there are:", "seq 1000 | bpe-encode -w | jq '.ids | length'"),
    ])
}
