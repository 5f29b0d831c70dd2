import CPlatform
import Platform

/// The command line of a tool, parsed by `getopt_long` with the tool's option table.
public struct Arguments {
  public let tool: Tool
  /// The words that are not options, as the bytes of the command line.
  public let operands: [[UInt8]]
  private var given: [Given] = []
  /// The first error in the command line. The rest of the command line is still parsed, because it may contain
  /// `--help`.
  private var problem: ToolError?

  /// An option on the command line. If an option is repeated, its last value is used.
  private struct Given {
    let option: Option
    let value: [UInt8]?
  }

  /// The operands of a tool that reads files; `-`, standard input, if no operand is given.
  public var files: [Path] { operands.isEmpty ? ["-"] : operands.map(Path.init) }

  public func has(_ option: Option) -> Bool { given.contains { $0.option == option } }

  /// Returns the option's value as the bytes of the command line; the last value if the option is repeated.
  public func bytes(_ option: Option) -> [UInt8]? { given.last { $0.option == option }?.value }

  /// Returns the values of an option that can be repeated, in order.
  public func allBytes(_ option: Option) -> [[UInt8]] { given.filter { $0.option == option }.compactMap(\.value) }

  /// Returns the option's value as a file name.
  public func path(_ option: Option) -> Path? { bytes(option).map(Path.init) }

  /// Returns the option's value as text for a message: bytes that are not UTF-8 are escaped.
  public func text(_ option: Option) -> String? { path(option)?.text }

  /// Returns the value of an option that takes an integer. The parser has checked its range.
  public func integer(_ option: Option) -> Int? { text(option).flatMap { Int($0) } }

  /// Returns the value of an option that takes a decimal number. The parser has checked its range.
  public func number(_ option: Option) -> Double? { text(option).flatMap { Double($0) } }

  /// The action that the command line requests.
  package enum Request {
    case run
    case help
    case version
  }

  /// Returns the requested action. Throws if the command line has an error, unless it has `--help` or `--version`.
  package func request() throws(ToolError) -> Request {
    if has(.help) { return .help }
    if has(.version) { return .version }
    if let problem { throw problem }
    return .run
  }

  /// Parses a command line.
  ///
  /// - Parameter words: the command line, beginning with the program's name.
  package static func parse(_ tool: Tool, _ words: [String]) -> Arguments { parse(tool, words.map { Array($0.utf8) }) }

