import CommandLineTool
import Testing

@Suite struct TableTests {
  @Test(arguments: Tool.all)
  func namesAreThereAndUnique(_ tool: Tool) {
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
    for option in tool.options { #expect(option.explanation.hasSuffix("."), "--\(option.name)") }
  }

  /// The same letter or name for the same thing: nobody remembers six tables.
  @Test func aLongNameHasTheSameLetterEverywhere() {
    var letters: [String: Character?] = [:]
    for option in Tool.all.flatMap(\.options) {
      if let known = letters[option.name] { #expect(known == option.short, "--\(option.name)") }
      letters[option.name] = option.short
    }
  }

  @Test func toolsAreUnique() {
    #expect(Set(Tool.all.map(\.name)).count == Tool.all.count)
  }

  @Test(arguments: Tool.all)
  func helpFitsOldTerminalsAndNamesEveryOption(_ tool: Tool) {
    let help = helpText(of: tool)
    for line in help.split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
    #expect(help.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy { !$0.hasSuffix(" ") })
    #expect(help.hasPrefix("Usage: \(tool.name) [OPTION]…") && help.hasSuffix("\n"))
    for option in tool.options {
      #expect(help.contains("--\(option.name)"))
      if let short = option.short { #expect(help.contains("  -\(short), --\(option.name)")) }
    }
  }

  @Test(arguments: Tool.all)
  func manualAndCompletionsNameEveryOption(_ tool: Tool) {
    let manual = manualPage(of: tool)
    let shells = Shell.allCases.map { ($0, $0.completions(of: tool)) }
    for option in tool.options {
      #expect(manual.contains("Fl \\-\(option.name)"))
      for (shell, text) in shells { #expect(text.contains(option.name), "\(shell) --\(option.name)") }
    }
    #expect(
      manual.split(separator: "\n", omittingEmptySubsequences: false).dropLast().allSatisfy { !$0.isEmpty },
      "mdoc wants no blank lines")
  }

  @Test func whatExamplesPrintStaysInThePage() {
    let page = manualPage(of: .lmInfo)
    let command = "$ lm\\-info \\-\\-list\n"
    let renewed = page.replacing(command, with: command + "gpt2\nwren\n")
    #expect(renewed != page && manualPage(of: .lmInfo, old: renewed) == renewed)
  }

  @Test(arguments: ["", "a -b --c", ".Sh", "'quoted' \"twice\"", #"\n \\e \& \-"#, "~/x^2 `y`", "“…”", "'"])
  func roffSaysWhatTheTextSays(_ text: String) {
    let escaped = roffEscaped(text)
    #expect(roffUnescaped(escaped) == text)
    #expect(!escaped.hasPrefix(".") && !escaped.hasPrefix("'"))
  }
}
