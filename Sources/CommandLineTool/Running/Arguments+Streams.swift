import Platform

// The settings for errors and end records, which come from the command line and the environment.

extension Arguments {
  /// True if standard output is a stream of records.
  var writesRecords: Bool {
    switch tool.output {
    case .records(let exceptions): !exceptions.contains(where: has)
    case .text(let exceptions): exceptions.contains(where: has)
    }
  }

  /// True if the tool replaces a bad record and continues, as with `--keep-going`.
  var replacesBadRecords: Bool { has(.keepGoing) || ignoresBadRecordsInStatus }

  /// True if bad records do not change the exit status: `--errors=records`.
  var ignoresBadRecordsInStatus: Bool { text(.errors) == "records" }

  /// True if the output gets an end record.
  var sealsOutput: Bool { writesRecords && (has(.sealedOutput) || expectsSeal) }

  /// True if an input of records must end with an end record.
  var expectsSeal: Bool {
    tool.options.contains(.sealed) && !has(.sealedOutput)
      && (has(.sealed) || environmentVariable("LM_SEALED").map { $0 != "0" } ?? false)
  }
}

extension Arguments {
  /// Returns an addition to the message for a file operand that does not exist, if it was probably not meant as a file:
  /// a number for an option (`lm-topk 5`), or text (`bpe-encode some words`).
  func hintForMissingFile(_ file: Path) -> String? {
    let text = file.text
    if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
      let option = tool.options.first { option in
        if case .integer = option.argument { option.short != nil } else { false }
      }
      return option?.short.map { "; did you mean -\($0) \(text)?" }
    }
    guard tool.content == "text", !has(.jsonInput), !text.contains(where: { "/.\\".contains($0) }) else { return nil }
    let words = operands.map { Path($0).text }.joined(separator: " ")
    let isSimple =
      words.utf8.count <= 40 && words.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x27 && $0 != 0x5C }
    return " (text is read from standard input: echo '\(isSimple ? words : "TEXT")' | \(tool.name))"
  }
}
