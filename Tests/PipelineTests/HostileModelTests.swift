import Foundation
import Testing

/// Files that claim much: the tools refuse them in no more memory than the file and 50 MB, and at once. (What the
/// messages say is tested in CheckpointTests.)
@Suite(.enabled(if: Programs.bearLimitsOnMemory, Programs.limitRequirement))
struct HostileModelTests {
  private static func bytes(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }

  private static func string(_ text: String) -> Data { bytes(UInt64(text.utf8.count)) + Data(text.utf8) }

  /// The beginning of a GGUF file, and the first of its values.
  private static func gguf(tensors: Int, values: Int) -> Data {
    Data("GGUF".utf8) + bytes(UInt32(3)) + bytes(UInt64(tensors)) + bytes(UInt64(values + 1))
      + string("general.architecture") + bytes(UInt32(8)) + string("llama")
  }

  private static func array(_ key: String, _ kind: UInt32, _ count: Int, of size: Int) -> Data {
    string(key) + bytes(UInt32(9)) + bytes(kind) + bytes(UInt64(count)) + Data(count: count * size)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let file: @Sendable () -> Data
  }

  private static let cases = [
    Case(testDescription: "as many long keys as may be") {
      let key = String(repeating: "k", count: 1016)
      return (0..<4095).reduce(into: gguf(tensors: 0, values: 4095)) { file, index in
        file += string(key + String(10_000_000 + index)) + bytes(UInt32(0)) + Data([1])
      }
    },
    Case(testDescription: "as many tensors as may be") {
      (0..<16384).reduce(into: gguf(tensors: 16384, values: 0)) { file, index in
        file += string("blk.\(index).attn_q.weight") + bytes(UInt32(4))
        for length in [8, 1, 1, 1] { file += bytes(UInt64(length)) }
        file += bytes(UInt32(0)) + bytes(UInt64(32 * index))
      } + Data(count: 32 * 16385)
    },
    Case(testDescription: "half a million empty tokens and as many merges") {
      gguf(tensors: 0, values: 2) + array("tokenizer.ggml.tokens", 8, 1 << 19, of: 8)
        + array("tokenizer.ggml.merges", 8, 1 << 19, of: 8)
    },
    Case(testDescription: "a number of heads for each of a million layers") {
      gguf(tensors: 0, values: 1) + array("llama.attention.head_count_kv", 4, 1 << 20, of: 4)
    },
    Case(testDescription: "a name of 40 MB") {
      Data("GGUF".utf8) + bytes(UInt32(3)) + bytes(UInt64(0)) + bytes(UInt64(1)) + string("general.architecture")
        + bytes(UInt32(8)) + bytes(UInt64(40 << 20)) + Data(repeating: 0x61, count: 40 << 20)
    },
  ]

  @Test(arguments: cases) func memoryIsThatOfTheFileAndLittleMore(_ hostile: Case) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString).gguf")
    let file = hostile.file()
    try file.write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    let limit = (file.count + 50 << 20) / 1024  // of all addresses: stricter than of memory
    for tool in ["lm-info", "lm-logits", "lm-step"] {
      let result = try Programs.shell("ulimit -v \(limit); \(tool) -m \(path.path)", input: Data("[1]\n".utf8))
      #expect(result.status == 65 && result.errors.hasPrefix("\(tool): \(path.path): "), "\(result.errors)")
    }
  }

  // MARK: folders and records

  struct FolderCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    fileprivate let name: String
    fileprivate let tool: String
    fileprivate let file: @Sendable () -> String

    fileprivate init(_ name: String, _ description: String, _ tool: String, _ file: @escaping @Sendable () -> String) {
      (testDescription, self.name, self.tool, self.file) = (description, name, tool, file)
    }
  }

  private static func repeated(_ text: String, _ count: Int) -> String {
    Array(repeating: text, count: count).joined(separator: ",")
  }

  private static let folderCases = [
    FolderCase("tokenizer.json", "many normalizers", "bpe-encode") {
      #"{"normalizer":{"type":"Sequence","normalizers":["# + repeated("{}", 3_000_000) + "]}}"
    },
    FolderCase("tokenizer.json", "one id for many tokens outside the alphabet", "bpe-encode") {
      #"{"model":{"type":"BPE","vocab":{"# + repeated(#"" ":300"#, 2_000_000) + "}}}"
    },
    FolderCase("tokenizer.json", "one merge again and again", "bpe-encode") {
      #"{"model":{"type":"BPE","vocab":{"a":0,"aa":1},"merges":["# + repeated(#""a a""#, 1_000_000) + "]}}"
    },
    FolderCase("model.safetensors", "many empty tensors", "lm-logits") {
      (0..<300_000).map { #""\#($0)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"# }.joined(separator: ",")
    },
    FolderCase("model.safetensors", "a long shape", "lm-logits") {
      #""a":{"dtype":"U8","shape":["# + repeated("1", 10_000_000) + #"],"data_offsets":[0,1]}"#
    },
  ]

  @Test(arguments: folderCases) func memoryIsThatOfTheFileAndLittleMore(_ hostile: FolderCase) throws {
    let folder = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = Programs.checkout.appending(path: "Models/wren")
    try FileManager.default.copyItem(
      at: source.appending(path: "config.json"), to: folder.appending(path: "config.json"))
    var file = Data(hostile.file().utf8)
    if hostile.name == "model.safetensors" {
      file = Self.bytes(UInt64(file.count + 2)) + Data("{".utf8) + file + Data("}".utf8)
    }
    try file.write(to: folder.appending(path: hostile.name))
    let limit = (file.count + 64 << 20) / 1024
    let result = try Programs.shell(
      "ulimit -v \(limit); \(hostile.tool) -m \(folder.path)", input: Data("[1]\n".utf8))
    #expect(result.status == 65 && result.errors.hasPrefix("\(hostile.tool): \(folder.path)/\(hostile.name): "))
    #expect(result.errors.utf8.count < 500)
  }

  /// A line that is one piece, of as many tokens as bytes: its bytes and ids, and the same as text.
  @Test func memoryOfALongPieceIsTenTimesItsSize() throws {
    let line = Data(repeating: UInt8(ascii: "a"), count: 16_000_000)
    let result = try Programs.shell("ulimit -v 220000; bpe-encode | tail -c 60", input: line)
    #expect(result.status == 0 && result.text.hasSuffix("}\n"), "\(result.errors)")
  }

  @Test func memoryOfARecordOfSmallMembers() throws {
    let record = #"{"ids":[1],"# + Self.repeated(#""":0"#, 2_000_000) + "}"
    let result = try Programs.shell("ulimit -v 110000; bpe-decode", input: Data(record.utf8))
    #expect(result.status == 0, "\(result.errors)")
  }
}
