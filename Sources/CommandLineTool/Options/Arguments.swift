import CPlatform
import Platform

/// A command line as `getopt_long` reads it by the tool's table.
public struct Arguments {
  public let tool: Tool
  /// The words that are not options, in the bytes of the command line.
  public let operands: [[UInt8]]
  private var given: [Given] = []
  /// What is wrong with the command line, if anything is. The rest of it can be asked for all the same.
  private var problem: ToolError?

  /// An option on the command line; of two of the same name the later one counts.
  private struct Given {
    let option: Option
    let value: [UInt8]?
  }

  /// The operands of a tool that reads files; without any, `-`.
  public var files: [Path] { operands.isEmpty ? ["-"] : operands.map(Path.init) }

  public func has(_ option: Option) -> Bool { given.contains { $0.option == option } }

  /// The option's value in the bytes of the command line. If the option is repeated, the last value.
  public func bytes(_ option: Option) -> [UInt8]? { given.last { $0.option == option }?.value }

  /// The values of an option that can be repeated, in order.
  public func allBytes(_ option: Option) -> [[UInt8]] { given.filter { $0.option == option }.compactMap(\.value) }

  /// The option's value as a file name.
  public func path(_ option: Option) -> Path? { bytes(option).map(Path.init) }

  /// The option's value as text. If it is not UTF-8 it is escaped, so that a message can show it.
  public func text(_ option: Option) -> String? { path(option)?.text }

  /// The option's number, which parsing has checked against the table.
  public func integer(_ option: Option) -> Int? { text(option).flatMap { Int($0) } }

  /// The option's decimal number, likewise.
  public func number(_ option: Option) -> Double? { text(option).flatMap { Double($0) } }

  /// What the command line asks for.
  package enum Request {
    case run
    case help
    case version
  }

  /// What the command line asks for, or what is wrong with it. Whatever else is on the line, `--help` is answered.
  package func request() throws(ToolError) -> Request {
    if has(.help) { return .help }
    if has(.version) { return .version }
    if let problem { throw problem }
    return .run
  }

  /// - Parameter words: the command line, the program's name first.
  package static func parse(_ tool: Tool, _ words: [String]) -> Arguments { parse(tool, words.map { Array($0.utf8) }) }

  /// The same for the bytes that the system passed.
  package static func parse(_ tool: Tool, _ words: [[UInt8]]) -> Arguments {
    var problem: ToolError?
    func complain(_ message: String) {
      problem = problem ?? ToolError(.usage, message)
    }

    // getopt_long wants C strings that outlive the call, and may change the order of the words.
    var cWords: [UnsafeMutablePointer<CChar>?] = words.map { strdup(Path($0).cString) } + [nil]
    let names = tool.options.enumerated().flatMap { index, option in
      [option.name, option.alias].compactMap { $0 }.map { (index: index, name: $0.withCString { strdup($0) }) }
    }
    defer { for string in cWords + names.map(\.name) { free(string) } }
    var longOptions: [CPlatform.option] = []
    var shortOptions = ":"  // a leading colon: tell a missing argument from an unknown option
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
        complain("\(scan.letter >= firstOptionValue ? spelled : "-" + letter(scan.letter)) wants a value behind it")
        continue
      case Int32(UInt8(ascii: "?")):
        complain(
          unknown(scan.letter == 0 || scan.letter >= firstOptionValue ? spelled : "-" + letter(scan.letter), tool))
        continue
      default:
        found = tool.options.first { $0.short.map(String.init) == letter(scan.code) }
      }
      guard let option = found else { continue }
      let value = option.argument == nil ? nil : scan.argument.map { Path(cString: $0).bytes }
      let text = escaped(value ?? [])
      if case .integer(_, let range) = option.argument, Int(text).map(range.contains) != true {
        complain("--\(option.name) wants a whole number \(description(of: range)), not \"\(text)\"")
      }
      if case .number(_, let range) = option.argument, Double(text).map(range.contains) != true {
        complain("--\(option.name) wants a number \(description(of: range)), not \"\(text)\"")
      }
      if case .choice(_, let words) = option.argument, !words.contains(text) {
        complain("--\(option.name) must be \(words.joined(separator: " or ")), not \"\(text)\"")
      }
      given.append(Given(option: option, value: value))
    }
    // musl leaves an index of one too many if the last word is a short option without its value.
    let operands = cWords[min(Int(next), words.count)..<words.count].compactMap { $0.map { Path(cString: $0).bytes } }
    var arguments = Arguments(tool: tool, operands: operands, given: given)
    switch tool.operands {
    case .files: break
    case .modelName where operands.isEmpty: complain("the name of a model is wanted")
    case .modelName:
      if operands.count > 1 { complain("one model at a time: there is no place for \"\(escaped(operands[1]))\"") }
    case .model:
      if operands.count > 1 { complain("one model at a time: unexpected argument \"\(escaped(operands[1]))\"") }
      for option in [Option.model, .list] where !operands.isEmpty && arguments.has(option) {
        complain("--\(option.name) and a model argument cannot be used together")
      }
    case nil: if let operand = operands.first { complain("there is no place for \"\(escaped(operand))\"") }
    }
    for exclusion in tool.exclusions {
      let together = exclusion.filter(arguments.has).map { "--\($0.name)" }
      if together.count > 1 { complain("\(together.joined(separator: " and ")) exclude each other") }
    }
    arguments.problem = problem
    return arguments
  }

  private static let firstOptionValue: Int32 = 1000  // beyond the letters

  private static func letter(_ code: Int32) -> String {
    escaped([UInt8(truncatingIfNeeded: code)])  // getopt's `char` may be signed
  }

  private static func description(of range: ClosedRange<Int>) -> String {
    range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
  }

  private static func description(of range: ClosedRange<Double>) -> String {
    func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
    return "from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
  }

  /// Says that there is no such option, and which one may have been meant.
  private static func unknown(_ word: String, _ tool: Tool) -> String {
    guard word.hasPrefix("--") else { return "there is no option \(word)" }
    let name = word.dropFirst(2).prefix { $0 != "=" }
    if let option = tool.options.first(where: { $0.name == name }), option.argument == nil {
      return "--\(name) takes no value"
    }
    let candidates = tool.options.map(\.name).filter { $0.hasPrefix(name) }
    if candidates.count > 1 {
      return "--\(name) is short for several options: \(candidates.map { "--" + $0 }.joined(separator: ", "))"
    }
    let hint = nearestName(to: name, among: tool.options.map(\.name)).map { "; did you mean --\($0)?" } ?? ""
    return "there is no option --\(name)\(hint)"
  }
}
