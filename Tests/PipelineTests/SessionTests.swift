import CommandLineTool
import Foundation
import Testing

/// Runs the shell sessions of the README, of the manual pages and of Sessions/, and compares their output. The files in
/// Sessions/ are black-box tests; add one for every bug that is visible from outside.
///
/// A session is a block that begins with ```console, or a literal display of a manual page. A line `$ …` is a command,
/// and `> …` continues it. The lines after it are its standard output and standard error. `[65]` at the end is its exit
/// status, if it is not 0. The commands of a file run in one bash, in a new empty folder. In the README and the manual
/// pages, blanks at the ends of lines are ignored, because `fold -s` prints some. With `LMPIPE_RENEW_SESSIONS=1` the
/// output is written into the files.
@Suite struct SessionTests {
  static let files: [URL] = {
    func files(_ folder: String, _ endings: String...) -> [URL] {
      let folder = Programs.checkout.appending(path: folder)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      return names.filter { name in endings.contains { name.hasSuffix($0) } }.sorted().map {
        folder.appending(path: $0)
      }
    }
    return files(".", "README.md") + files("Tests/PipelineTests/Sessions", ".md")
      + ["man/man1", "man/man5", "man/man7"].flatMap { files($0, ".1", ".5", ".7") }
  }()

  @Test(arguments: files)
  func sessionsPrintTheDocumentedOutput(_ file: URL) throws {
    let directory = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: directory) }
    let form: Form = file.pathExtension == "md" ? .markdown : .manualPage
    let parts = Self.parts(of: try String(contentsOf: file, encoding: .utf8), form)
    let steps = parts.flatMap(\.steps)
    #expect(!steps.isEmpty || form == .manualPage, "\(file.lastPathComponent) has no session")
    let isTest = file.deletingLastPathComponent().lastPathComponent == "Sessions"
    let outputs = try Self.run(steps, in: directory).map { isTest ? $0 : $0.map(Self.withoutFinalBlanks) }
    try #require(outputs.count == steps.count, "\(file.lastPathComponent): the shell ended early")
    guard ProcessInfo.processInfo.environment["LMPIPE_RENEW_SESSIONS"] == nil else {
      var rest = outputs[...]
      let renewed = parts.flatMap { part in
        part.prose + part.steps.flatMap { step in (step.commandLines + (rest.popFirst() ?? [])).map(form.written) }
      }
      return try renewed.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    for (step, output) in zip(steps, outputs) {
      #expect(output == step.expected, "\(file.lastPathComponent): \(step.commandLines.joined(separator: "\n"))")
    }
  }

  static func withoutFinalBlanks(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// The syntax of sessions in a file.
  enum Form {
    case markdown, manualPage

    func begins(_ line: String) -> Bool { self == .markdown ? line == "```console" : line.hasPrefix(".Bd -literal") }
    func ends(_ line: String) -> Bool { line == (self == .markdown ? "```" : ".Ed") }
    func read(_ line: String) -> String { self == .markdown ? line : roffUnescaped(line) }
    func written(_ line: String) -> String {
      self == .markdown ? line : line.hasPrefix("$ ") ? "$ " + roffEscaped(line.dropFirst(2)) : roffEscaped(line)
    }
  }

  struct Step {
    var commandLines: [String]
    var expected: [String] = []
    var command: String { commandLines.map { $0.dropFirst(2) }.joined(separator: "\n") }
  }

  /// Lines of prose, and the session after them.
  struct Part {
    var prose: [String] = []
    var steps: [Step] = []
  }

  static func parts(of source: String, _ form: Form) -> [Part] {
    var parts = [Part()]
    var isSession = false
    for line in source.components(separatedBy: "\n") {
      let last = parts.count - 1
      let step = parts[last].steps.indices.last
      if isSession, form.ends(line) {
        isSession = false
        parts.append(Part(prose: [line]))
      } else if !isSession {
        parts[last].prose.append(line)
        isSession = form.begins(line)
      } else if line.hasPrefix("$ ") {
        parts[last].steps.append(Step(commandLines: [form.read(line)]))
      } else if let step {
        if line.hasPrefix("> "), parts[last].steps[step].expected.isEmpty {
          parts[last].steps[step].commandLines.append(form.read(line))
        } else {
          parts[last].steps[step].expected.append(form.read(line))
        }
      } else {
        parts[last].prose.append(line)  // a block without commands
      }
    }
    return parts
  }

  /// Runs the steps in one bash and returns the output lines of each.
  static func run(_ steps: [Step], in directory: URL) throws -> [[String]] {
    let marker = "=== end of step, status "
    let script = "exec 2>&1\n" + steps.map { "\($0.command)\nprintf '\(marker)%d\\n' $?" }.joined(separator: "\n")
    var rest = try Programs.shell(script, in: directory).text[...]
    var outputs: [[String]] = []
    while let found = rest.range(of: marker), let end = rest[found.upperBound...].firstIndex(of: "\n") {
      var lines = rest[..<found.lowerBound].components(separatedBy: "\n")
      if lines.last == "" { lines.removeLast() }
      let status = rest[found.upperBound..<end]
      if status != "0" { lines.append("[\(status)]") }
      outputs.append(lines)
      rest = rest[rest.index(after: end)...]
    }
    return outputs
  }
}
