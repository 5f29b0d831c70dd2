import Checkpoint
import Foundation
import TestSupport
import Testing

/// Damaged and malicious files: each must cause a specific error message quickly, and no crash.
@Suite struct GGUFDamageTests {
  private func errorMessage(_ file: Data) throws -> String { try #require(try GGUFBuilder.errorMessage(file)) }

  // MARK: header

  @Test(arguments: ["", "G", "GGUF", "GGUF\u{3}\0\0", "GGML", "{\"model_type\":\"gpt2\"}", "PK\u{3}\u{4}"])
  func rejectsOtherFiles(_ text: String) throws {
    let errorMessage = try errorMessage(Data(text.utf8))
    #expect(
      errorMessage.hasPrefix(
        text.hasPrefix("GGUF") ? "truncated: a number at byte" : "not a GGUF file; a model is a .gguf file, or a folder"
      ))
  }

  @Test(arguments: [
    Flaw("GGUF version 1 is not supported, only 2 and 3; convert the model again") { $0.version = 1 },
    Flaw("GGUF version 4 is not supported, only 2 and 3; convert the model again") { $0.version = 4 },
    Flaw("GGUF version 0 is not supported, only 2 and 3; convert the model again") { $0.version = 0 },
    Flaw(
      "this GGUF file is for big-endian machines; convert it again for little-endian ones (convert_hf_to_gguf.py)"
    ) { $0.version = UInt32(3).byteSwapped },
    Flaw("the header claims 18446744073709551615 keys; the limit is 4096") { $0.keyCount = .max },
    Flaw("the header claims 4097 keys; the limit is 4096") { $0.keyCount = 4097 },
    Flaw("the header claims 18446744073709551615 tensors; the limit is 16384") { $0.tensorCount = .max },
    Flaw("the header claims 16385 tensors; the limit is 16384") { $0.tensorCount = 16385 },
    Flaw("duplicate key gpt2.block_count") { $0.values.append(("gpt2.block_count", .uint32(2))) },
    Flaw("a key has 0 bytes; must be from 1 to 1024") { $0.values.append(("", .uint32(2))) },
    Flaw("a key has 1,025 bytes; must be from 1 to 1024") {
      $0.values.append((String(repeating: "k", count: 1025), .uint32(2)))
    },
  ])
  func validatesHeader(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.gpt2.with(flaw.change).errorMessage() == flaw.reason)
  }

  // MARK: values

  /// Returns a change that appends an invalid value after all other values, before the tensor descriptions.
  private static func value(_ kind: UInt32, _ bytes: Data = Data()) -> @Sendable (inout GGUFBuilder) -> Void {
    { $0["x"] = .raw(kind, bytes) }
  }

  @Test(arguments: [
    Flaw("the value of x has an unknown type, 13; download it again", value(13)),
    Flaw("the value of x has an unknown type, 4294967295; download it again", value(.max)),
    Flaw("x is an array of arrays, which is not supported", value(9, bytes(9 as UInt32) + bytes(UInt64(1)))),
    Flaw("the value of x has an unknown type, 77; download it again", value(9, bytes(77 as UInt32))),
    Flaw("truncated: the string x at byte", value(8, bytes(UInt64.max))),
    Flaw("truncated: the string x at byte", value(8, bytes(UInt64(1) << 63))),
    Flaw("truncated: the string x at byte", value(8, bytes(UInt64(1) << 20))),
    Flaw("truncated: the array x at byte", value(9, bytes(4 as UInt32) + bytes(UInt64.max))),
    Flaw("truncated: the array x at byte", value(9, bytes(10 as UInt32) + bytes(UInt64(1) << 61))),
    Flaw("truncated: the array x at byte", value(9, bytes(0 as UInt32) + bytes(UInt64(1) << 20))),
    Flaw("truncated: a string of x at byte", value(9, bytes(8 as UInt32) + bytes(UInt64.max))),
    Flaw("truncated: a string of x at byte", value(9, bytes(8 as UInt32) + bytes(UInt64(1) << 40))),
    Flaw(
      "truncated: a string of x at byte",
      value(9, bytes(8 as UInt32) + bytes(UInt64(2)) + string("a") + bytes(UInt64.max))),
  ])
  func rejectsLengthsBeyondTheFile(_ flaw: Flaw) throws {
    #expect(try errorMessage(GGUFBuilder.gpt2.with(flaw.change).data).hasPrefix(flaw.reason))
  }

  @Test func rejectsLongStrings() throws {
    let long = String(repeating: "x", count: 1 << 20)
    let file = GGUFBuilder.gpt2.with { $0["general.architecture"] = .string(long) }
    guard case .gguf(let gguf) = try Folder().files(file.data).configuration() else {
      Issue.record("not a GGUF file")
      return
    }
    let error = #expect(throws: CheckpointError.self) { try gguf.string("general.architecture") }
    #expect(
      error?.description.hasSuffix(": general.architecture is not a string of at most 1024 bytes") == true)
  }

  @Test(arguments: [0, 3, 33, 1 << 31, 12] as [UInt32]) func rejectsInvalidAlignments(_ alignment: UInt32) throws {
    let reason = try GGUFBuilder.gpt2.with { $0["general.alignment"] = .uint32(alignment) }.errorMessage()
    #expect(reason == "general.alignment is \(alignment); must be a power of two up to 1073741824")
  }

  @Test(arguments: [1, 8, 32, 64, 4096] as [UInt32]) func acceptsPowersOfTwoAsAlignment(_ alignment: UInt32) throws {
    let file = GGUFBuilder.gpt2.with {
      $0["general.alignment"] = .uint32(alignment)
      $0.alignment = Int(alignment)
    }
    #expect(try file.errorMessage() == nil)
    let other = file.with { $0.alignment = alignment == 32 ? 64 : 32 }
    #expect(try other.errorMessage() != nil || alignment == 1)
  }

  @Test func rejectsAlignmentBeyondTheFile() throws {
    let file = GGUFBuilder.gpt2.with { $0["general.alignment"] = .uint32(1 << 30) }.data
    #expect(try errorMessage(file).hasSuffix("has offset 128, but should have 1073741824: overlap, gap or damage"))
  }

  // MARK: tensors

  /// Returns a change of the first tensor, which has 128 bytes.
  private static func first(_ change: @escaping @Sendable (inout GGUFBuilder.Tensor) -> Void)
    -> @Sendable (inout GGUFBuilder) -> Void
  { { change(&$0.tensors[0]) } }

  @Test(arguments: [
    Flaw(#"duplicate tensor "token_embd.weight""#) { $0.tensors.append($0.tensors[0]) },
    Flaw(
      #"a tensor name has 64 bytes; ggml allows 63"#, first { $0.name = String(repeating: "n", count: 64) }),
    Flaw(#""token_embd.weight" has 5 dimensions; ggml allows 4"#, first { $0.dimensions = [4, 8, 1, 1, 1] }),
    Flaw(
      #""token_embd.weight" has a dimension of 18446744073709551615; download it again"#,
      first { ($0.dimensions, $0.size) = ([.max, 8], 128) }),
    Flaw(
      #""token_embd.weight" has shape [4294967296, 4294967296], which is too large"#,
      first { ($0.dimensions, $0.size) = ([1 << 32, 1 << 32], 128) }),
    Flaw(
      #""token_embd.weight" has shape [9223372036854775807], which is too large"#,
      first { ($0.dimensions, $0.size) = ([UInt64(Int64.max)], 128) }),
    Flaw(
      #""token_embd.weight" has rows of 4 elements, which is not a multiple of the Q4_K block size, 256"#,
      first { $0.type = 12 }),
    Flaw(
      #""token_embd.weight" has rows of 4 elements, which is not a multiple of the Q8_0 block size, 32"#,
      first { $0.type = 8 }),
    Flaw(
      #""token_embd.weight" has offset 32, but should have 0: overlap, gap or damage"#, first { $0.offset = 32 }),
    Flaw(
      #""token_embd.weight" has offset 18446744073709551615, but should have 0: overlap, gap or damage"#,
      first { $0.offset = .max }),
    Flaw(#""position_embd.weight" has offset 0, but should have 128: overlap, gap or damage"#) {
      $0.tensors[1].offset = 0
    },
    Flaw(#""position_embd.weight" has offset 128, but should have 160: overlap, gap or damage"#) {
      ($0.tensors[0].dimensions, $0.tensors[0].size, $0.tensors[1].offset) = ([4, 9], 128, 128)
    },
  ])
  func rejectsInvalidTensorDescriptions(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.gpt2.with(flaw.change).errorMessage() == flaw.reason)
  }

  @Test func rejectsOverflowingDimensions() throws {
    // 2^62 * 4 * 0 is 0, but the intermediate product overflows.
    let file = GGUFBuilder.gpt2.with {
      ($0.tensors[0].dimensions, $0.tensors[0].size) = ([1 << 62, 4, 0], 0)
      $0.tensors[1].offset = 0
    }
    #expect(try errorMessage(file.data).contains("token_embd.weight"))
  }

  @Test func reportsTruncatedFile() throws {
    let whole = GGUFBuilder.gpt2.data
    let reason = try errorMessage(whole.dropLast(100))
    #expect(
      reason
        == "truncated: \(withThousandsSeparators(whole.count - 100)) of \(withThousandsSeparators(whole.count - 16)) bytes; download it again"
    )
  }

  @Test func reportsTruncationAtAnyByte() throws {
    let whole = GGUFBuilder.gpt2.data
    for length in stride(from: 4, to: whole.count - 40, by: 7) {
      let reason = try errorMessage(whole.prefix(length))
      #expect(reason.contains("download it again"), "\(length): \(reason)")
    }
  }

  // MARK: tokenizers

  @Test func rejectsTablesOfDifferentLengths() throws {
    let file = GGUFBuilder.gpt2.with { $0["tokenizer.ggml.token_type"] = .int32s([1, 2, 3]) }
    let error = #expect(throws: CheckpointError.self) { try Folder().files(file.data).tokenizerTables() }
    #expect(
      error?.description.hasSuffix("tokenizer.ggml.tokens has 8 entries, but tokenizer.ggml.token_type has 3") == true)
  }

  // MARK: random damage

  /// A randomly damaged file must either be read or cause a `CheckpointError`, without a crash and without delay.
  /// `GGUFModelTests` opens damaged files as models.
  @Test func survivesRandomDamage() throws {
    var generator = SeededGenerator(7)
    let whole = [UInt8](GGUFBuilder.llama().data)
    let header = try #require(whole.firstRange(of: Array("blk.1.ffn_down.weight".utf8))).upperBound + 40
    let extremes: [[UInt8]] = [
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0, 0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0x40],
      [0, 0, 0, 0, 1, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    let folder = try Folder()
    var refused = 0
    let start = ContinuousClock.now
    for _ in 0..<400 {
      var file = whole
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: 4..<header, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: file[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: file[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2:
          let extreme = extremes[Int.random(in: 0..<extremes.count, using: &generator)]
          file.replaceSubrange(place..<min(place + 8, file.count), with: extreme.prefix(file.count - place))
        default: file.removeSubrange(place..<min(place + Int.random(in: 1...9, using: &generator), file.count))
        }
      }
      do {
        let files = try folder.files(Data(file))
        if let tables = try files.tokenizerTables() {
          for token in tables.tokens { _ = token.count }
          if let merges = tables.merges { for merge in merges { _ = merge.count } }
          if let types = tables.types { for type in types { _ = type } }
        }
        for tensor in try Checkpoint(files).tensors.values {
          #expect(tensor.count * tensor.type.blockSize == tensor.bytes.count * tensor.type.blockLength)
        }
      } catch is CheckpointError { refused += 1 }
    }
    #expect(refused > 250)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
