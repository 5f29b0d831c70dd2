import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

/// Models in several GGUF files, as llama-gguf-split writes them.
@Suite struct GGUFPartsTests {
  /// A model of 20 tensors.
  private static let whole = GGUFBuilder.llama().with { $0.setRandomWeights(seed: 5) }

  private func open(_ name: String, in folder: Folder) throws -> (files: ModelFiles, checkpoint: Checkpoint) {
    let files = try ModelFiles(.find(Path(name.isEmpty ? folder.path : "\(folder.path)/\(name)")))
    return (files, try Checkpoint(files))
  }

  /// Opens a file in the folder and returns the error message without the path, or nil if there is no error.
  private func errorMessage(_ name: String, in folder: Folder) throws -> String? {
    do {
      _ = try open(name, in: folder)
      return nil
    } catch let error as CheckpointError { return folder.message(error) }
  }

  private func expectSame(_ a: Checkpoint, _ b: Checkpoint) throws {
    #expect(a.tensors.keys.sorted() == b.tensors.keys.sorted())
    for (name, tensor) in a.tensors {
      let other = try #require(b.tensors[name])
      #expect(tensor.type == other.type && tensor.shape == other.shape, "\(name)")
      #expect(tensor.bytes.elementsEqual(other.bytes), "\(name)")
    }
  }

  /// One part, parts of different sizes, and parts without tensors. Each of them opens the same model.
  @Test(arguments: [[20], [10, 10], [1, 2, 17], [0, 20], [7, 0, 13], [20, 0], Array(repeating: 1, count: 20)])
  func opensAllPartsByEachOfThem(_ sizes: [Int]) throws {
    let folder = try Folder()
    let names = try folder.write(parts: Self.whole.parts(sizes))
    try #require(sizes.reduce(0, +) == Self.whole.tensors.count)
    let single = try Checkpoint(Folder().files(Self.whole.data))
    var identities: Set<UInt64> = []
    for name in names + [""] {  // the folder as well
      let (files, checkpoint) = try open(name, in: folder)
      #expect(files.location.path.lastComponent == Path(names[0]) && files.location.name == Path(names[0]))
      #expect(checkpoint.files.map(\.lastComponent) == names.map { Path($0) })
      #expect(checkpoint.byteCount == checkpoint.files.reduce(0) { $0 + (fileSize($1) ?? 0) })
      try expectSame(checkpoint, single)
      identities.insert(checkpoint.identity)
      let tables = try #require(try files.tokenizerTables())
      #expect(tables.tokens.count == 8 && tables.path.lastComponent == Path(names[0]))
      #expect(files.declaredVocabularySize == 8)
    }
    #expect(identities.count == 1)
  }

