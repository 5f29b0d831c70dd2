import Testing

@testable import Hub

@Suite struct FileListingTests {
  private static let commit = String(repeating: "0a", count: 20)
  private static let sha256 = String(repeating: "1b", count: 32)

  private func listing(_ names: [String]) throws -> FileListing {
    let siblings = names.map { name in
      let lfs = name.hasSuffix(".json") ? "" : #", "lfs": {"sha256": "\#(Self.sha256)", "size": 9, "pointerSize": 1}"#
      return #"{"rfilename": "\#(name)", "size": 9, "blobId": "\#(Self.commit)"\#(lfs)}"#
    }
    return try Self.parse(
      #"{"id": "a/b", "sha": "\#(Self.commit)", "gated": false, "siblings": [\#(siblings.joined(separator: ","))]}"#)
  }

  private static func parse(_ text: String) throws -> FileListing {
    try Array(text.utf8).withUnsafeBufferPointer { try FileListing($0) }
  }

  private func selection(_ names: [String], _ choice: String? = nil) throws -> [String] {
    try FileSelection(of: listing(names), model: "a/b", choice: choice).files.map(\.path)
  }

  @Test func readsDigests() throws {
    let listing = try listing(["config.json", "model.safetensors"])
    #expect(listing.commit == Self.commit)
    #expect(listing.file("config.json")?.digest == .gitBlob(Self.commit))
    #expect(listing.file("model.safetensors")?.digest == .sha256(Self.sha256))
    #expect(listing.file("model.safetensors")?.size == 9)
  }

  @Test(arguments: [
    "../x.bin", "a/../../x.bin", "/x.bin", "", ".", "..", "a//b.bin", "a/", "x\\u0000.bin", "x\\n.bin", "\\u007f",
    "a\\\\b", String(repeating: "a", count: 256),
  ])
  func rejectsUnsafePaths(_ name: String) {
    #expect(throws: HubError.self) { try listing(["config.json", name]) }
  }

  @Test func rejectsDuplicateFiles() {
    #expect(throws: HubError.self) { try listing(["config.json", "config.json"]) }
  }

  @Test func namesTheFirstInvalidFile() {
    let error = #expect(throws: HubError.self) { try listing(["a.bin", "../x", "../y"]) }
    #expect(error?.message.contains("\"../x\"") == true)
  }

  @Test func limitsTheNumberOfChoices() {
    let error = #expect(throws: HubError.self) { try selection((0..<1000).map { "\($0).gguf" }) }
    #expect(error?.choices.count == 101 && error?.choices.last == "and 900 more")
  }

  @Test func limitsTheNumberOfStrings() {
    let text = "[" + repeatElement(#"{"id":"a"}"#, count: 5000).joined(separator: ",") + "]"
    #expect(stringMembers("id", of: Array(text.utf8)).count == 1000)
  }

  /// Takes 0.2 s. A quadratic search would take minutes.
  @Test func findsManyShardsInLinearTime() throws {
    let names = (0..<100_000).map { "\($0).safetensors" }
    let listing = try listing(names)
    let index = "{\"weight_map\": {" + names.map { "\"\($0)\": \"\($0)\"" }.joined(separator: ",") + "}}"
    let bytes = Array(index.utf8)
    let time = try ContinuousClock().measure {
      let shards = try bytes.withUnsafeBufferPointer { try FileSelection.shards(in: $0, of: listing) }
      #expect(shards.count == names.count)
    }
    #expect(time < .seconds(20))
  }

  @Test func selectsNeededFiles() throws {
    #expect(
      try selection([
        ".gitattributes", "README.md", "config.json", "flax_model.msgpack", "model.safetensors", "onnx/config.json",
        "pytorch_model.bin", "tokenizer.json", "x.gguf",
      ]) == ["config.json", "tokenizer.json", "model.safetensors"])
    let sharded = ["config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json"]
    #expect(try selection(sharded) == ["config.json", "model.safetensors.index.json"])
    #expect(try selection(["config.json", "m.Q4_0.gguf"]) == ["m.Q4_0.gguf"])
    #expect(try selection(["config.json", "model.safetensors", "m.Q4_0.gguf"], "Q4_0") == ["m.Q4_0.gguf"])
    #expect(
      try selection(["big-Q8_0-00002-of-00002.gguf", "big-Q8_0-00001-of-00002.gguf", "mmproj-F16.gguf"])
        == ["big-Q8_0-00001-of-00002.gguf", "big-Q8_0-00002-of-00002.gguf"])
  }

