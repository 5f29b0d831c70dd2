import Foundation
import Testing

/// Damaged files with large counts: the tools reject them under a memory limit of 50 MB plus the file's size.
/// (CheckpointTests tests the messages.)
@Suite(.enabled(if: Programs.canLimitMemory, Programs.limitRequirement))
struct HostileModelTests {
  private static func bytes(_ value: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: value.littleEndian) { Data($0) }
  }

  private static func string(_ text: String) -> Data { bytes(UInt64(text.utf8.count)) + Data(text.utf8) }

  /// Returns the start of a GGUF file: the header and the first metadata value.
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
    Case(testDescription: "the maximum number of long keys") {
      let key = String(repeating: "k", count: 1016)
      return (0..<4095).reduce(into: gguf(tensors: 0, values: 4095)) { file, index in
        file += string(key + String(10_000_000 + index)) + bytes(UInt32(0)) + Data([1])
      }
    },
    Case(testDescription: "the maximum number of tensors") {
      (0..<16384).reduce(into: gguf(tensors: 16384, values: 0)) { file, index in
        file += string("blk.\(index).attn_q.weight") + bytes(UInt32(4))
        for length in [8, 1, 1, 1] { file += bytes(UInt64(length)) }
        file += bytes(UInt32(0)) + bytes(UInt64(32 * index))
      } + Data(count: 32 * 16385)
    },
    Case(testDescription: "half a million empty tokens and half a million merges") {
      gguf(tensors: 0, values: 2) + array("tokenizer.ggml.tokens", 8, 1 << 19, of: 8)
        + array("tokenizer.ggml.merges", 8, 1 << 19, of: 8)
    },
    Case(testDescription: "a head count for each of a million layers") {
      gguf(tensors: 0, values: 1) + array("llama.attention.head_count_kv", 4, 1 << 20, of: 4)
    },
    Case(testDescription: "a name of 40 MB") {
      Data("GGUF".utf8) + bytes(UInt32(3)) + bytes(UInt64(0)) + bytes(UInt64(1)) + string("general.architecture")
        + bytes(UInt32(8)) + bytes(UInt64(40 << 20)) + Data(repeating: 0x61, count: 40 << 20)
    },
  ]

  @Test(arguments: cases) func rejectsGGUFFilesInLittleMemory(_ hostile: Case) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "lmpipe-\(UUID().uuidString).gguf")
    let file = hostile.file()
    try file.write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    let limit = (file.count + 50 << 20) / 1024  // of the address space, which is stricter than of memory
    for tool in ["lm-info", "lm-logits", "lm-step"] {
      let result = try Programs.shell("ulimit -v \(limit); \(tool) -m \(path.path)", input: Data("[1]\n".utf8))
      #expect(result.status == 65 && result.errors.hasPrefix("\(tool): \(path.path): "), "\(result.errors)")
    }
  }

  // MARK: - Folders and records

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
    FolderCase("tokenizer.json", "one merge repeated a million times", "bpe-encode") {
      #"{"normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"#
        + #""model":{"type":"BPE","vocab":{"a":0,"aa":1},"merges":["# + repeated(#""a a""#, 1_000_000) + #","b b"]}}"#
    },
    FolderCase("tokenizer.json", "one merge of characters repeated a million times", "bpe-encode") {
      #"{"model":{"type":"BPE","vocab":{"a":0,"aa":1},"merges":["# + repeated(#""a a""#, 1_000_000) + #","b b"]}}"#
    },
    FolderCase("model.safetensors", "many empty tensors", "lm-logits") {
      (0..<300_000).map { #""\#($0)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"# }.joined(separator: ",")
    },
    FolderCase("model.safetensors", "a long shape", "lm-logits") {
      #""a":{"dtype":"U8","shape":["# + repeated("1", 10_000_000) + #"],"data_offsets":[0,1]}"#
    },
  ]

  @Test(arguments: folderCases) func rejectsFoldersInLittleMemory(_ hostile: FolderCase) throws {
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

  /// The line is one pre-token with one token for each byte. The memory limit leaves space for the bytes, the ids, and
  /// both as text.
  @Test func encodesALongPreTokenInTenTimesItsSize() throws {
    let line = Data(repeating: UInt8(ascii: "a"), count: 16_000_000)
    let result = try Programs.shell("ulimit -v 220000; bpe-encode | tail -c 60", input: line)
    #expect(result.status == 0 && result.text.hasSuffix("}\n"), "\(result.errors)")
  }

  @Test func readsARecordOfManyMembersInLittleMemory() throws {
    let record = #"{"ids":[1],"# + Self.repeated(#""":0"#, 2_000_000) + "}"
    let result = try Programs.shell("ulimit -v 110000; bpe-decode", input: Data(record.utf8))
    #expect(result.status == 0, "\(result.errors)")
  }
}

