import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct SafeTensorsTests {
  private func open(_ header: String, _ data: [UInt8] = []) throws -> Checkpoint {
    let folder = try safetensors(header, data: data).write(to: Folder())
    return try folder.open()  // the mapping stays valid after the file is removed
  }

  private func errorMessage(_ file: Data) throws -> String? { try file.write(to: Folder()).errorMessage() }

  @Test(arguments: [
    ("F32", 4), ("F16", 2), ("BF16", 2), ("F64", 8), ("I64", 8), ("I32", 4), ("U8", 1), ("BOOL", 1), ("F8_E4M3", 1),
  ])
  func readsTensors(_ type: String, _ size: Int) throws {
    let data = (0..<6 * size).map { UInt8($0) }
    let model = try open(#"{"a":{"dtype":"\#(type)","shape":[2,3],"data_offsets":[0,\#(6 * size)]}}"#, data)
    let tensor = try #require(model.tensors["a"])
    #expect(tensor.name == "a" && tensor.type.rawValue == type && tensor.shape == [2, 3] && tensor.count == 6)
    #expect(Array(tensor.bytes) == data)
  }

  @Test func readsScalarsAndEmptyTensors() throws {
    let model = try open(
      #"{"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"z":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#,
      [0, 0, 128, 63, 9])
    #expect(model.tensors["b"]?.shape == [] && model.tensors["b"]?.count == 1)
    #expect(model.tensors["e"]?.shape == [0, 7] && model.tensors["e"]?.count == 0)
    #expect(model.tensors["z"].map { Array($0.bytes) } == [9])
    #expect(try open("{}").tensors["a"] == nil)
  }

  @Test func acceptsWhiteSpaceMetadataAndEscapes() throws {
    let model = try open(
      " \n {\"__metadata__\":{\"format\":\"pt\",\"x\":\"{}\"},\"w\\u0074e\": {\"data_offsets\":[1,3],\"shape\":[1],\"dtype\":\"F16\"},"
        + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}   ", [1, 2, 3])
    #expect(
      model.tensors["wte"].map { Array($0.bytes) } == [2, 3], "unaligned, and listed before the tensor that precedes it"
    )
    #expect(model.tensors["__metadata__"] == nil)
  }

  /// The safetensors library accepts these headers as well.
  @Test func acceptsUnknownMembersAndNullMetadata() throws {
    let model = try open(
      #"{"__metadata__":null,"a":{"dtype":"U8","stride":[1,{"b":null}],"shape":[1],"data_offsets":[0,1]}}"#, [7])
    #expect(model.tensors["a"].map { Array($0.bytes) } == [7])
  }

  @Test func messagesTruncateLongNames() throws {
    let name = String(repeating: "n", count: 1_000_000)
    let errorMessage = try errorMessage(safetensors(#"{"\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#))
    let beginning = String(repeating: "n", count: 60)
    #expect(
      errorMessage
        == #"model.safetensors: "\#(beginning)… (1000000 bytes)" has shape [2], which needs 8 bytes, but has data_offsets [0, 4]"#
    )
  }

  private static let plain = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  @Test(arguments: [
    (Data(), "truncated: 0 bytes, but the header length alone has 8; download it again"),
    (Data([1, 2, 3]), "truncated: 3 bytes, but the header length alone has 8; download it again"),
    (
      safetensors("{}", headerLength: 100_000_001),
      "not a safetensors file: the header length is 100000001, but the format allows at most 100,000,000"
    ),
    (
      safetensors("{}", headerLength: .max),
      "not a safetensors file: the header length is 18446744073709551615, but the format allows at most 100,000,000"
    ),
    (safetensors("{}", headerLength: 2000), "truncated: 10 bytes, but the header needs 2,008; download it again"),
    (
      safetensors(plain, data: [1, 2, 3]),
      "truncated: \(8 + plain.count + 3) of \(8 + plain.count + 8) bytes; download it again"
    ),
    (safetensors(plain), "truncated: \(8 + plain.count) of \(8 + plain.count + 8) bytes; download it again"),
    (
      safetensors(plain, data: [UInt8](repeating: 0, count: 9)),
      "damaged: \(8 + plain.count + 9) bytes, but the tensors end at byte \(8 + plain.count + 8); download it again"
    ),
    (safetensors("{}", data: [0]), "damaged: 11 bytes, but the tensors end at byte 10; download it again"),
  ])
  func rejectsFilesOfWrongSize(_ file: Data, _ reason: String) throws {
    #expect(try errorMessage(file) == "model.safetensors: \(reason)")
  }

  @Test func reportsBothSizesOfATruncatedFile() throws {
    let header = #"{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}"#
    let reason = try errorMessage(safetensors(header, data: [UInt8](repeating: 0, count: 31_000)))
    #expect(reason == "model.safetensors: truncated: 31,074 of 4,000,074 bytes; download it again")
  }

  /// Returns a header with the tensors `a` and `b`, which have 16 bytes of data together.
  private static func two(_ a: String, _ b: String) -> String { "{\"a\":{\(a)},\"b\":{\(b)}}" }
  private static let first = #""dtype":"F32","shape":[2],"data_offsets":[0,8]"#
  private static let one = #""dtype":"F32","shape":[2],"data_offsets":"#

  @Test(arguments: [
    (two(first, one + "[12,20]"), #""b" has data_offsets [12, 20], but should start at 8: overlap, gap or damage"#),
    (two(first, one + "[4,12]"), #""b" has data_offsets [4, 12], but should start at 8: overlap, gap or damage"#),
    (two(first, one + "[0,8]"), #" has data_offsets [0, 8], but should start at 8: overlap, gap or damage"#),
    (
      two(one + "[8,16]", one + "[16,24]"),
      #""a" has data_offsets [8, 16], but should start at 0: overlap, gap or damage"#
    ),
    (two(first, one + "[8,4]"), #""b" has data_offsets [8, 4], but should start at 8: overlap, gap or damage"#),
    (
      two(first, #""dtype":"F32","shape":[3],"data_offsets":[8,16]"#),
      #""b" has shape [3], which needs 12 bytes, but has data_offsets [8, 16]"#
    ),
    (
      two(first, #""dtype":"F16","shape":[2],"data_offsets":[8,16]"#),
      #""b" has shape [2], which needs 4 bytes, but has data_offsets [8, 16]"#
    ),
    (
      two(first, #""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[8,16]"#),
      #""b" has shape [4294967296, 4294967296], which is too large"#
    ),
    (
      two(first, #""dtype":"F32","shape":[9223372036854775807],"data_offsets":[8,16]"#),
      #""b" has shape [9223372036854775807], which is too large"#
    ),
    (two(first, #""dtype":"F32","shape":[-2],"data_offsets":[8,16]"#), "-2 is negative"),
    (two(first, one + "[-8,0]"), "-8 is negative"),
    (two(first, one + "[8]"), "data_offsets must be two numbers"),
    (two(first, one + "[8,12,16]"), "more than 2 numbers in this array"),
    (two(first, one + "[8,99999999999999999999]"), "99999999999999999999 is too large"),
    (two(first, #""shape":[2],"data_offsets":[8,16]"#), #""b" has no dtype, shape or data_offsets"#),
    (two(first, #""dtype":"F32","data_offsets":[8,12]"#), #""b" has no dtype, shape or data_offsets"#),
    (two(first, #""dtype":"F32","shape":[2]"#), #""b" has no dtype, shape or data_offsets"#),
    (two(first, one + #"[8,16],"shape":[2]"#), #"duplicate "shape""#),
    (#"{"__metadata__":{},"__metadata__":{}}"#, #"duplicate "__metadata__""#),
    (
      two(first, #""dtype":"U8","shape":[\#(String(repeating: "1,", count: 64))1],"data_offsets":[8,9]"#),
      "more than 64"
    ),
    ("{\"a\":{\(first)},\"a\":{\(one)[8,16]}}", #"duplicate tensor "a""#),
    ("{\"a\":{\(first)},\"\\u0061\":{\(one)[8,16]}}", #"duplicate tensor "a""#),
    (two(first, #""dtype":4,"shape":[2],"data_offsets":[8,16]"#), "expected a string"),
    (two(first, #""dtype":"F32","shape":2,"data_offsets":[8,16]"#), "expected an array"),
    (two(first, #""dtype":"F32","shape":[2.0],"data_offsets":[8,16]"#), "2.0 is not an integer"),
    (#"{"__metadata__":{"n":1}}"#, "expected a string"), (#"{"a":1}"#, "expected an object"),
    ("[]", "expected an object"), ("{", "the end of the text"), ("{}x", "unexpected text"),
    ("garbage!", "expected an object"), ("", "the end of the text"),
  ])
  func rejectsInconsistentHeaders(_ header: String, _ reason: String) throws {
    let errorMessage = try #require(try errorMessage(safetensors(header, data: [UInt8](repeating: 0, count: 16))))
    #expect(errorMessage.hasPrefix("model.safetensors: ") && errorMessage.contains(reason), "\(errorMessage)")
  }

  @Test func rejectsOverflowingOffsets() throws {
    let header = #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#
    #expect(try errorMessage(safetensors(header, data: [1]))?.hasSuffix("bytes; download it again") == true)
  }
}