  @Test func selectsOneQuantization() throws {
    let names = ["m-Q4_0.gguf", "m-Q4_0_4_4.gguf", "m.q8_0.gguf", "deep/m-Q6_K.gguf", "F16"]
    #expect(try selection(names, "Q4_0") == ["m-Q4_0.gguf"])
    #expect(try selection(names, "Q8_0") == ["m.q8_0.gguf"])
    #expect(try selection(names, "deep/m-Q6_K.gguf") == ["deep/m-Q6_K.gguf"])
    #expect(try selection(names) == ["m.q8_0.gguf"])
    #expect(throws: HubError.self) { try selection(names, "F16") }
    #expect(throws: HubError.self) { try selection(["m-Q8_0-00001-of-00002.gguf"]) }
    let unsupported = #expect(throws: HubError.self) { try selection(["m-NVFP4.gguf", "m-Q1_0.gguf"]) }
    #expect(unsupported?.kind == .badData && unsupported?.choices[0].hasSuffix("[type not implemented]") == true)
    let several = #expect(throws: HubError.self) { try selection(["a-Q4_0.gguf", "b-Q4_0.gguf", "c-NVFP4.gguf"]) }
    #expect(several?.message == "a/b has 3 GGUF models: choose one, as in lm-pull a/b --file a-Q4_0.gguf")
    #expect(throws: HubError.self) { try selection(["a-Q4_0.gguf", "b-Q4_0.gguf"], "Q4_0") }
    #expect(throws: HubError.self) { try selection(["pytorch_model.bin"]) }
  }

  @Test func selectsAllPartsOfASplitFile() throws {
    let q8 = ["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"]
    let f16 = (1...3).map { "F16/m-F16-0000\($0)-of-00003.gguf" }
    #expect(try selection(q8.reversed() + ["config.json"]) == q8)
    let names = ["F16/README.md"] + f16 + ["m-Q4_0.gguf"] + q8
    for choice in ["q8_0", q8[0], q8[1]] { #expect(try selection(names, choice) == q8) }
    for choice in ["F16"] + f16 { #expect(try selection(names, choice) == f16) }
    #expect(try selection(names, "Q4_0") == ["m-Q4_0.gguf"])
    #expect(try selection(names) == q8)
    for choice in ["00001", "Q8_0-00001", "m-Q8_0.gguf"] {
      let error = #expect(throws: HubError.self) { try selection(names, choice) }
      #expect(
        error?.choices == [
          "27 bytes  F16/m-F16-00001-of-00003.gguf (3 files)", "9 bytes  m-Q4_0.gguf",
          "18 bytes  m-Q8_0-00001-of-00002.gguf (2 files)",
        ])
    }
  }

  @Test func namesMissingParts() throws {
    for (names, missing) in [([2, 3], "00001-of-00003"), ([1, 3], "00002-of-00003"), ([1, 2], "00003-of-00003")] {
      let error = #expect(throws: HubError.self) { try selection(names.map { "m-0000\($0)-of-00003.gguf" }) }
      #expect(
        error?.message == "a/b has no m-\(missing).gguf, which is part \(missing.first { $0 != "0" } ?? "0") of 3")
    }
    let many = #expect(throws: HubError.self) { try selection(["m-00001-of-99999.gguf"]) }
    #expect(many?.message.hasPrefix("a/b has no m-00002-of-99999.gguf") == true)
  }

  /// The file in which huggingface_hub stores the listing of a commit.
  @Test func writesAndReadsTrees() throws {
    let listing = try listing(["config.json", "model.safetensors", "deep/a \\u0022b.json"])
    let tree = Array(listing.treeText.utf8).withUnsafeBufferPointer { FileListing(tree: $0, commit: Self.commit) }
    #expect(tree?.commit == Self.commit)
    #expect(tree?.files.sorted { $0.path < $1.path }.map(\.path) == listing.files.map(\.path).sorted())
    #expect(tree?.file("model.safetensors")?.digest == .sha256(Self.sha256))
    #expect(listing.treeText.contains(#""lfs_sha256": "\#(Self.sha256)", "lfs_size": 9"#))
    for text in ["", "{}", #"{"files": {"../x": {"size": 1, "blob_id": "\#(Self.commit)"}}}"#, "[]"] {
      #expect(Array(text.utf8).withUnsafeBufferPointer { FileListing(tree: $0, commit: Self.commit) } == nil)
    }
  }

  @Test func readsTheCurrentName() throws {
    #expect(try listing(["config.json"]).name?.text == "a/b")
    #expect(
      try Self.parse(#"{"id": "../b", "sha": "\#(Self.commit)", "siblings": []}"#).name == nil, "not a valid name")
  }

  @Test func readsShardsFromTheIndex() throws {
    let listing = try listing(["a.safetensors", "b.safetensors", "deep/c.safetensors"])
    func shards(_ index: String) throws -> [String] {
      try Array(index.utf8).withUnsafeBufferPointer { try FileSelection.shards(in: $0, of: listing).map(\.path) }
    }
    #expect(
      try shards(#"{"metadata": {"total_size": 1}, "weight_map": {"x": "b.safetensors", "y": "a.safetensors"}}"#)
        == ["a.safetensors", "b.safetensors"])
    for name in ["deep/c.safetensors", "../a.safetensors", "d.safetensors"] {
      #expect(throws: HubError.self) { try shards(#"{"weight_map": {"x": "\#(name)"}}"#) }
    }
    for index in ["{}", "[]", #"{"weight_map": {}}"#, #"{"weight_map": {"x": 1}}"#] {
      #expect(throws: HubError.self) { try shards(index) }
    }
  }
}
