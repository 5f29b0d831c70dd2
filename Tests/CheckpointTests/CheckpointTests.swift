import Checkpoint
import Foundation
import Testing

@Suite struct CheckpointTests {
  @Test func namesMayHaveThePrefixOrNot() throws {
    let model = try safetensors(["transformer.wte.weight": [4, 2], "wpe.weight": [3, 2]]).write(to: Folder()).open()
    #expect(try model.tensor("wte.weight", shape: [4, 2]).name == "transformer.wte.weight")
    #expect(try model.tensor("wpe.weight", shape: [3, 2]).name == "wpe.weight")
    #expect(model.find("ln_f.weight") == nil)
  }

  @Test func tensorsMustBeThereInShapeAndType() throws {
    let header =
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}"#
    let model = try safetensors(header, data: [UInt8](repeating: 0, count: 16)).write(to: Folder()).open()
    for (name, shape, reason) in [
      ("b", [2], #"there is no tensor "b", which a GPT-2 model needs"#),
      ("a", [3], #""a" has the shape [2], but config.json says [3]"#),
      ("i", [1], #""i" has elements of type I64; F32, F16 and BF16 can be computed with"#),
    ] {
      let error = #expect(throws: CheckpointError.self) { try model.tensor(name, shape: shape) }
      #expect(error?.description.hasSuffix("model.safetensors: " + reason) == true)
    }
  }

  private static let tensors: KeyValuePairs = [
    "transformer.wte.weight": [4, 2], "transformer.h.0.attn.bias": [1, 1, 3, 3], "transformer.h.0.attn.masked_bias": [],
    "transformer.h.0.attn.c_attn.bias": [6], "lm_head.weight": [4, 2],
  ]

  @Test func masksAndATiedHeadAreNoParameters() throws {
    let tied = try safetensors(Self.tensors).write(to: Folder()).open()
    #expect(tied.parameterCount == 8 + 6)
    let folder = try safetensors(Self.tensors).write(to: Folder())
    try folder.write(
      "config.json", smallConfiguration.replacingOccurrences(of: "}", with: #","tie_word_embeddings":false}"#))
    #expect(try folder.open().parameterCount == 8 + 6 + 8)
    #expect(tied.precision == "F32")
    #expect(tied.byteCount == safetensors(Self.tensors).count)
  }

  // MARK: shards

  private func sharded(_ map: String, _ shards: KeyValuePairs<String, Data>) throws -> Folder {
    let folder = try Folder()
    try folder.write("model.safetensors.index.json", #"{"metadata":{"total_size":1},"weight_map":{\#(map)}}"#)
    for (name, data) in shards { try folder.write(name, data) }
    return folder
  }

  @Test func shardsMakeOneModel() throws {
    let (one, two) = (safetensors(["a": [2], "b": [1]]), safetensors(["c": [3]]))
    let folder = try sharded(
      #""c":"m-2.safetensors","a":"m-1.safetensors","b":"m-1.safetensors""#,
      ["m-1.safetensors": one, "m-2.safetensors": two])
    let model = try folder.open()
    #expect(model.files.map { $0.split(separator: "/").last } == ["m-1.safetensors", "m-2.safetensors"])
    #expect(model.find("a")?.shape == [2] && model.find("b")?.shape == [1] && model.find("c")?.shape == [3])
    #expect(model.byteCount == one.count + two.count && model.parameterCount == 6)
  }

  @Test(arguments: [
    ("../x.safetensors", #""../x.safetensors" is not the name of a safetensors file in this folder"#),
    ("/etc/x.safetensors", #""/etc/x.safetensors" is not the name of a safetensors file in this folder"#),
    ("sub/x.safetensors", #""sub/x.safetensors" is not the name of a safetensors file in this folder"#),
    ("\\u002e./x.safetensors", #""../x.safetensors" is not the name of a safetensors file in this folder"#),
    ("..", #"".." is not the name of a safetensors file in this folder"#),
    ("/etc/passwd", #""/etc/passwd" is not the name of a safetensors file in this folder"#),
    ("", #""" is not the name of a safetensors file in this folder"#),
    ("m-2.safetensors", #""a" should be in m-2.safetensors, and is not"#),
  ])
  func shardsLieInTheFolderAndHoldTheirTensors(_ name: String, _ reason: String) throws {
    let folder = try sharded(#""a":"\#(name)""#, ["m-2.safetensors": safetensors(["b": [1]])])
    #expect(folder.complaint() == "model.safetensors.index.json: \(reason)")
  }

  @Test func aMissingShardIsNamed() throws {
    #expect(try sharded(#""a":"m-1.safetensors""#, [:]).complaint() == "m-1.safetensors: No such file or directory")
  }

  @Test func anIndexNamesEachTensorOnceAndAtLeastOne() throws {
    let twice = try sharded(#""a":"m.safetensors","a":"m.safetensors""#, ["m.safetensors": safetensors(["a": [1]])])
    #expect(twice.complaint() == #"model.safetensors.index.json: "a" is named twice"#)
    #expect(try sharded("", [:]).complaint() == "model.safetensors.index.json: its weight_map names no tensors")
    for text in [
      "{}", "[]", "", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{"a":"m.safetensors"}"#,
    ] {
      let folder = try Folder()
      try folder.write("model.safetensors.index.json", text)
      #expect(folder.complaint()?.hasPrefix("model.safetensors.index.json: ") == true)
    }
  }

  @Test func aFolderWithoutWeightsIsNotFound() throws {
    let folder = try Folder()
    #expect(folder.complaint() == "\(folder.path): neither model.safetensors nor model.safetensors.index.json is there")
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (31_457_280, "31,457,280"), (-1, "-1"), (-999, "-999"), (-1000, "-1,000"),
    (-123_456, "-123,456"),
    (Int.max, "9,223,372,036,854,775,807"), (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func numbersAreGrouped(_ number: Int, _ text: String) {
    #expect(grouped(number) == text)
  }
}
