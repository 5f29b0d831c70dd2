import Checkpoint
import Foundation
import Testing

@Suite struct SafeTensorsTests {
  private func open(_ header: String, _ data: [UInt8] = []) throws -> Checkpoint {
    let folder = try safetensors(header, data: data).write(to: Folder())
    return try folder.open()  // the mapping outlives the file
  }

  private func complaint(_ file: Data) throws -> String? { try file.write(to: Folder()).complaint() }

  @Test(arguments: [
    ("F32", 4), ("F16", 2), ("BF16", 2), ("F64", 8), ("I64", 8), ("I32", 4), ("U8", 1), ("BOOL", 1), ("F8_E4M3", 1),
  ])
  func tensorsAreWhatTheHeaderSays(_ type: String, _ size: Int) throws {
    let data = (0..<6 * size).map { UInt8($0) }
    let model = try open(#"{"a":{"dtype":"\#(type)","shape":[2,3],"data_offsets":[0,\#(6 * size)]}}"#, data)
    let tensor = try #require(model.find("a"))
    #expect(tensor.name == "a" && tensor.type.rawValue == type && tensor.shape == [2, 3] && tensor.count == 6)
    #expect(Array(tensor.bytes) == data)
  }

  @Test func scalarsEmptyTensorsAndEmptyFiles() throws {
    let model = try open(
      #"{"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[4,4]},"z":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#,
      [0, 0, 128, 63, 9])
    #expect(model.find("b")?.shape == [] && model.find("b")?.count == 1)
    #expect(model.find("e")?.shape == [0, 7] && model.find("e")?.count == 0)
    #expect(model.find("z").map { Array($0.bytes) } == [9])
    #expect(try open("{}").find("a") == nil)
  }

  @Test func headersMayHaveWhiteSpaceMetadataAndEscapes() throws {
    let model = try open(
      " \n {\"__metadata__\":{\"format\":\"pt\",\"x\":\"{}\"},\"w\\u0074e\": {\"data_offsets\":[1,3],\"shape\":[1],\"dtype\":\"F16\"},"
        + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}   ", [1, 2, 3])
    #expect(
      model.find("wte").map { Array($0.bytes) } == [2, 3], "unaligned, and listed before what lies in front of it")
    #expect(model.find("__metadata__") == nil)
  }

