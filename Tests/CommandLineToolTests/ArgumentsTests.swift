import CommandLineTool
import Platform
import Testing

/// Serialized because getopt keeps its state in global variables.
@Suite(.serialized) struct ArgumentsTests {
  /// Parses words that are separated by spaces.
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
  func acceptsAllSpellingsOfOptions(_ line: String) throws {
    let arguments = try parse(.lmTopK, line)
    #expect(arguments.integer(.topK) == 3 && arguments.has(.topTable) && !arguments.has(.keepLogits))
    #expect(arguments.files == ["-"], "without operands, standard input")
  }

  @Test(arguments: [
    ("a b", ["a", "b"], false), ("a -t b", ["a", "b"], true), ("-- -t", ["-t"], false),
    ("a -- -t", ["a", "-t"], false), ("-", ["-"], false),
    ("- -t -", ["-", "-"], true), ("-t --", ["-"], true), ("-- --", ["--"], false), ("", ["-"], false),
  ])
  func acceptsOperandsBetweenOptions(_ line: String, _ files: [Path], _ table: Bool) throws {
    let arguments = try parse(.lmTopK, line)
    #expect(arguments.files == files && arguments.has(.topTable) == table)
  }

  @Test func takesValuesLiterally() throws {
    #expect(try parse(.lmStep, "--stop=a=b").text(.stop) == "a=b")
    #expect(try parse(.lmStep, "--stop --each").text(.stop) == "--each")
    #expect(try parse(.lmStep, "--stop=").text(.stop) == "")
    #expect(try parse(.lmStep, "-m -").text(.model) == "-")
    #expect(try parse(.lmStep, "--stop é").text(.stop) == "é")
    let absent = try parse(.lmStep, "")
    #expect(absent.text(.stop) == nil && absent.integer(.count) == nil && !absent.has(.stop))
  }

  @Test(arguments: [
    (Tool.lmTopK, "--k", "ambiguous option '--k': --keep-logits, --keep-going; did you mean -k?"),
    (.lmTopK, "-k", "option '-k' requires a value"),
    (.lmTopK, "--top-k", "option '--top-k' requires a value"), (.lmTopK, "-tk", "option '-k' requires a value"),
    (.lmTopK, "--table=3", "option '--table' takes no value"),
    (.lmTopK, "--tabel", "unknown option '--tabel'; did you mean --table?"),
    (.lmTopK, "--tabel=3", "unknown option '--tabel'; did you mean --table?"),
    (.lmTopK, "--topk 3", "unknown option '--topk'; did you mean --top-k?"),
    (.lmTopK, "--frobnicate", "unknown option '--frobnicate'"),
    (.lmTopK, "-x", "unknown option '-x'"), (.lmTopK, "-tx", "unknown option '-x'"),
    (.lmTopK, "-x --tabel", "unknown option '-x'"),
    (.lmTopK, "-k 0", "--top-k must be a whole number, 1 or more (found \"0\")"),
    (.lmTopK, "-k -1", "--top-k must be a whole number, 1 or more (found \"-1\")"),
    (.lmTopK, "-k x", "--top-k must be a whole number, 1 or more (found \"x\")"),
    (.lmTopK, "-k 1.5", "--top-k must be a whole number, 1 or more (found \"1.5\")"),
    (.lmTopK, "--top-k=", "--top-k must be a whole number, 1 or more (found \"\")"),
    (.lmTopK, "-k 1e3", "--top-k must be a whole number, 1 or more (found \"1e3\")"),
    (.lmTopK, "-k 99999999999999999999", "--top-k must be a whole number, 1 or more (found \"99999999999999999999\")"),
    (.lmLogits, "--threads=1025", "--threads must be a whole number from 1 to 1024 (found \"1025\")"),
    (.lmLogits, "--threads 0", "--threads must be a whole number from 1 to 1024 (found \"0\")"),
    (.lmInfo, "-j gpt2 wren", "unexpected argument 'wren'; lm-info takes one model"),
    (.lmInfo, "-m gpt2 wren", "--model and a model argument cannot be used together"),
    (.lmInfo, "--list gpt2", "--list and a model argument cannot be used together"),
    (.lmPull, "", "missing model name"),
    (.lmStep, "-n=5", "--count must be a whole number, 0 or more (found \"=5\"); write -n 5"),
    (.lmStep, "--errors x", "--errors must be status or records (found \"x\")"),
  ])
  func reportsMistakes(_ tool: Tool, _ line: String, _ expected: String) {
    #expect(complaint(tool, line) == expected)
  }

