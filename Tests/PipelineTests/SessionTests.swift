import Foundation
import Testing

/// Shell sessions in Markdown that are run and compared: the README's, so that it cannot lie, and those in Sessions/,
/// which are the black-box tests that anybody can read and add to.
///
/// In a block that begins with ```console, a line `$ …` is a command (`> …` continues it), and what follows is what it
/// prints on standard output and standard error; `[65]` at the end says that it ends with this status. A file's
/// commands run in one bash, in a new empty folder. `LMPIPE_RENEW_SESSIONS=1` writes what was printed into the files.
@Suite struct Sessions {
  static let files: [URL] = {
    let folder = Programs.checkout.appending(path: "Tests/PipelineTests/Sessions")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return [Programs.checkout.appending(path: "README.md")]
      + names.filter { $0.hasSuffix(".md") }.sorted().map { folder.appending(path: $0) }
  }()

  @Test(arguments: files)
  func everySessionPrintsWhatItSays(_ file: URL) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "lmpipe-session-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let parts = Self.parts(of: try String(contentsOf: file, encoding: .utf8))
    let steps = parts.flatMap(\.steps)
    #expect(!steps.isEmpty, "\(file.lastPathComponent) holds no session")
    let outputs = try Self.run(steps, in: directory)
    try #require(outputs.count == steps.count, "\(file.lastPathComponent): the shell ended early")
    guard ProcessInfo.processInfo.environment["LMPIPE_RENEW_SESSIONS"] == nil else {
      var rest = outputs[...]
      let renewed = parts.flatMap { part in
        part.prose + part.steps.flatMap { step in step.commandLines + (rest.popFirst() ?? []) }
      }
      return try renewed.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    for (step, output) in zip(steps, outputs) {
      #expect(output == step.expected, "\(file.lastPathComponent): \(step.commandLines.joined(separator: "\n"))")
    }
  }

  struct Step {
    var commandLines: [String]
    var expected: [String] = []
    var command: String { commandLines.map { $0.dropFirst(2) }.joined(separator: "\n") }
  }

  /// Some lines of prose, and the session that follows them.
  struct Part {
    var prose: [String] = []
    var steps: [Step] = []
  }

  static func parts(of source: String) -> [Part] {
    var parts = [Part()]
    var isSession = false
    for line in source.components(separatedBy: "\n") {
      let last = parts.count - 1
      if isSession, line == "```" {
        isSession = false
        parts.append(Part(prose: [line]))
      } else if !isSession {
        parts[last].prose.append(line)
        isSession = line == "```console"
      } else if line.hasPrefix("$ ") {
        parts[last].steps.append(Step(commandLines: [line]))
      } else if let step = parts[last].steps.indices.last {
        if line.hasPrefix("> "), parts[last].steps[step].expected.isEmpty {
          parts[last].steps[step].commandLines.append(line)
        } else {
          parts[last].steps[step].expected.append(line)
        }
      }
    }
    return parts
  }

  /// Runs the steps in one bash and returns the lines that each printed.
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
