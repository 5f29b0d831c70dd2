import CommandLineTool
import Platform
import Testing

/// Test failures show only the name of the tool.
extension Tool: CustomTestStringConvertible {
  public var testDescription: String { name }
}

@Suite struct TableTests {
  @Test(arguments: Tool.all)
  func optionNamesAreValidAndUnique(_ tool: Tool) {
    let names = tool.options.map(\.name)
    let letters = tool.options.compactMap(\.short)
    #expect(Set(names).count == names.count)
    #expect(Set(letters).count == letters.count)
    #expect(
      names.allSatisfy {
        $0.count > 1 && $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) || $0 == "-" }
          && !$0.hasPrefix("-")
      })
    #expect(letters.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
    #expect(tool.options.contains(.help) && tool.options.contains(.version))
  }

  @Test(arguments: Tool.all)
  func summariesAreShortAndExplanationsAreSentences(_ tool: Tool) {
    for option in tool.options {
      #expect(option.summary.count <= Option.longestSummary, "--\(option.name)")
      #expect(option.summary.allSatisfy(\.isASCII) && !option.summary.hasSuffix("."), "--\(option.name)")
      #expect(option.summary.first?.isUppercase == true, "--\(option.name)")
      #expect(option.explanation.hasSuffix(".") || option.explanation.hasSuffix(".)"), "--\(option.name)")
    }
  }

  /// The same letter has the same meaning in every tool.
  @Test func optionsHaveTheSameLetterInAllTools() {
    var letters: [String: Character?] = [:]
    for option in Tool.all.flatMap(\.options) {
      if let other = letters[option.name] { #expect(other == option.short, "--\(option.name)") }
      letters[option.name] = option.short
    }
  }

  @Test func toolNamesAreUnique() {
    #expect(Set(Tool.all.map(\.name)).count == Tool.all.count)
  }

  @Test(arguments: Tool.all, [25, 40, 59, 60, 80, 100])
  func helpFitsTheWidthAndListsTheOptions(_ tool: Tool, _ width: Int) throws {
    let help = helpText(of: tool, width: width)
    let examples = try #require(help.firstRange(of: "\nExamples:\n"))
    for line in help[..<examples.lowerBound].split(separator: "\n") { #expect(line.count <= width, "\(line)") }
    if width >= 80 { for line in help.split(separator: "\n") { #expect(line.count <= width, "\(line)") } }
    #expect(help.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy { !$0.hasSuffix(" ") })
    #expect(help.hasPrefix("Usage: \(tool.name)") && help.hasSuffix("\n") && help.allSatisfy(\.isASCII))
    for option in tool.options {
      let isIgnored = tool.ignoredOptions.contains(option)
      #expect(help.contains("--\(option.name)") != isIgnored)
      if let short = option.short { #expect(help.contains("  -\(short), --\(option.name)") != isIgnored) }
    }
  }

  @Test func helpSetsOptionsAndSummariesSideBySide() {
    #expect(
      helpText(of: .lmInfo, width: 80) == """
        Usage: lm-info [OPTION]... [MODEL]
        Show information about a model.

        Options:
          -j, --json              Print a JSON record
          -l, --list              Print the names of the models on this machine
              --list-families     Print the model families that the tools run

        Common options:
          -m, --model=MODEL       Model folder, .gguf file or name (default: $LM_MODEL)
          -h, --help              Print this help and exit
          -V, --version           Print the version and exit

        Examples:
          lm-info --json | jq .parameters
          lm-info --list
          lm-info --list-families

        Manual: man lm-info

        """)
    #expect(
      helpText(of: .lmInfo, width: 25).hasPrefix(
        """
        Usage: lm-info
            [OPTION]... [MODEL]
        Show information about a
        model.

        Options:
          -j, --json
              Print a JSON record
          -l, --list
              Print the names of
              the models on this
              machine

        """))
  }

  /// Three lines of a manual page at 80 columns.
  @Test(arguments: Tool.all)
  func commonOptionsAreBrief(_ tool: Tool) throws {
    let manual = manualPage(of: tool)
    let section = try #require(manual.split(separator: ".Sh ").first { $0.hasPrefix("COMMON OPTIONS") })
    for option in Tool.lmLogits.listedOptions where section.contains("Fl \(roffEscaped("-" + option.name))") {
      #expect(option.explanation.count <= 3 * 62, "--\(option.name)")
    }
  }

  @Test(arguments: Tool.all)
  func manualAndCompletionsNameEveryOption(_ tool: Tool) {
    let manual = manualPage(of: tool)
    let shells = Shell.allCases.map { ($0, $0.completions(of: tool)) }
    for option in tool.options {
      let isIgnored = tool.ignoredOptions.contains(option)
      #expect(manual.contains("Fl \(roffEscaped("-" + option.name))") != isIgnored)
      #expect(manual.contains(roffEscaped("--" + option.name)) || !isIgnored)
      for (shell, text) in shells where !isIgnored { #expect(text.contains(option.name), "\(shell) --\(option.name)") }
    }
    #expect(
      manual.split(separator: "\n", omittingEmptySubsequences: false).dropLast().allSatisfy { !$0.isEmpty },
      "mdoc(7) does not allow blank lines")
  }

  /// Readers search a page for the terms of the field.
  @Test func pagesContainTheTermsOfTheField() throws {
    let terms: [(Tool, [String])] = [
      (.lmStep, ["sampl", "greedy decoding", "nucleus", "temperature", "softmax", "logit", "KV cache", "beam search"]),
      (.lmLogits, ["softmax", "logit", "log\\-probability", "surprisal", "perplexity", "entropy", "KV cache"]),
      (.lmTopK, ["softmax", "logit", "log\\-probability"]),
      (.bpeEncode, ["tokenizer", "byte\\-pair encoding"]),
    ]
    func expect(_ words: [String], in source: String, _ name: String) {
      let page = source.replacing("\n", with: " ").lowercased()
      for word in words { #expect(page.contains(word.lowercased()), "\(name): \(word)") }
    }
    for (tool, words) in terms { expect(words, in: manualPage(of: tool), tool.name) }

    let checkout = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    let tutorial = try MappedFile(path: Path("\(checkout)/man/man7/lm-pipeline.7"))
    expect(
      [
        "sampling", "greedy decoding", "nucleus", "top\\-p", "temperature", "softmax", "logit", "log-probability",
        "surprisal", "perplexity", "KV cache", "entropy", "beam search", "chat template",
      ], in: String(decoding: tutorial.bytes, as: UTF8.self), "lm-pipeline(7)")
  }

  @Test func outputsOfExamplesAreKept() {
    let page = manualPage(of: .lmInfo)
    let command = "$ lm\\-info \\-\\-list\n"
    let renewed = page.replacing(command, with: command + "gpt2\nwren\n")
    #expect(renewed != page && manualPage(of: .lmInfo, old: renewed) == renewed)
  }

  @Test(arguments: ["", "a -b --c", ".Sh", "'quoted' \"twice\"", #"\n \\e \& \-"#, "~/x^2 `y`", "“…”", "'"])
  func roffEscapesCanBeReversed(_ text: String) {
    let escaped = roffEscaped(text)
    #expect(roffUnescaped(escaped) == text)
    #expect(!escaped.hasPrefix(".") && !escaped.hasPrefix("'"))
  }
}