  @Test(arguments: ["-é", "--é", "--=", "--=x", "-=", "---", "-t-", "-\u{1}"])
  func rejectsMalformedOptions(_ line: String) {
    #expect(complaint(.lmTopK, line) != nil)
  }

  /// Parses words of arbitrary bytes: `%E9` is the byte 0xE9.
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

  @Test func acceptsWordsThatAreNotUTF8() throws {
    let arguments = try parse(.lmStep, bytes: "caf%E9 --cache %FFc --stop=%E9x --stop= --stop %E2%82%AC -m m%C3 %E9-")
    #expect(arguments.files == [Path("caf".utf8 + [0xE9]), Path([0xE9, UInt8(ascii: "-")])])
    #expect(arguments.path(.cache)?.bytes == [0xFF, UInt8(ascii: "c")])
    #expect(arguments.path(.model)?.bytes == [UInt8(ascii: "m"), 0xC3] && arguments.text(.model) == #"m\xC3"#)
    #expect(arguments.allBytes(.stop) == [[0xE9, UInt8(ascii: "x")], [], [0xE2, 0x82, 0xAC]])
    #expect(arguments.bytes(.stop) == [0xE2, 0x82, 0xAC] && arguments.text(.stop) == "\u{20AC}")
    #expect(arguments.allBytes(.count).isEmpty && arguments.bytes(.count) == nil && arguments.path(.count) == nil)
  }

  @Test(arguments: [
    (Tool.lmTopK, "-k %E9", #"--top-k must be a whole number, 1 or more (found "\xE9")"#),
    (.lmTopK, "-k 1%1B[31m", #"--top-k must be a whole number, 1 or more (found "1\u{1B}[31m")"#),
    (.lmTopK, "--x%E9", #"unknown option '--x\xE9'"#),
    (.lmTopK, "--tabl%0A", #"unknown option '--tabl\n'; did you mean --table?"#),
    (.lmTopK, "-%E9", #"unknown option '-\xE9'"#), (.lmTopK, "-%1B", #"unknown option '-\u{1B}'"#),
    (.lmInfo, "a caf%E9", #"unexpected argument 'caf\xE9'; lm-info takes one model"#),
    (.lmPull, "a caf%E9", #"unexpected argument 'caf\xE9'; lm-pull takes one model name"#),
  ])
  func escapesBytesInMessages(_ tool: Tool, _ line: String, _ message: String) {
    #expect(throws: ToolError(.usage, message)) { try parse(tool, bytes: line) }
  }

  @Test func acceptsAnEmptyCommandLine() throws {
    let arguments = Arguments.parse(.lmTopK, [[UInt8]]())
    #expect(arguments.operands.isEmpty && arguments.files == ["-"])
  }

  @Test(arguments: [
    "-h", "--help", "--he", "--help --version", "-V -h", "--nonsense -h", "-k 0 --help", "-h -k", "file -h", "-th",
  ])
  func helpHasPrecedence(_ line: String) throws {
    guard case .help = try Arguments.parse(.lmTopK, ["lm-topk"] + line.split(separator: " ").map(String.init)).request()
    else {
      Issue.record("no help for \(line)")
      return
    }
  }

  @Test(arguments: ["-V", "--version", "--nonsense -V", "-k 0 -V", "file --ver"])
  func versionHasPrecedenceOverErrors(_ line: String) throws {
    guard
      case .version = try Arguments.parse(.lmTopK, ["lm-topk"] + line.split(separator: " ").map(String.init)).request()
    else {
      Issue.record("no version for \(line)")
      return
    }
  }

  @Test func takesHelpAfterTwoHyphensAsAFile() throws {
    #expect(try parse(.lmTopK, "-- --help -h").files == ["--help", "-h"])
  }

  @Test(arguments: Tool.all)
  func parsesEveryOption(_ tool: Tool) throws {
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
    (Tool.bpeEncode, "-w -j", "--whole and --json cannot be used together"),
    (.bpeEncode, "-jzw", "--null, --whole and --json cannot be used together"),
    (.bpeDecode, "--follow --json", "--follow and --json cannot be used together"),
    (.lmStep, "--sealed --sealed-output", "--sealed and --sealed-output cannot be used together"),
    (.lmInfo, "-l -m x", "--list and --model cannot be used together"),
    (.bpeDecode, "-nz", "--no-newline and --null cannot be used together"),
  ])
  func reportsExclusiveOptions(_ tool: Tool, _ line: String, _ message: String) {
    #expect(complaint(tool, line) == message)
  }

  @Test func allToolsAcceptTheCommonOptions() {
    for tool in Tool.all where tool.name != Tool.lmPull.name {
      #expect(complaint(tool, "-m x --threads 2 --keep-going -q") == nil)
    }
  }
}