  /// As the safetensors library takes them.
  @Test func unknownMembersAndNoMetadata() throws {
    let model = try open(
      #"{"__metadata__":null,"a":{"dtype":"U8","stride":[1,{"b":null}],"shape":[1],"data_offsets":[0,1]}}"#, [7])
    #expect(model.find("a").map { Array($0.bytes) } == [7])
  }

  @Test func messagesQuoteTheBeginningOfLongNames() throws {
    let name = String(repeating: "n", count: 1_000_000)
    let complaint = try complaint(safetensors(#"{"\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#))
    let beginning = String(repeating: "n", count: 60)
    #expect(
      complaint == #"model.safetensors: "\#(beginning)… (1000000 bytes)" of shape [2] takes 8 bytes, but lies at 0…4"#)
  }

  private static let plain = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#

  @Test(arguments: [
    (Data(), "0 bytes are too few for a safetensors file: download it again"),
    (Data([1, 2, 3]), "3 bytes are too few for a safetensors file: download it again"),
    (
      safetensors("{}", headerLength: 100_000_001),
      "the header claims 100000001 bytes, and the format allows 100,000,000: not a safetensors file"
    ),
    (
      safetensors("{}", headerLength: .max),
      "the header claims 18446744073709551615 bytes, and the format allows 100,000,000: not a safetensors file"
    ),
    (safetensors("{}", headerLength: 2000), "10 bytes are there, and the header alone takes 2,008: download it again"),
    (
      safetensors(plain, data: [1, 2, 3]),
      "\(8 + plain.count + 3) of \(8 + plain.count + 8) bytes are there: download it again"
    ),
    (safetensors(plain), "\(8 + plain.count) of \(8 + plain.count + 8) bytes are there: download it again"),
    (
      safetensors(plain, data: [UInt8](repeating: 0, count: 9)),
      "\(8 + plain.count + 9) bytes are there, and the tensors take only \(8 + plain.count + 8): download it again"
    ),
    (safetensors("{}", data: [0]), "11 bytes are there, and the tensors take only 10: download it again"),
  ])
  func filesThatAreCutOrTooLong(_ file: Data, _ reason: String) throws {
    #expect(try complaint(file) == "model.safetensors: \(reason)")
  }

  @Test func aTruncatedCheckpointNamesBothSizesInGroups() throws {
    let header = #"{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}"#
    let reason = try complaint(safetensors(header, data: [UInt8](repeating: 0, count: 31_000)))
    #expect(reason == "model.safetensors: 31,074 of 4,000,074 bytes are there: download it again")
  }

  /// `a` and then `b`, 16 bytes of data in all.
  private static func two(_ a: String, _ b: String) -> String { "{\"a\":{\(a)},\"b\":{\(b)}}" }
  private static let first = #""dtype":"F32","shape":[2],"data_offsets":[0,8]"#
  private static let one = #""dtype":"F32","shape":[2],"data_offsets":"#

  @Test(arguments: [
    (two(first, one + "[12,20]"), #""b" lies at 12…20, but byte 8 is next: overlap, hole or damage"#),
    (two(first, one + "[4,12]"), #""b" lies at 4…12, but byte 8 is next: overlap, hole or damage"#),
    (two(first, one + "[0,8]"), #" lies at 0…8, but byte 8 is next: overlap, hole or damage"#),
    (two(one + "[8,16]", one + "[16,24]"), #""a" lies at 8…16, but byte 0 is next: overlap, hole or damage"#),
    (two(first, one + "[8,4]"), #""b" lies at 8…4, but byte 8 is next: overlap, hole or damage"#),
    (
      two(first, #""dtype":"F32","shape":[3],"data_offsets":[8,16]"#),
      #""b" of shape [3] takes 12 bytes, but lies at 8…16"#
    ),
    (
      two(first, #""dtype":"F16","shape":[2],"data_offsets":[8,16]"#),
      #""b" of shape [2] takes 4 bytes, but lies at 8…16"#
    ),
    (
      two(first, #""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[8,16]"#),
      #""b" has a shape too large for any memory: [4294967296, 4294967296]"#
    ),
    (
      two(first, #""dtype":"F32","shape":[9223372036854775807],"data_offsets":[8,16]"#),
      #""b" has a shape too large for any memory: [9223372036854775807]"#
    ),
    (two(first, #""dtype":"F32","shape":[-2],"data_offsets":[8,16]"#), "-2 is negative"),
    (two(first, one + "[-8,0]"), "-8 is negative"),
    (two(first, one + "[8]"), "data_offsets must be two numbers"),
    (two(first, one + "[8,12,16]"), "there are more than 2 numbers here"),
    (two(first, one + "[8,99999999999999999999]"), "99999999999999999999 is too large"),
    (
      two(first, #""dtype":"F33","shape":[2],"data_offsets":[8,16]"#),
      #""b" has elements of type F33, which is not known here"#
    ),
    (two(first, #""shape":[2],"data_offsets":[8,16]"#), #""b" lacks dtype, shape or data_offsets"#),
    (two(first, #""dtype":"F32","data_offsets":[8,12]"#), #""b" lacks dtype, shape or data_offsets"#),
    (two(first, #""dtype":"F32","shape":[2]"#), #""b" lacks dtype, shape or data_offsets"#),
    (two(first, one + #"[8,16],"shape":[2]"#), #"there is a second "shape""#),
    (#"{"__metadata__":{},"__metadata__":{}}"#, #"there is a second "__metadata__""#),
    (
      two(first, #""dtype":"U8","shape":[\#(String(repeating: "1,", count: 64))1],"data_offsets":[8,9]"#),
      "more than 64"
    ),
    ("{\"a\":{\(first)},\"a\":{\(one)[8,16]}}", #"there is a second tensor "a""#),
    ("{\"a\":{\(first)},\"\\u0061\":{\(one)[8,16]}}", #"there is a second tensor "a""#),
    (two(first, #""dtype":4,"shape":[2],"data_offsets":[8,16]"#), "expected a string"),
    (two(first, #""dtype":"F32","shape":2,"data_offsets":[8,16]"#), "expected an array"),
    (two(first, #""dtype":"F32","shape":[2.0],"data_offsets":[8,16]"#), "2.0 is not an integer"),
    (#"{"__metadata__":{"n":1}}"#, "expected a string"), (#"{"a":1}"#, "expected an object"),
    ("[]", "expected an object"), ("{", "the end of the text"), ("{}x", "unexpected text"),
    ("garbage!", "expected an object"), ("", "the end of the text"),
  ])
  func headersThatContradictThemselves(_ header: String, _ reason: String) throws {
    let complaint = try #require(try complaint(safetensors(header, data: [UInt8](repeating: 0, count: 16))))
    #expect(complaint.hasPrefix("model.safetensors: ") && complaint.contains(reason), "\(complaint)")
  }

  @Test func offsetsBeyondAllNumbersAreNotAdded() throws {
    let header = #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#
    #expect(try complaint(safetensors(header, data: [1]))?.hasSuffix("bytes are there: download it again") == true)
  }
}