  /// Parses a command line that may contain any bytes.
  package static func parse(_ tool: Tool, _ words: [[UInt8]]) -> Arguments {
    var problem: ToolError?
    func fail(_ message: String) {
      problem = problem ?? ToolError(.usage, message)
    }

    // getopt_long keeps pointers to its C strings between calls, and can change the order of the words.
    var cWords: [UnsafeMutablePointer<CChar>?] = words.map { strdup(Path($0).cString) } + [nil]
    let names = tool.options.enumerated().flatMap { index, option in
      [option.name, option.alias].compactMap { $0 }.map { (index: index, name: $0.withCString { strdup($0) }) }
    }
    defer { for string in cWords + names.map(\.name) { free(string) } }
    var longOptions: [CPlatform.option] = []
    var shortOptions = ":"  // with a leading colon, getopt distinguishes a missing value from an unknown option
    for (index, name) in names {
      let takesArgument = tool.options[index].argument == nil ? no_argument : required_argument
      longOptions.append(
        CPlatform.option(name: name, has_arg: takesArgument, flag: nil, val: firstOptionValue + Int32(index)))
    }
    for option in tool.options {
      if let short = option.short { shortOptions += "\(short)" + (option.argument == nil ? "" : ":") }
    }
    longOptions.append(CPlatform.option(name: nil, has_arg: 0, flag: nil, val: 0))

    var given: [Given] = []
    var next: Int32 = 0
    while true {
      let scan = lmpipe_next_option(Int32(words.count), &cWords, shortOptions, longOptions, next == 0)
      next = scan.next
      guard scan.code != -1 else { break }
      let spelled = cWords[min(Int(next), words.count) - 1].map { escaped(Path(cString: $0).bytes) } ?? ""
      let found: Option?
      switch scan.code {
      case firstOptionValue...:
        found = tool.options[Int(scan.code - firstOptionValue)]
      case Int32(UInt8(ascii: ":")):
        fail("option '\(scan.letter >= firstOptionValue ? spelled : "-" + letter(scan.letter))' requires a value")
        continue
      case Int32(UInt8(ascii: "?")):
        fail(
          unknownOption(scan.letter == 0 || scan.letter >= firstOptionValue ? spelled : "-" + letter(scan.letter), tool)
        )
        continue
      default:
        found = tool.options.first { $0.short.map(String.init) == letter(scan.code) }
      }
      guard let option = found else { continue }
      let value = option.argument == nil ? nil : scan.argument.map { Path(cString: $0).bytes }
      let text = escaped(value ?? [])
      if let expected = option.argument.flatMap({ expectation($0, text) }) {
        // getopt reads -n=5 as the option -n with the value "=5".
        let hint = option.short.map { text.hasPrefix("=") ? "; write -\($0) \(text.dropFirst())" : "" } ?? ""
        fail("--\(option.name) must be \(expected) (found \"\(text)\")\(hint)")
      }
      given.append(Given(option: option, value: value))
    }
    // musl returns an index that is too large by one if the last word is a short option without its value.
    let operands = cWords[min(Int(next), words.count)..<words.count].compactMap { $0.map { Path(cString: $0).bytes } }
    var arguments = Arguments(tool: tool, operands: operands, given: given)
    switch tool.operands {
    case .files: break
    case .modelName where operands.isEmpty: fail("missing model name")
    case .modelName:
      if operands.count > 1 { fail("unexpected argument '\(escaped(operands[1]))'; \(tool.name) takes one model name") }
    case .model(let excluded):
      if operands.count > 1 { fail("unexpected argument '\(escaped(operands[1]))'; \(tool.name) takes one model") }
      for option in excluded where !operands.isEmpty && arguments.has(option) {
        fail("--\(option.name) and a model argument cannot be used together")
      }
    }
    for exclusion in tool.exclusions {
      let names = exclusion.filter(arguments.has).map { "--\($0.name)" }
      if let last = names.last, names.count > 1 {
        fail("\(names.dropLast().joined(separator: ", ")) and \(last) cannot be used together")
      }
    }
    arguments.problem = problem
    return arguments
  }

  private static let firstOptionValue: Int32 = 1000  // above all characters

  private static func letter(_ code: Int32) -> String {
    escaped([UInt8(truncatingIfNeeded: code)])  // getopt's `char` may be signed
  }

  /// Returns a description of the allowed values if `text` is not an allowed value, else nil.
  private static func expectation(_ argument: Option.Argument, _ text: String) -> String? {
    func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
    switch argument {
    case .integer(_, let range):
      guard Int(text).map(range.contains) != true else { return nil }
      return range.upperBound == .max
        ? "a whole number, \(range.lowerBound) or more"
        : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(_, let range):
      guard Double(text).map(range.contains) != true else { return nil }
      return "a number from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
    case .choice(_, let words): return words.contains(text) ? nil : words.joined(separator: " or ")
    default: return nil
    }
  }

  /// Returns the message for a word that is not an option, with a suggestion if an option has a similar name.
  private static func unknownOption(_ word: String, _ tool: Tool) -> String {
    guard word.hasPrefix("--") else { return "unknown option '\(word)'" }
    let name = word.dropFirst(2).prefix { $0 != "=" }
    if let option = tool.options.first(where: { $0.name == name }), option.argument == nil {
      return "option '--\(name)' takes no value"
    }
    let candidates = tool.options.map(\.name).filter { $0.hasPrefix(name) }
    if candidates.count > 1 {
      let short = tool.options.contains { $0.short.map(String.init) == String(name) } ? "; did you mean -\(name)?" : ""
      return "ambiguous option '--\(name)': \(candidates.map { "--" + $0 }.joined(separator: ", "))\(short)"
    }
    let hint = nearestName(to: name, among: tool.options.map(\.name)).map { "; did you mean --\($0)?" } ?? ""
    return "unknown option '--\(name)'\(hint)"
  }
}
