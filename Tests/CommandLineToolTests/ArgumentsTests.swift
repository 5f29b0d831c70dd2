import CommandLineTool
import Platform
import Testing

/// Serialized: getopt keeps its place in global variables.
@Suite(.serialized) struct ArgumentsTests {
  /// The arguments of a line of words.
  private func parse(_ tool: Tool, _ line: String) throws -> Arguments {
    let arguments = Arguments.parse(tool, [tool.name] + line.split(separator: " ").map(String.init))
    guard case .run = try arguments.request() else { throw ToolError(.success, "help or version") }
    return arguments
  }

  private func complaint(_ tool: Tool, _ line: String) -> String? {
    do {
      _ = try parse(tool, line)
      return nil
    } catch let error as ToolError {
      #expect(error.status == .usage)
      return error.message
    } catch { return "\(error)" }
  }

  @Test(arguments: [
    "-k 3 -t", "-tk3", "-tk 3", "-k3 -t", "--top-k=3 --table", "--top-k 3 --table", "--top=3 --ta", "-t --to 3",
    "-k 9 -t -k 3",
  ])
  func optionsMayBeSpelledInMoreThanOneWay(_ line: String) throws {
    let arguments = try parse(.lmTopK, line)
    #expect(arguments.integer(.topK) == 3 && arguments.has(.topTable) && !arguments.has(.keepLogits))
    #expect(arguments.files == ["-"], "without operands, standard input")
  }

  @Test(arguments: [
    ("a b", ["a", "b"], false), ("a -t b", ["a", "b"], true), ("-- -t", ["-t"], false),
    ("a -- -t", ["a", "-t"], false), ("-", ["-"], false),
    ("- -t -", ["-", "-"], true), ("-t --", ["-"], true), ("-- --", ["--"], false), ("", ["-"], false),
  ])
  func operandsMayStandAnywhere(_ line: String, _ files: [Path], _ table: Bool) throws {
    let arguments = try parse(.lmTopK, line)
    #expect(arguments.files == files && arguments.has(.topTable) == table)
  }

  @Test func valuesAreTakenAsTheyStand() throws {
    #expect(try parse(.lmStep, "--stop=a=b").text(.stop) == "a=b")
    #expect(try parse(.lmStep, "--stop --each").text(.stop) == "--each")
    #expect(try parse(.lmStep, "--stop=").text(.stop) == "")
    #expect(try parse(.lmStep, "-m -").text(.model) == "-")
    #expect(try parse(.lmStep, "--stop é").text(.stop) == "é")
    let absent = try parse(.lmStep, "")
    #expect(absent.text(.stop) == nil && absent.integer(.count) == nil && !absent.has(.stop))
  }

  @Test(arguments: [
    (Tool.lmTopK, "--k", "--k is short for several options: --keep-logits, --keep-going"),
    (.lmTopK, "-k", "-k wants a value behind it"),
    (.lmTopK, "--top-k", "--top-k wants a value behind it"), (.lmTopK, "-tk", "-k wants a value behind it"),
    (.lmTopK, "--table=3", "--table takes no value"),
    (.lmTopK, "--tabel", "there is no option --tabel; did you mean --table?"),
    (.lmTopK, "--tabel=3", "there is no option --tabel; did you mean --table?"),
    (.lmTopK, "--topk 3", "there is no option --topk; did you mean --top-k?"),
    (.lmTopK, "--frobnicate", "there is no option --frobnicate"),
    (.lmTopK, "-x", "there is no option -x"), (.lmTopK, "-tx", "there is no option -x"),
    (.lmTopK, "-x --tabel", "there is no option -x"),
    (.lmTopK, "-k 0", "--top-k wants a whole number of at least 1, not \"0\""),
    (.lmTopK, "-k -1", "--top-k wants a whole number of at least 1, not \"-1\""),
    (.lmTopK, "-k x", "--top-k wants a whole number of at least 1, not \"x\""),
    (.lmTopK, "-k 1.5", "--top-k wants a whole number of at least 1, not \"1.5\""),
    (.lmTopK, "--top-k=", "--top-k wants a whole number of at least 1, not \"\""),
    (.lmTopK, "-k 1e3", "--top-k wants a whole number of at least 1, not \"1e3\""),
    (.lmTopK, "-k 99999999999999999999", "--top-k wants a whole number of at least 1, not \"99999999999999999999\""),
    (.lmLogits, "--threads=1025", "--threads wants a whole number from 1 to 1024, not \"1025\""),
    (.lmLogits, "--threads 0", "--threads wants a whole number from 1 to 1024, not \"0\""),
    (.lmInfo, "-j gpt2 wren", "one model at a time: unexpected argument \"wren\""),
    (.lmInfo, "-m gpt2 wren", "--model and a model argument cannot be used together"),
    (.lmInfo, "--list gpt2", "--list and a model argument cannot be used together"),
  ])
  func mistakesAreNamed(_ tool: Tool, _ line: String, _ expected: String) {
    #expect(complaint(tool, line) == expected)
  }

  @Test(arguments: ["-é", "--é", "--=", "--=x", "-=", "---", "-t-", "-\u{1}"])
  func oddWordsAreMistakesToo(_ line: String) {
    #expect(complaint(.lmTopK, line) != nil)
  }

