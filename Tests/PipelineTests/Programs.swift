import Foundation
import Platform
import Testing

/// Runs the programs that were built together with these tests.
enum Programs {
  /// The root of the source tree.
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The folder of the built programs, which is the folder of the test bundle.
  static let folder: String = {
    #if canImport(Darwin)
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? Bundle.main
      return bundle.bundleURL.deletingLastPathComponent().path
    #else
      return URL(filePath: (executablePath() ?? "/").text).deletingLastPathComponent().path
    #endif
  }()

  /// True if the tools can run under ulimit(1). Sanitizer builds cannot.
  static let canLimitFiles = ProcessInfo.processInfo.environment["LMPIPE_SANITIZE"] == nil
  /// True if the tools report an allocation failure. On systems other than Linux, malloc is not wrapped, and the Swift
  /// runtime traps.
  static let canLimitMemory: Bool = {
    #if os(Linux)
      canLimitFiles
    #else
      false
    #endif
  }()
  static let limitRequirement: Comment = "NOT TESTED: limits on files and memory (needs programs without a sanitizer)"

  struct Result {
    let status: Int32
    let output: Data
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Makes a temporary folder, which the caller removes.
  static func newFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Runs a shell script with the built programs first in PATH, a UTF-8 locale, and the bundled model only.
  static func shell(
    _ script: String, input: Data? = nil, environment extra: [String: String] = [:], in directory: URL? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script]
    // Only these variables are inherited, so that the results do not depend on the user's terminal and settings.
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"].contains(name) || name.hasSuffix("SAN_OPTIONS")
    }
    environment["LC_ALL"] = "C.UTF-8"
    environment["SHELL"] = "/bin/bash"
    environment["TERM"] = "xterm"
    environment["HF_HUB_CACHE"] = "/nonexistent"
    environment["LM_NO_TOKENIZER_CACHE"] = "1"  // nothing in the user's folders, and the same result in every run
    environment["CHECKOUT"] = checkout.path
    environment["PATH"] = folder + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment.merge(extra) { $1 }
    process.environment = environment
    process.currentDirectoryURL = directory ?? checkout
    // Files instead of pipes: a pipe that is full while the test waits for the other pipe would cause a deadlock.
    let scratch = try newFolder()
    defer { try? FileManager.default.removeItem(at: scratch) }
    func file(_ name: String, _ data: Data = Data()) throws -> URL {
      let url = scratch.appending(path: name)
      try data.write(to: url)
      return url
    }
    process.standardInput = try FileHandle(forReadingFrom: file("input", input ?? Data()))
    let (output, errors) = (try file("output"), try file("errors"))
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Result(
      status: status, output: try Data(contentsOf: output),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}

/// A temporary folder that is removed when the object is deinitialized. A suite that stores it has one folder for each
/// test.
final class TemporaryFolder {
  let url: URL

  init() throws { url = try Programs.newFolder() }

  deinit { try? FileManager.default.removeItem(at: url) }
}
