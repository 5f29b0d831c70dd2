import Checkpoint
import Foundation
import TestSupport
import Testing

/// Tensors of types that are unknown or not implemented.
@Suite struct OtherTypesTests {
  @Test(arguments: ["F4", "F8_E8M0", "F6_E2M3", "C64", "U4", "F33", "Q4_0", ""])
  func readsOtherTypesOfSafetensors(_ type: String) throws {
    let header =
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[5,6]},"#
      + #""b":{"dtype":"\#(type)","shape":[3,3],"data_offsets":[0,5]},"#
      + #""c":{"dtype":"\#(type)","shape":[],"data_offsets":[6,6]}}"#
    let checkpoint = try safetensors(header, data: [1, 2, 3, 4, 5, 6]).write(to: Folder()).open()
    let tensor = try #require(checkpoint.tensors["b"])
    #expect(tensor.type == .other && tensor.typeName == type && tensor.shape == [3, 3])
    #expect(Array(tensor.bytes) == [1, 2, 3, 4, 5])
    #expect(checkpoint.tensors["a"]?.type == .uint8 && checkpoint.tensors["a"]?.typeName == "U8")
    #expect(checkpoint.tensors["a"].map { Array($0.bytes) } == [6])
    #expect(checkpoint.tensors["c"]?.bytes.count == 0)
  }

  /// The offsets of these tensors are checked as those of all others.
  @Test(arguments: [
    ("[0,6]", #""b" has data_offsets [5, 8], but should start at 6: overlap, gap or damage"#),
    ("[1,5]", #""a" has data_offsets [1, 5], but should start at 0: overlap, gap or damage"#),
    ("[0,5]", "truncated: 119 of 121 bytes; download it again"),
    ("[0,-1]", "-1 is negative"),
  ])
  func checksOffsetsOfOtherTypes(_ offsets: String, _ reason: String) throws {
    let header =
      #"{"a":{"dtype":"F4","shape":[8],"data_offsets":\#(offsets)},"#
      + #""b":{"dtype":"U4","shape":[4],"data_offsets":[5,8]}}"#
    let message = try safetensors(header, data: [1, 2, 3, 4, 5, 6]).write(to: Folder()).errorMessage()
    #expect(message?.hasPrefix("model.safetensors: ") == true)
    #expect(message?.hasSuffix(reason) == true, "\(message ?? "opened")")
  }

  @Test func rejectsOverflowingShapeOfOtherType() throws {
    let header = #"{"a":{"dtype":"F4","shape":[4294967296,4294967296],"data_offsets":[0,1]}}"#
    #expect(
      try safetensors(header, data: [1]).write(to: Folder()).errorMessage()
        == #"model.safetensors: "a" has shape [4294967296, 4294967296], which is too large"#)
  }

  /// The number, name, block length and block size of the types of ggml that are not implemented, from
  /// `GGML_QUANT_SIZES` in gguf-py.
  private static let types: [(number: UInt32, name: String, length: UInt64, size: Int)] = [
    (9, "Q8_1", 32, 36), (15, "Q8_K", 256, 292), (40, "NVFP4", 64, 36), (41, "Q1_0", 128, 18), (42, "Q2_0", 64, 18),
  ]

  /// A file whose first tensor, `x`, has three rows of two blocks.
  private func file(_ type: UInt32, rowLength: UInt64, size: Int) -> GGUFBuilder {
    GGUFBuilder.gpt2.with {
      $0.tensors.insert(.init(name: "x", dimensions: [rowLength, 3], type: type, size: size), at: 0)
    }
  }

  @Test(arguments: types.indices) func readsOtherTypesOfGGUF(_ index: Int) throws {
    let (number, name, length, size) = Self.types[index]
    let checkpoint = try Checkpoint(Folder().files(file(number, rowLength: 2 * length, size: 6 * size).data))
    let tensor = try #require(checkpoint.tensors["x"])
    #expect(tensor.type == .other && tensor.typeName == name && tensor.shape == [3, 2 * Int(length)])
    #expect(tensor.bytes.elementsEqual((0..<6 * size).map { UInt8($0 & 127) }))
    #expect(checkpoint.tensors.count == GGUFBuilder.gpt2.tensors.count + 1)
    // The size is checked: 32 bytes more are a gap, 32 bytes less an overlap.
    for change in [32, -32] {
      let message = try file(number, rowLength: 2 * length, size: 6 * size + change).errorMessage()
      #expect(message?.hasSuffix("overlap, gap or damage") == true, "\(message ?? "opened")")
    }
    #expect(
      try file(number, rowLength: length + 1, size: 6 * size).errorMessage()
        == "\"x\" has rows of \(length + 1) elements, which is not a multiple of the \(name) block size, \(length)")
  }

  /// A tensor of an unknown type ends at the offset of the next tensor.
  @Test(arguments: [31, 36, 4711, .max] as [UInt32], [0, 32, 4096]) func readsUnknownTypes(_ type: UInt32, _ size: Int)
    throws
  {
    let checkpoint = try Checkpoint(Folder().files(file(type, rowLength: 7, size: size).data))
    let tensor = try #require(checkpoint.tensors["x"])
    #expect(tensor.type == .other && tensor.typeName == "number \(type)" && tensor.shape == [3, 7])
    #expect(tensor.bytes.elementsEqual((0..<size).map { UInt8($0 & 127) }))
    #expect(checkpoint.tensors["token_embd.weight"]?.bytes.count == 128)
  }

  /// The last tensor ends at the end of the file.
  @Test func readsUnknownTypeOfLastTensor() throws {
    let file = GGUFBuilder.gpt2.with {
      $0.tensors.append(.init(name: "x", dimensions: [7], type: 99, size: 64))
    }
    let whole = file.data
    #expect(try Checkpoint(Folder().files(whole)).tensors["x"]?.bytes.count == 64)
    #expect(try Checkpoint(Folder().files(whole.dropLast(40))).tensors["x"]?.bytes.count == 24)
    #expect(try GGUFBuilder.errorMessage(whole.dropLast(64 + 17))?.hasPrefix("truncated: ") == true)
  }

  @Test(arguments: [0, 8, 31, 33, 1 << 62, 1 << 63, .max] as [UInt64])
  func rejectsInvalidOffsetAfterUnknownType(_ offset: UInt64) throws {
    let message = try file(99, rowLength: 7, size: 64).with {
      $0.tensors[0].dimensions = [UInt64(Int64.max), UInt64(Int64.max)]
      $0.tensors[1].offset = offset
    }.errorMessage()
    // An offset of 0 is that of a tensor without data.
    let after = offset == 0 ? #""position_embd.weight""# : #""token_embd.weight""#
    #expect(message?.hasPrefix(after + " has offset ") == true, "\(message ?? "opened")")
  }
}
