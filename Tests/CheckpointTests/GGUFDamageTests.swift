import Checkpoint
import Foundation
import TestSupport
import Testing

/// Files that lie: each gives an error that names what is wrong, at once, and nothing else.
@Suite struct GGUFDamageTests {
  private func complaint(_ file: Data) throws -> String { try #require(try GGUFBuilder.complaint(file)) }

  // MARK: the beginning

  @Test(arguments: ["", "G", "GGUF", "GGUF\u{3}\0\0", "GGML", "{\"model_type\":\"gpt2\"}", "PK\u{3}\u{4}"])
  func otherFilesAreNone(_ text: String) throws {
    let complaint = try complaint(Data(text.utf8))
    #expect(
      complaint.hasPrefix(
        text.hasPrefix("GGUF") ? "a number at byte" : "this is no GGUF file; a model is a .gguf file, or a folder"))
  }

  @Test(arguments: [
    Flaw("this is version 1 of GGUF; 2 and 3 are read: convert the model again") { $0.version = 1 },
    Flaw("this is version 4 of GGUF; 2 and 3 are read: convert the model again") { $0.version = 4 },
    Flaw("this is version 0 of GGUF; 2 and 3 are read: convert the model again") { $0.version = 0 },
    Flaw(
      "this is a GGUF file for big-endian machines: convert it again for little-endian ones (convert_hf_to_gguf.py)"
    ) { $0.version = UInt32(3).byteSwapped },
    Flaw("it claims 18446744073709551615 keys, which no model has") { $0.keyCount = .max },
    Flaw("it claims 4097 keys, which no model has") { $0.keyCount = 4097 },
    Flaw("it claims 18446744073709551615 tensors, which no model has") { $0.tensorCount = .max },
    Flaw("it claims 16385 tensors, which no model has") { $0.tensorCount = 16385 },
    Flaw("there is a second value of gpt2.block_count") { $0.values.append(("gpt2.block_count", .uint32(2))) },
    Flaw("there is a key of 0 bytes, which no model has") { $0.values.append(("", .uint32(2))) },
    Flaw("there is a key of 1,025 bytes, which no model has") {
      $0.values.append((String(repeating: "k", count: 1025), .uint32(2)))
    },
  ])
  func theHeaderIsChecked(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.gpt2.with(flaw.change).complaint() == flaw.reason)
  }

  // MARK: values

  /// A value that should not be, the last of all; behind it come the tensors.
  private static func value(_ kind: UInt32, _ bytes: Data = Data()) -> @Sendable (inout GGUFBuilder) -> Void {
    { $0["x"] = .raw(kind, bytes) }
  }

  @Test(arguments: [
    Flaw("the value of x has the type 13, which GGUF does not know: download it again", value(13)),
    Flaw("the value of x has the type 4294967295, which GGUF does not know: download it again", value(.max)),
    Flaw("x is an array of arrays, which no GGUF file of a model has", value(9, bytes(9 as UInt32) + bytes(UInt64(1)))),
    Flaw("the value of x has the type 77, which GGUF does not know: download it again", value(9, bytes(77 as UInt32))),
    Flaw("the text of x at byte", value(8, bytes(UInt64.max))),
    Flaw("the text of x at byte", value(8, bytes(UInt64(1) << 63))),
    Flaw("the text of x at byte", value(8, bytes(UInt64(1) << 20))),
    Flaw("the array x at byte", value(9, bytes(4 as UInt32) + bytes(UInt64.max))),
    Flaw("the array x at byte", value(9, bytes(10 as UInt32) + bytes(UInt64(1) << 61))),
    Flaw("the array x at byte", value(9, bytes(0 as UInt32) + bytes(UInt64(1) << 20))),
    Flaw("a text of x at byte", value(9, bytes(8 as UInt32) + bytes(UInt64.max))),
    Flaw("a text of x at byte", value(9, bytes(8 as UInt32) + bytes(UInt64(1) << 40))),
    Flaw("a text of x at byte", value(9, bytes(8 as UInt32) + bytes(UInt64(2)) + string("a") + bytes(UInt64.max))),
  ])
  func lengthsAreHeldAgainstWhatIsLeft(_ flaw: Flaw) throws {
    #expect(try complaint(GGUFBuilder.gpt2.with(flaw.change).data).hasPrefix(flaw.reason))
  }

  @Test func textsThatFillTheFileAreNotCopied() throws {
    let long = String(repeating: "x", count: 1 << 20)
    let reason = try GGUFBuilder.gpt2.with { $0["general.architecture"] = .string(long) }.complaint()
    #expect(reason == "general.architecture is not a short text")
  }

  @Test(arguments: [0, 3, 33, 1 << 31, 12] as [UInt32]) func alignmentsArePowersOfTwo(_ alignment: UInt32) throws {
    let reason = try GGUFBuilder.gpt2.with { $0["general.alignment"] = .uint32(alignment) }.complaint()
    #expect(reason == "general.alignment is \(alignment), and should be a power of two")
  }

  @Test(arguments: [1, 8, 32, 64, 4096] as [UInt32]) func anyPowerOfTwoWillDo(_ alignment: UInt32) throws {
    let file = GGUFBuilder.gpt2.with {
      $0["general.alignment"] = .uint32(alignment)
      $0.alignment = Int(alignment)
    }
    #expect(try file.complaint() == nil)
    let other = file.with { $0.alignment = alignment == 32 ? 64 : 32 }
    #expect(try other.complaint() != nil || alignment == 1)
  }

  @Test func anAlignmentBeyondTheFileIsNoPlaceForData() throws {
    let file = GGUFBuilder.gpt2.with { $0["general.alignment"] = .uint32(1 << 30) }.data
    #expect(try complaint(file).hasSuffix("lies at 128, but byte 1073741824 is next: overlap, hole or damage"))
  }

  // MARK: tensors

  /// A file whose first tensor, of 128 bytes, is `change`d.
  private static func first(_ change: @escaping @Sendable (inout GGUFBuilder.Tensor) -> Void)
    -> @Sendable (inout GGUFBuilder) -> Void
  { { change(&$0.tensors[0]) } }

  @Test(arguments: [
    Flaw(#"there is a second tensor "token_embd.weight""#) { $0.tensors.append($0.tensors[0]) },
    Flaw(
      #"there is a tensor's name of 64 bytes; ggml allows 63"#, first { $0.name = String(repeating: "n", count: 64) }),
    Flaw(#""token_embd.weight" has 5 dimensions; ggml allows 4"#, first { $0.dimensions = [4, 8, 1, 1, 1] }),
    Flaw(
      #""token_embd.weight" has a dimension of 18446744073709551615: download it again"#,
      first { ($0.dimensions, $0.size) = ([.max, 8], 128) }),
    Flaw(
      #""token_embd.weight" has a shape too large for any memory: [4294967296, 4294967296]"#,
      first { ($0.dimensions, $0.size) = ([1 << 32, 1 << 32], 128) }),
    Flaw(
      #""token_embd.weight" has a shape too large for any memory: [9223372036854775807]"#,
      first { ($0.dimensions, $0.size) = ([UInt64(Int64.max)], 128) }),
    Flaw(
      #""token_embd.weight" has rows of 4 elements, but Q4_K has blocks of 256"#, first { $0.type = 12 }),
    Flaw(#""token_embd.weight" has rows of 4 elements, but Q8_0 has blocks of 32"#, first { $0.type = 8 }),
    Flaw(
      #""token_embd.weight" lies at 32, but byte 0 is next: overlap, hole or damage"#, first { $0.offset = 32 }),
    Flaw(
      #""token_embd.weight" lies at 18446744073709551615, but byte 0 is next: overlap, hole or damage"#,
      first { $0.offset = .max }),
    Flaw(#""position_embd.weight" lies at 0, but byte 128 is next: overlap, hole or damage"#) {
      $0.tensors[1].offset = 0
    },
    Flaw(#""position_embd.weight" lies at 128, but byte 160 is next: overlap, hole or damage"#) {
      ($0.tensors[0].dimensions, $0.tensors[0].size, $0.tensors[1].offset) = ([4, 9], 128, 128)
    },
    Flaw(#""token_embd.weight" has the shape [], but the metadata says [8, 4]"#, first { $0.dimensions = [] }),
    Flaw(
      #""token_embd.weight" has the shape [0, 4], but the metadata says [8, 4]"#, first { $0.dimensions = [4, 0] }),
  ])
  func tensorsLieOneBehindTheOther(_ flaw: Flaw) throws {
    #expect(try GGUFBuilder.gpt2.with(flaw.change).complaint() == flaw.reason)
  }

  @Test func dimensionsThatMultiplyToNothingLarge() throws {
    // 2^62 · 4 · 0 elements are none; the product on the way there overflows all the same
    let file = GGUFBuilder.gpt2.with {
      ($0.tensors[0].dimensions, $0.tensors[0].size) = ([1 << 62, 4, 0], 0)
      $0.tensors[1].offset = 0
    }
    #expect(try complaint(file.data).contains("token_embd.weight"))
  }

  @Test func aFileThatIsCutShortSaysSo() throws {
    let whole = GGUFBuilder.gpt2.data
    let reason = try complaint(whole.dropLast(100))
    #expect(
      reason
        == "\(withThousandsSeparators(whole.count - 100)) of \(withThousandsSeparators(whole.count - 16)) bytes are there: download it again"
    )
  }

  /// Wherever it is cut, there is an error, and it tells of nothing but that.
  @Test func filesThatAreCutAnywhere() throws {
    let whole = GGUFBuilder.gpt2.data
    for length in stride(from: 4, to: whole.count - 40, by: 7) {
      let reason = try complaint(whole.prefix(length))
      #expect(reason.contains("download it again"), "\(length): \(reason)")
    }
  }

  // MARK: tokenizers

  @Test func tablesOfUnequalLengthAreRefused() throws {
    let file = GGUFBuilder.gpt2.with { $0["tokenizer.ggml.token_type"] = .int32s([1, 2, 3]) }
    let error = #expect(throws: CheckpointError.self) { try Folder().files(file.data).tokenizerTables() }
    #expect(
      error?.description.hasSuffix("tokenizer.ggml.tokens has 8 entries, and tokenizer.ggml.token_type 3") == true)
  }

  // MARK: everything else

  /// Whatever bytes are changed, a file is refused or read: it never ends the process, and never takes long.
  @Test func filesWithRandomDamage() throws {
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
        _ = try Checkpoint(files).modelTensors()
      } catch is CheckpointError { refused += 1 }
    }
    #expect(refused > 250)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