  /// `llama-gguf-split --split-max-tensors 9 llama.gguf split/llama` wrote the parts, for qwen3 with the options
  /// `--no-tensor-first-split --split-max-size 20M`.
  @Test(arguments: [("llama", 3), ("qwen3", 2)])
  func readsPartsOfLlamaGGUFSplit(_ name: String, _ count: Int) throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    let single = try Checkpoint(ModelLocation.find(Path(fixtures.appending(path: "\(name).gguf").path)))
    for number in 1...count {
      let part = fixtures.appending(path: "split/\(name)-0000\(number)-of-0000\(count).gguf")
      let checkpoint = try Checkpoint(ModelLocation.find(Path(part.path)))
      #expect(checkpoint.files.count == count)
      try expectSame(checkpoint, single)
    }
  }

  @Test(arguments: [0, 1, 2]) func identityDependsOnEachPart(_ index: Int) throws {
    let folder = try Folder()
    let parts = Self.whole.parts([0, 10, 10])
    let names = try folder.write(parts: parts)
    let checkpoint = try open(names[0], in: folder).checkpoint
    let identity = checkpoint.identity
    #expect(try open(names[2], in: folder).checkpoint.identity == identity)
    try folder.write(names[index], parts[index].with { $0["general.comment"] = .string("x") }.data)
    #expect(checkpoint.identity != identity)
    #expect(try open(names[1], in: folder).checkpoint.identity != identity)
  }

  /// `llama-gguf-split --merge` writes a count of 0; the number of tensors remains.
  @Test(
    arguments: [
      [:], ["split.count": .uint16(0), "split.no": .uint16(0)], ["split.count": .uint16(1)],
      ["split.count": .uint16(1), "split.no": .uint16(0), "split.tensors.count": .int32(20)],
      ["split.count": .uint8(1), "split.no": .uint64(0), "split.tensors.count": .uint32(20)],
      ["split.no": .uint16(3), "split.tensors.count": .int32(4)],
    ] as [[String: GGUFBuilder.Value]])
  func opensSingleFilesWithSplitKeys(_ keys: [String: GGUFBuilder.Value]) throws {
    let file = Self.whole.with { for (key, value) in keys { $0[key] = value } }
    #expect(try file.errorMessage() == nil)
  }

  // MARK: missing parts

  @Test func namesMissingParts() throws {
    let folder = try Folder()
    let names = try folder.write(parts: Self.whole.parts([4, 4, 4, 4, 4]))
    let remedy = "no such file, but the model has 5 parts: download it"
    func remove(_ index: Int) throws { try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[index])") }
    try remove(3)
    for name in [names[0], names[4], ""] {
      #expect(try errorMessage(name, in: folder) == "\(names[3]): \(remedy) into the same folder")
    }
    try remove(1)
    try remove(4)
    #expect(
      try errorMessage(names[2], in: folder)
        == "\(names[1]): \(remedy) and the other missing parts (4, 5) into the same folder")
    // The first part has the tokenizer.
    let files = try ModelFiles(.find(Path("\(folder.path)/\(names[2])")))
    #expect(try files.tokenizerTables()?.tokens.count == 8 && files.declaredVocabularySize == 8)
    try remove(0)
    for name in [names[2], ""] {
      #expect(try errorMessage(name, in: folder) == "\(names[0]): \(remedy) into the same folder")
    }
    #expect(try errorMessage(names[0], in: folder)?.hasPrefix("\(names[0]): no such file") == true)
  }

  @Test func limitsTheListOfMissingParts() throws {
    let folder = try Folder()
    var parts = Self.whole.parts([20])
    parts[0]["split.count"] = .uint16(4096)
    try folder.write("m-00001-of-04096.gguf", parts[0].data)
    #expect(
      try errorMessage("", in: folder)
        == "m-00002-of-04096.gguf: no such file, but the model has 4096 parts: download it and the other missing parts "
        + "(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ...) into the same folder")
  }

  /// Links to blobs, as in the hub cache. A link without its target is a part that must be downloaded again.
  @Test func followsLinksToParts() throws {
    let folder = try Folder()
    let names = try folder.write(parts: Self.whole.parts([12, 8]), prefix: "blob")
    let links = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    for (name, link) in zip(names, links) {
      try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/\(link)", withDestinationPath: name)
    }
    #expect(try open(links[1], in: folder).checkpoint.files.map(\.lastComponent.text) == links)
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[1])")
    #expect(
      try errorMessage(links[0], in: folder) == "\(links[1]): broken symbolic link; download the model again")
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n", "this is a Git LFS pointer"),
    ("x", "not a GGUF file"), ("", "not a GGUF file"), ("GGUF", "truncated: a number at byte"),
  ])
  func namesDamagedParts(_ text: String, _ reason: String) throws {
    let folder = try Folder()
    let names = try folder.write(parts: Self.whole.parts([10, 5, 5]))
    try folder.write(names[1], text)
    let message = try errorMessage(names[0], in: folder)
    #expect(message?.hasPrefix("\(names[1]): \(reason)") == true, "\(message ?? "opened")")
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[1])")
    try folder.write("\(names[1])/x", "")
    #expect(try errorMessage(names[0], in: folder) == "\(names[1]): Is a directory")
  }

  @Test func namesTruncatedPart() throws {
    let folder = try Folder()
    let parts = Self.whole.parts([10, 5, 5])
    let names = try folder.write(parts: parts)
    try folder.write(names[2], parts[2].data.dropLast(2000))
    let message = try errorMessage(names[0], in: folder)
    #expect(message?.hasPrefix("\(names[2]): truncated: ") == true, "\(message ?? "opened")")
  }

  // MARK: wrong keys

  /// A change of one of the three parts, and the expected error message.
  struct PartFlaw: Sendable, CustomStringConvertible {
    let part: Int
    /// The part whose name begins the message; nil for the changed one.
    var named: Int?
    let key: String
    let value: GGUFBuilder.Value?
    let description: String

    init(_ part: Int, _ key: String, _ value: GGUFBuilder.Value?, named: Int? = nil, _ reason: String) {
      (self.part, self.key, self.value, self.named, description) = (part, key, value, named, reason)
    }
  }

  @Test(arguments: [
    PartFlaw(0, "split.count", .uint16(4), "this is part 1 of 4 of a model, so its name must end with"),
    PartFlaw(0, "split.count", .int32(-1), "split.count is -1; must be from 0 to 4096"),
    PartFlaw(0, "split.count", .uint64(.max), "split.count is not an integer"),
    PartFlaw(0, "split.count", .uint16(4097), "split.count is 4097; must be from 0 to 4096"),
    PartFlaw(0, "split.count", .string("3"), "split.count is not an integer"),
    PartFlaw(0, "split.no", nil, "split.no is missing, but split.count is 3"),
    PartFlaw(0, "split.no", .uint16(3), "split.no is 3; must be from 0 to 2"),
    PartFlaw(0, "split.no", .int32(-1), "split.no is -1; must be from 0 to 2"),
    PartFlaw(0, "split.no", .uint16(1), "this is part 2 of 3 of a model, so its name must end with"),
    PartFlaw(0, "split.no", .float32(0), "split.no is not an integer"),
    PartFlaw(0, "split.tensors.count", nil, "split.tensors.count is missing"),
    PartFlaw(0, "split.tensors.count", .string(""), "split.tensors.count is not an integer"),
    PartFlaw(1, "split.count", nil, "split.count is missing; must be 3, as in m-00001-of-00003.gguf"),
    PartFlaw(1, "split.count", .uint16(0), "split.count is 0; must be 3, as in m-00001-of-00003.gguf"),
    PartFlaw(1, "split.count", .uint16(2), "split.count is 2; must be 3, as in m-00001-of-00003.gguf"),
    PartFlaw(1, "split.no", nil, "split.no is missing, but split.count is 3"),
    PartFlaw(1, "split.no", .uint16(2), "split.no is 2; must be 1, because the file is part 2 of 3"),
    PartFlaw(2, "split.no", .uint16(0), "split.no is 0; must be 2, because the file is part 3 of 3"),
    PartFlaw(2, "split.no", .uint16(9), "split.no is 9; must be from 0 to 2"),
    PartFlaw(
      2, "split.tensors.count", .int32(19), "split.tensors.count is 19; must be 20, as in m-00001-of-00003.gguf"),
    PartFlaw(2, "general.alignment", .uint32(3), "general.alignment is 3; must be a power of two up to 1073741824"),
  ])
  func rejectsWrongKeys(_ flaw: PartFlaw) throws {
    let folder = try Folder()
    var parts = Self.whole.parts([10, 5, 5])
    parts[flaw.part][flaw.key] = flaw.value
    let names = try folder.write(parts: parts)
    let message = try errorMessage(names[0], in: folder)
    #expect(
      message?.hasPrefix("\(names[flaw.part]): \(flaw)") == true, "\(message ?? "opened")")
    for name in names { #expect(try errorMessage(name, in: folder) != nil || name == names[flaw.part]) }
  }

  /// If a part other than the first is named, the first part must belong to the same model.
  @Test func comparesFirstPartWithTheNamedPart() throws {
    for (key, value, reason) in [
      ("split.no", .uint16(1), "split.no is 1; must be 0, because the file is part 1 of 2"),
      ("split.count", nil, "split.count is missing; must be 2, as in m-00002-of-00002.gguf"),
      ("split.tensors.count", .int32(1), "split.tensors.count is 1; must be 20, as in m-00002-of-00002.gguf"),
    ] as [(String, GGUFBuilder.Value?, String)] {
      let folder = try Folder()
      var parts = Self.whole.parts([10, 10])
      parts[0][key] = value
      let names = try folder.write(parts: parts)
      #expect(try errorMessage(names[1], in: folder) == "\(names[0]): \(reason)")
    }
  }

  @Test func rejectsDuplicateTensors() throws {
    let folder = try Folder()
    var parts = Self.whole.parts([10, 5, 5])
    parts[2].tensors.append(parts[1].tensors[0])
    let names = try folder.write(parts: parts)
    #expect(
      try errorMessage(names[0], in: folder)
        == "\(names[2]): duplicate tensor \"\(parts[1].tensors[0].name)\", which is also in \(names[1])")
  }

  @Test func rejectsWrongTotalOfTensors() throws {
    for (tensors, found) in [(Self.whole.tensors.count - 1, 19), (21, 21)] {
      let folder = try Folder()
      var parts = Self.whole.parts([10, 5, 5])
      if tensors < 20 {
        parts[2].tensors.removeLast()
      } else {
        parts[2].tensors.append(.init(name: "x", dimensions: [1]))
      }
      let names = try folder.write(parts: parts)
      #expect(
        try errorMessage(names[1], in: folder)
          == "\(names[0]): split.tensors.count is 20, but the number of tensors in 3 parts is \(found)")
    }
    let single = Self.whole.parts([20])[0].with { $0["split.tensors.count"] = .int32(-1) }
    #expect(
      try single.errorMessage() == "split.tensors.count is -1, but the number of tensors in 1 parts is 20")
  }

  /// A part with another name would make the names of the others unknown.
  @Test(arguments: [
    "model.gguf", "m-00002-of-00002.gguf", "m-00001-of-00003.gguf", "m-1-of-2.gguf", "m-00001-of-00002.GGUF",
    "m_00001-of-00002.gguf", "m-00001-of-00002",
  ])
  func rejectsOtherNames(_ name: String) throws {
    let folder = try Folder()
    try folder.write(name, Self.whole.parts([10, 10])[0].data)
    #expect(
      try errorMessage(name, in: folder)
        == "\(name): this is part 1 of 2 of a model, so its name must end with -00001-of-00002.gguf: rename it")
  }

  // MARK: names

  @Test func parsesNames() throws {
    let name = try #require(GGUFPartName("a/b-00002-of-00003.gguf"))
    #expect(name.prefix == "a/b" && name.number == 2 && name.count == 3)
    #expect(name.path == "a/b-00002-of-00003.gguf" && name.part(1).path == "a/b-00001-of-00003.gguf")
    #expect(GGUFPartName("-00001-of-00001.gguf")?.prefix == "")
    #expect(GGUFPartName("x-12345-of-99999.gguf")?.part(99999).path == "x-99999-of-99999.gguf")
    #expect(GGUFPartName(Path([0xFF] + Array("-00001-of-00002.gguf".utf8)))?.path.bytes.first == 0xFF)
  }

  @Test(arguments: [
    "", ".gguf", "-of-.gguf", "m.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf", "m-00000-of-00000.gguf",
    "m-0001-of-0002.gguf", "m-000001-of-000002.gguf", "m-+0001-of-00002.gguf", "m-00001-of-00002.safetensors",
    "m-00001_of_00002.gguf", "00001-of-00002.gguf", "m-00001-of-00002.gguf.part",
  ])
  func rejectsOtherNamesOfParts(_ name: String) { #expect(GGUFPartName(Path(name)) == nil) }

  // MARK: random damage

  /// Randomly damaged parts are read or cause a `CheckpointError`, without a crash and without delay.
  @Test func survivesRandomDamage() throws {
    var generator = SeededGenerator(9)
    let parts = Self.whole.parts([10, 10]).map { [UInt8]($0.data) }
    let folder = try Folder()
    let names = try folder.write(parts: Self.whole.parts([10, 10]))
    var refused = 0
    let start = ContinuousClock.now
    for index in 0..<400 {
      var file = parts[index % 2]
      let keys = try #require(file.firstRange(of: Array("split.no".utf8))).lowerBound
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let place = Int.random(in: keys..<keys + 100, using: &generator)
        file[place] = UInt8.random(in: 0...255, using: &generator)
      }
      try folder.write(names[index % 2], Data(file))
      do {
        let (files, checkpoint) = try open(names[index / 2 % 2], in: folder)
        _ = try files.tokenizerTables()
        for tensor in checkpoint.tensors.values { _ = tensor.bytes.last }
      } catch is CheckpointError { refused += 1 }
      try folder.write(names[index % 2], Data(parts[index % 2]))
    }
    #expect(refused > 200)
    #expect(ContinuousClock.now - start < .seconds(20))
  }
}