/// Sparse files: unused tensors are not read.
@Suite struct SparseModelTests {
  /// The bundled model has an additional tensor of `size` bytes, which is a hole at the end or the start of the data.
  @Test(arguments: [false, true]) func doesNotReadUnusedTensors(_ isFirst: Bool) throws {
    let temporaryFolder = try TemporaryFolder()
    let folder = temporaryFolder.url.appending(path: "model")
    try FileManager.default.copyItem(at: Programs.checkout.appending(path: "Models/wren"), to: folder)
    let path = folder.appending(path: "model.safetensors")
    let whole = try Data(contentsOf: path)
    let headerEnd = 8 + Int(whole.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let json = try JSONSerialization.jsonObject(with: whole[8..<headerEnd])
    var header = try #require(json as? [String: Any])
    let size = 4 << 30
    let shift = isFirst ? size : 0
    var end = 0
    for (name, entry) in header {
      guard var tensor = entry as? [String: Any], let offsets = tensor["data_offsets"] as? [Int] else { continue }
      tensor["data_offsets"] = offsets.map { $0 + shift }
      header[name] = tensor
      end = max(end, offsets[1])
    }
    let begin = isFirst ? 0 : end
    header["attn.masked_bias"] = ["dtype": "U8", "shape": [size], "data_offsets": [begin, begin + size]]
    let bytes = try JSONSerialization.data(withJSONObject: header)
    try (withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Data($0) } + bytes).write(to: path)
    let file = try FileHandle(forWritingTo: path)
    try file.seek(toOffset: UInt64(8 + bytes.count + shift))
    try file.write(contentsOf: whole[headerEnd...])
    try file.truncate(atOffset: UInt64(8 + bytes.count + end + size))
    try file.close()
    let start = ContinuousClock.now
    let result = try Programs.shell("lm-step -m \(folder.path)", input: Data("[1,2]\n".utf8))
    #expect(result.text == (try Programs.shell("lm-step", input: Data("[1,2]\n".utf8)).text), "\(result.errors)")
    #expect(ContinuousClock.now - start < .seconds(3), "reading 4 GB takes longer")
  }
}

/// Models with weights that are not finite: records that use them are bad, and the output of other records is
/// unchanged.
@Suite struct DamagedWeightsTests {
  private let temporaryFolder: TemporaryFolder
  private var folder: URL { temporaryFolder.url }

  init() throws { temporaryFolder = try TemporaryFolder() }

  /// Copies the bundled model, and sets the first number of a row of a tensor to NaN.
  private func damage(_ tensor: String, row: Int) throws {
    let model = folder.appending(path: "model")
    try FileManager.default.copyItem(at: Programs.checkout.appending(path: "Models/wren"), to: model)
    let path = model.appending(path: "model.safetensors")
    var file = try Data(contentsOf: path)
    let headerEnd = 8 + Int(file.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let header = try #require(try JSONSerialization.jsonObject(with: file[8..<headerEnd]) as? [String: Any])
    let name = try #require(header.keys.first { $0.hasSuffix(tensor) })
    let entry = try #require(header[name] as? [String: Any])
    let (shape, offsets) = (try #require(entry["shape"] as? [Int]), try #require(entry["data_offsets"] as? [Int]))
    let start = headerEnd + offsets[0] + row * 2 * (shape.last ?? 0)
    file.replaceSubrange(start..<start + 2, with: [0xC0, 0x7F])  // bfloat16
    try file.write(to: path)
  }

  private func run(_ script: String, _ input: String, status: Int32) throws -> (text: String, errors: String) {
    let result = try Programs.shell(script, input: Data(input.utf8), in: folder)
    #expect(result.status == status, "\(script): \(result.errors)")
    return (result.text, result.errors)
  }

  @Test func writesThePositionsBeforeABadOne() throws {
    try damage("wpe.weight", row: 2)
    let alone = try ["[5]", "[5,6]"].map { try run("lm-logits -m model --base64", $0, status: 0).text }
    let message = "standard input:1: the logit of token 0 at position 2 is nan: the model's weights are damaged"
    for (option, status) in [("", 65), ("--keep-going", 65)] as [(String, Int32)] {
      let all = try run("lm-logits -m model --all --base64 \(option)", "[5,6,7,8]", status: status)
      let lines = all.text.split(separator: "\n").map { String($0.replacing(/"position":.,/, with: "")) + "\n" }
      #expect(Array(lines.prefix(2)) == alone)
      #expect((option.isEmpty ? all.errors : all.text).contains(message))
      #expect(
        lines.dropFirst(2) == [
          #"{"ids":[5,6,7,8],"error":"lm-logits: \#(message)""# + (option.isEmpty ? #","fatal":true}"# : "}") + "\n"
        ])
      let logprobs = try run("lm-logits -m model --logprobs \(option)", "[5,6,7,8]", status: 65)
      #expect((logprobs.errors + logprobs.text).contains(message))
    }
    // A cache that contains the bad position gives the right logits for the positions before it.
    let cached = try run("lm-logits -m model --base64 --keep-going --cache cache", "[5,6,7,8]\n[5,6]\n[5]", status: 65)
    #expect(cached.text.split(separator: "\n").dropFirst().map { $0 + "\n" } == alone.reversed())
  }

  /// A bad record does not cause the records after it to be computed again.
  @Test func computesEachRecordOnceIfSomeAreBad() throws {
    try damage("ln_f.weight", row: 0)
    let input = String(repeating: "[5]\n", count: 2000)
    for tool in ["lm-logits --base64", "lm-step"] {
      let start = ContinuousClock.now
      let bad = try run("\(tool) -m model --keep-going", input, status: 65)
      #expect(bad.text.split(separator: "\n").count == 2000)
      #expect(
        ContinuousClock.now - start < .seconds(15),
        "\(tool): computing the rest again for each bad record takes minutes")
    }
  }

  @Test func badRecordsDoNotChangeGoodOnes() throws {
    try damage("wpe.weight", row: 2)
    let input = "[5]\n[1,2,3]\n[6,7]\n{\"ids\":[9,9,9],\"n\":1}\n[4095]\n[8]\n"
    let good = "[5]\n[6,7]\n[4095]\n[8]\n"
    for tool in ["lm-logits --base64", "lm-step", "lm-step --each"] {
      let mixed = try run("\(tool) -m model --keep-going", input, status: 65).text.split(separator: "\n")
      #expect(
        mixed.filter { !$0.contains("error") }.map { $0 + "\n" }.joined()
          == (try run("\(tool) -m model", good, status: 0).text))
      #expect(mixed.indices.filter { mixed[$0].contains("error") } == [1, 3])
    }
  }
}
