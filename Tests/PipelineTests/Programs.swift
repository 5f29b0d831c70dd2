import Foundation
import Platform
import Testing

/// The checkout, and the programs that were built with these tests.
enum Programs {
  static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The folder of the built programs: the tests' own.
  static let folder: String = {
    #if canImport(Darwin)
      let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? Bundle.main
      return bundle.bundleURL.deletingLastPathComponent().path
    #else
      return URL(filePath: (executablePath() ?? "/").text).deletingLastPathComponent().path
    #endif
  }()

  /// Whether the tools bear limits on files. (A sanitizer's programs break when they are told of one.)
  static let bearLimits = ProcessInfo.processInfo.environment["LMPIPE_SANITIZE"] == nil
  /// Whether they bear limits on memory too: elsewhere than on Linux they are linked with the system's libraries, and
  /// memory that is refused ends them by a trap.
  static let bearLimitsOnMemory: Bool = {
    #if os(Linux)
      bearLimits
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

  /// A folder for what a test writes.
  static func newFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Runs a shell script with the built programs first in its path, a UTF-8 locale, and no model but the toolset's.
  static func shell(
    _ script: String, input: Data? = nil, environment extra: [String: String] = [:], in directory: URL? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script]
    // Of what surrounds the tests only this, so that they find the same world in every terminal and under a service.
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"].contains(name) || name.hasSuffix("SAN_OPTIONS")
    }
    environment["LC_ALL"] = "C.UTF-8"
    environment["SHELL"] = "/bin/bash"
    environment["TERM"] = "xterm"
    environment["HF_HUB_CACHE"] = "/nonexistent"
    environment["CHECKOUT"] = checkout.path
    environment["PATH"] = folder + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment.merge(extra) { $1 }
    process.environment = environment
    process.currentDirectoryURL = directory ?? checkout
    // Files rather than pipes: neither side can fill up while the other is waited for.
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
