import Foundation
import Testing

/// Regression tests for the findings of the whole-tool fuzzer (Scripts/fuzz/README.md). Each folder of
/// Scripts/fuzz/whole/findings has input files and a file `case` with commands that run on them.
@Suite struct WholeToolFindingsTests {
  static let folders: [URL] = {
    let folder = Programs.checkout.appending(path: "Scripts/fuzz/whole/findings")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { folder.appending(path: $0) }
  }()

  /// The contents of a file `case`.
  struct Case {
    var commands: [String] = []
    /// The allowed exit statuses.
    var statuses: [Int32] = [0, 64, 65, 66, 69, 71, 74]
    /// True if all commands must print the same.
    var isSame = false

    init(_ text: String) throws {
      for line in text.split(separator: "\n") where !line.hasPrefix("# ") {
        if line.hasPrefix("$ ") {
          commands.append(String(line.dropFirst(2)))
        } else if line.hasPrefix("status: ") {
          statuses = line.dropFirst(8).split(separator: " ").compactMap { Int32($0) }
        } else {
          try #require(line == "same: yes", "\(line)")
          isSame = true
        }
      }
      try #require(!commands.isEmpty)
    }
  }

  @Test(arguments: folders) func findingsStayFixed(_ folder: URL) throws {
    let scratch = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: scratch) }
    let copy = scratch.appending(path: folder.lastPathComponent)
    try FileManager.default.copyItem(at: folder, to: copy)
    let stored = try Case(try String(contentsOf: folder.appending(path: "case"), encoding: .utf8))
    var first: Programs.Result?
    for command in stored.commands {
      let result = try Programs.shell("set -o pipefail; { \(command)\n}", in: copy)
      #expect(stored.statuses.contains(result.status), "\(command): \(result.errors.prefix(300))")
      #expect(result.status == 0 || !result.errors.isEmpty, "\(command): no message")
      for line in result.errors.split(separator: "\n") {
        #expect(line.utf8.count <= 4096, "\(command): a message of \(line.utf8.count) bytes")
        let hasControls = line.unicodeScalars.contains { $0.properties.generalCategory == .control }
        #expect(!hasControls, "\(command): control bytes")
      }
      guard stored.isSame else { continue }
      if let first {
        #expect(result.status == first.status && result.output == first.output, "\(command)")
      }
      first = first ?? result
    }
  }
}
