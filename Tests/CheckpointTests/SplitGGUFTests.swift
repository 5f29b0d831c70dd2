import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

/// GGUF models in several files, as `llama-gguf-split` writes them.
@Suite struct SplitGGUFTests {
  private let folder: Folder
  private static let names = ["m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"]

  init() throws { folder = try Folder() }

  /// Writes a model in three files.
  private func write(_ change: (Int, inout GGUFBuilder) -> Void = { _, _ in }) throws {
    let whole = GGUFBuilder.llama()
    for number in 0..<3 {
      var part = number == 0 ? whole : GGUFBuilder()
      part.tensors = whole.tensors.enumerated().filter { $0.offset % 3 == number }.map(\.element)
      part["split.no"] = .uint32(UInt32(number))
      part["split.count"] = .uint32(3)
      part["split.tensors.count"] = .int32(Int32(whole.tensors.count))
      change(number, &part)
      try folder.write(Self.names[number], part.data)
    }
  }

  private func open(_ name: String = Self.names[0]) throws -> Checkpoint {
    try Checkpoint(.find(Path(folder.path + "/" + name)))
  }

  private func message(_ name: String = Self.names[0]) throws -> String {
    do { _ = try open(name) } catch { return folder.message(error) }
    return ""
  }

  @Test func readsTheTensorsOfAllParts() throws {
    try write()
    let checkpoint = try open()
    #expect(checkpoint.files.map(\.lastComponent) == Self.names.map { Path($0) })
    let location = try ModelLocation.find(Path(folder.path))
    #expect(location.path.lastComponent == Path(Self.names[0]))
    let sizes = Self.names.map { try? Data(contentsOf: URL(filePath: folder.path + "/" + $0)).count }
    #expect(checkpoint.byteCount == sizes.reduce(0) { $0 + ($1 ?? 0) })
    try folder.write("whole.gguf", GGUFBuilder.llama().data)
    #expect(try open("whole.gguf").files.count == 1)
  }

  @Test func rejectsIncompleteModels() throws {
    try write()
    #expect(
      try message(Self.names[1]).hasSuffix("this is part 2 of 3 of a model; name the first part, \(Self.names[0])"))
    try FileManager.default.moveItem(
      atPath: folder.path + "/" + Self.names[2], toPath: folder.path + "/elsewhere.gguf")
    #expect(try message().hasSuffix("this is the first of 3 parts of a model, and \(Self.names[2]) is missing"))
    try FileManager.default.moveItem(atPath: folder.path + "/" + Self.names[0], toPath: folder.path + "/renamed.gguf")
    #expect(try message("renamed.gguf").contains("its name does not end with -00001-of-00003.gguf"))
  }

  @Test func rejectsWrongParts() throws {
    try write { number, part in if number == 2 { part["split.no"] = .uint32(1) } }
    #expect(try message().hasPrefix("\(Self.names[2]): not part 3 of 3 of "))
    try write { number, part in if number == 1 { part["split.count"] = nil } }
    #expect(try message().hasPrefix("\(Self.names[1]): not part 2 of 3 of "))
    try write { number, part in if number == 2 { part.tensors.removeLast() } }
    #expect(try message().contains("tensors, but the first states "))
    try write { number, part in if number == 2 { part.tensors = GGUFBuilder.llama().tensors } }
    #expect(try message().contains("duplicate tensor"))
    try write { _, part in part["split.count"] = .uint32(2_000_000_000) }
    #expect(try message().contains("its name does not end with"))
  }

  /// A model of which only the beginning of the file is known.
  @Test func describesAModelByItsHeader() throws {
    let data = GGUFBuilder.llama().data
    let bytes = Array(data)
    #expect(ModelFiles.architecture(ofGGUFBeginning: Array(bytes.prefix(100))) == "llama")
    #expect(ModelFiles.architecture(ofGGUFBeginning: Array(bytes.prefix(40))) == nil)
    #expect(try ModelFiles(ggufFile: "m.gguf", beginning: Array(bytes.prefix(400)), size: bytes.count) == nil)
    let header = bytes.count - GGUFBuilder.llama().tensors.reduce(0) { $0 + $1.dimensions.reduce(4) { $0 * Int($1) } }
    let files = try #require(
      try ModelFiles(ggufFile: "m.gguf", beginning: Array(bytes.prefix(header)), size: bytes.count))
    #expect(try files.unsupportedTypes() == [])
    let other = GGUFBuilder.llama().with { builder in
      builder.change("blk.1.ffn_up.weight") { ($0.type, $0.dimensions, $0.size) = (11, [256, 8], 880) }
    }
    let marked = try ModelFiles(ggufFile: "m.gguf", beginning: Array(other.data), size: other.data.count)
    #expect(try marked?.unsupportedTypes() == ["Q3_K"])
    #expect(throws: CheckpointError.self) {
      try ModelFiles(ggufFile: "m.gguf", beginning: Array("GGUX and no more".utf8), size: 16)
    }
  }
}
