extension Option {
  public static let noNewline = Option("no-newline", short: "n", "Write nothing behind each text.")
  public static let jsonOutput = Option(
    "json", short: "j", "Write the records, with a member \"text\", instead of plain text.")
  public static let follow = Option(
    "follow",
    "The records are successive states of one sequence, as lm-step --each writes them: write only what is new, whole "
      + "characters at a time.")
  public static let nullTerminatedOutput = Option(
    "null", short: "z", "End each text with a NUL byte instead of a newline.")
}

extension Tool {
  public static let bpeDecode = Tool(
    name: "bpe-decode",
    summary: "turn token ids into text",
    description: [
      "bpe-decode reads records and writes the bytes that their ids stand for, exactly, and a newline behind each. It is "
        + "the inverse of bpe-encode: nothing is cleaned up, added or left out.",
      "With --follow a text grows on the screen as its tokens come. An incomplete character is held back until the rest "
        + "of it is there, or the input ends.",
    ],
    operands: .files(of: "records"),
    output: .text(unless: [.jsonOutput]),
    exclusions: [
      [.sealed, .sealedOutput], [.follow, .jsonOutput], [.noNewline, .nullTerminatedOutput, .jsonOutput],
    ],
    options: [
      .model, .nullTerminatedOutput, .noNewline, .jsonOutput, .follow, .threads, .keepGoing, .errors, .sealed,
      .sealedOutput, .quiet, .help, .version,
    ],
    examples: [
      Tool.Example("There and back:", "echo 'Once upon a time' | bpe-encode | bpe-decode"),
      Tool.Example(
        "Watch a text being written:",
        "echo 'The old man' | bpe-encode | lm-step -n 12 --each |\nbpe-decode --follow"),
    ])
}
