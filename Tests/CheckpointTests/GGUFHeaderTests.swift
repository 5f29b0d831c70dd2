import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct GGUFHeaderTests {
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
      builder.change("blk.1.ffn_up.weight") { ($0.type, $0.dimensions, $0.size) = (15, [256, 8], 2336) }
    }
    let marked = try ModelFiles(ggufFile: "m.gguf", beginning: Array(other.data), size: other.data.count)
    #expect(try marked?.unsupportedTypes() == ["Q8_K"])
    #expect(throws: CheckpointError.self) {
      try ModelFiles(ggufFile: "m.gguf", beginning: Array("GGUX and no more".utf8), size: 16)
    }
  }
}
