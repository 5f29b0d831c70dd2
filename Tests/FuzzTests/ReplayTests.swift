import Foundation
import FuzzTargets
import Testing

/// Replays the seeds of the fuzzer and all inputs with which it has found errors; see Scripts/fuzz/README.md.
@Suite struct ReplayTests {
  static let inputs: [URL] = ["Seeds", "Findings"].flatMap { kind in
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Scripts/fuzz/\(kind)")
      .standardized
    return FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
      .filter { !$0.hasDirectoryPath }.sorted { $0.path < $1.path } ?? []
  }

  @Test(arguments: FuzzTarget.all)
  func replayFindsNoErrors(_ target: FuzzTarget) throws {
    let inputs = Self.inputs.filter { $0.deletingLastPathComponent().lastPathComponent == target.name }
    #expect(!inputs.isEmpty, "\(target.name) has no seeds")
    for input in inputs {
      let bytes = Array(try Data(contentsOf: input))
      #expect(throws: Never.self, "\(input.path)") { try bytes.withUnsafeBufferPointer { try target.run($0) } }
    }
  }

  @Test func everyInputHasATarget() {
    let names = Set(FuzzTarget.all.map(\.name))
    for input in Self.inputs {
      #expect(names.contains(input.deletingLastPathComponent().lastPathComponent), "\(input.path)")
    }
  }
}
