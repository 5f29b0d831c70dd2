extension Option {
  public static let noNewline = Option(
    "no-newline", short: "n", "Write no newline after each text", "Write nothing after each text.")
  public static let jsonOutput = Option(
    "json", short: "j",
    "Write records with \"text\" instead of plain text",
    "Write the records, with a member \"text\", instead of plain text.")
  public static let newText = Option(
    "new", "Write only the text after the prompt",
    "Write only the text of the tokens that lm-step appended: those after the first \"prompt\" ids.")
  public static let noSpecial = Option(
    "no-special", alias: "skip-special", "Leave out special tokens such as <|endoftext|>",
    "Leave out special tokens such as <|endoftext|>. By default they are written as their text. "
      + "--skip-special is the same option.")
  public static let follow = Option(
    "follow",
    "Write only new text, for the output of lm-step --each",
    "The records are successive states of one sequence, as written by lm-step --each: write only the text that is new, "
      + "in whole characters.")
  public static let nullTerminatedOutput = Option(
    "null", short: "z", "End each text with NUL instead of newline",
    "End each text with a NUL byte instead of a newline.")
}

extension Tool {
  public static let bpeDecode = Tool(
    name: "bpe-decode",
    summary: "decode token ids to text",
    description: [
      "bpe-decode reads records and writes the exact bytes of their tokens, with a newline after each record. It is the "
        + "inverse of bpe-encode: nothing is cleaned up, added or left out, and special tokens are written as their text "
        + "(unless --no-special is given).",
      "With --follow, text is written as its tokens arrive. The bytes of an incomplete character are held back until the "
        + "rest arrives or the input ends.",
    ],
    operands: .files(of: "records"),
    output: .text(unless: [.jsonOutput]),
    exclusions: [
      [.sealed, .sealedOutput], [.follow, .jsonOutput], [.newText, .jsonOutput],
      [.noNewline, .nullTerminatedOutput, .jsonOutput],
    ],
    options: [.nullTerminatedOutput, .noNewline, .jsonOutput, .newText, .follow, .noSpecial],
    commonOptions: [.model, .keepGoing, .errors, .sealed, .sealedOutput, .quiet, .help, .version],
    ignoring: [.threads, .preTokenizer],
    examples: [
      Tool.Example("Encode and decode:", "echo 'Once upon a time' | bpe-encode | bpe-decode"),
      Tool.Example(
        "Watch text being generated:",
        "echo 'The old man' | bpe-encode | lm-step -n 12 --each |\nbpe-decode --follow"),
      Tool.Example(
        "Only the text that the model wrote:",
        "echo 'The old man' | bpe-encode | lm-step -n 12 | bpe-decode --new"),
    ])
}