  /// The arguments of words in any bytes: `%E9` stands for a byte.
  private func parse(_ tool: Tool, bytes line: String) throws -> Arguments {
    let words = line.split(separator: " ").map {
      $0.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
    }
    let bytes = words.map { parts in
      Array(parts[0])
        + parts.dropFirst().flatMap { part -> [UInt8] in
          [UInt8(String(Substring(part.prefix(2))), radix: 16) ?? 0] + part.dropFirst(2)
        }
    }
    let arguments = Arguments.parse(tool, [Array(tool.name.utf8)] + bytes)
    guard case .run = try arguments.request() else { throw ToolError(.success, "help or version") }
    return arguments
  }

  @Test func wordsAreBytes() throws {
    let arguments = try parse(.lmStep, bytes: "caf%E9 --cache %FFc --stop=%E9x --stop= --stop %E2%82%AC -m m%C3 %E9-")
    #expect(arguments.files == [Path("caf".utf8 + [0xE9]), Path([0xE9, UInt8(ascii: "-")])])
    #expect(arguments.path(.cache)?.bytes == [0xFF, UInt8(ascii: "c")])
    #expect(arguments.path(.model)?.bytes == [UInt8(ascii: "m"), 0xC3] && arguments.text(.model) == #"m\xC3"#)
    #expect(arguments.allBytes(.stop) == [[0xE9, UInt8(ascii: "x")], [], [0xE2, 0x82, 0xAC]])
    #expect(arguments.bytes(.stop) == [0xE2, 0x82, 0xAC] && arguments.text(.stop) == "\u{20AC}")
    #expect(arguments.allBytes(.count).isEmpty && arguments.bytes(.count) == nil && arguments.path(.count) == nil)
  }

  @Test(arguments: [
    (Tool.lmTopK, "-k %E9", #"--top-k wants a whole number of at least 1, not "\xE9""#),
    (.lmTopK, "-k 1%1B[31m", #"--top-k wants a whole number of at least 1, not "1\u{1B}[31m""#),
    (.lmTopK, "--x%E9", #"there is no option --x\xE9"#),
    (.lmTopK, "--tabl%0A", #"there is no option --tabl\n; did you mean --table?"#),
    (.lmTopK, "-%E9", #"there is no option -\xE9"#), (.lmTopK, "-%1B", #"there is no option -\u{1B}"#),
    (.lmInfo, "a caf%E9", #"one model at a time: unexpected argument "caf\xE9""#),
    (.lmPull, "a caf%E9", #"one model at a time: there is no place for "caf\xE9""#),
  ])
  func mistakesInBytesAreShownWithEscapes(_ tool: Tool, _ line: String, _ message: String) {
    #expect(throws: ToolError(.usage, message)) { try parse(tool, bytes: line) }
  }

  @Test func aCommandLineWithoutWordsHasNoArguments() throws {
    let arguments = Arguments.parse(.lmTopK, [[UInt8]]())
    #expect(arguments.operands.isEmpty && arguments.files == ["-"])
  }

  @Test(arguments: [
    "-h", "--help", "--he", "--help --version", "-V -h", "--nonsense -h", "-k 0 --help", "-h -k", "file -h", "-th",
  ])
  func helpWinsOverEverything(_ line: String) throws {
    guard case .help = try Arguments.parse(.lmTopK, ["lm-topk"] + line.split(separator: " ").map(String.init)).request()
    else {
      Issue.record("no help for \(line)")
      return
    }
  }

  @Test(arguments: ["-V", "--version", "--nonsense -V", "-k 0 -V", "file --ver"])
  func versionWinsOverErrors(_ line: String) throws {
    guard
      case .version = try Arguments.parse(.lmTopK, ["lm-topk"] + line.split(separator: " ").map(String.init)).request()
    else {
      Issue.record("no version for \(line)")
      return
    }
  }

  @Test func helpBehindTwoHyphensIsAFile() throws {
    #expect(try parse(.lmTopK, "-- --help -h").files == ["--help", "-h"])
  }

  /// Each option of each tool, as the table has it, is parsed.
  @Test(arguments: Tool.all)
  func everyOptionOfTheTableIsParsed(_ tool: Tool) throws {
    let operand: String? = if case .modelName = tool.operands { "gpt2" } else { nil }
    for option in tool.options where option != .help && option != .version {
      let value: String? =
        switch option.argument {
        case .integer(_, let range): "\(max(range.lowerBound, min(7, range.upperBound)))"
        case .number(_, let range): "\(max(range.lowerBound, min(0.5, range.upperBound)))"
        case .choice(_, let words): words.last
        case .some: "value"
        case nil: nil
        }
      for spelling in ["--" + option.name] + (option.short.map { ["-\($0)"] } ?? []) {
        let arguments = try parse(tool, [spelling, value, operand].compactMap { $0 }.joined(separator: " "))
        #expect(arguments.has(option) && arguments.text(option) == value, "\(tool.name) \(spelling)")
      }
    }
  }

  @Test(arguments: [
    (Tool.bpeEncode, "-w -j", "--whole and --json exclude each other"),
    (.bpeEncode, "-jzw", "--null and --whole and --json exclude each other"),
    (.bpeDecode, "--follow --json", "--follow and --json exclude each other"),
    (.lmStep, "--sealed --sealed-output", "--sealed and --sealed-output exclude each other"),
    (.lmInfo, "-l -m x", "--list and --model exclude each other"),
    (.bpeDecode, "-nz", "--no-newline and --null exclude each other"),
  ])
  func contradictionsAreNamed(_ tool: Tool, _ line: String, _ message: String) {
    #expect(complaint(tool, line) == message)
  }

  @Test func allToolsTakeTheOptionsOfAPipeline() {
    for tool in Tool.all where tool.name != Tool.lmPull.name {
      #expect(complaint(tool, "-m x --threads 2 --keep-going -q") == nil)
    }
  }
}
