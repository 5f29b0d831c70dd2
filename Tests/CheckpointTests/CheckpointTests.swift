import Checkpoint
import Foundation
import Platform
import Testing

@Suite struct CheckpointTests {
  @Test func acceptsNamesWithAndWithoutPrefix() throws {
    let model = try safetensors(["transformer.wte.weight": [4, 2], "wpe.weight": [3, 2]]).write(to: Folder()).open()
    #expect(try model.tensor("wte.weight").name == "transformer.wte.weight")
    #expect(try model.tensor("wpe.weight").name == "wpe.weight")
    #expect(model.find("ln_f.weight") == nil)
  }

  @Test func rejectsMissingAndMismatchedTensors() throws {
    let header =
      #"{"wpe.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"ln_f.bias":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}"#
    let model = try safetensors(header, data: [UInt8](repeating: 0, count: 24)).write(to: Folder()).open()
    for (name, reason) in [
      ("wte.weight", #"missing tensor "wte.weight", which a gpt2 model needs"#),
      ("wpe.weight", #""wpe.weight" has shape [2], but config.json requires [3, 2]"#),
      ("ln_f.bias", #""ln_f.bias" is of type I64, which is not implemented; F32, F16 and BF16 are"#),
    ] {
      let error = #expect(throws: CheckpointError.self) { try model.tensor(name) }
      #expect(error?.description.hasSuffix("model.safetensors: " + reason) == true)
    }
  }

  /// Returns the tensors of the small model, without an output head.
  private func tensors() throws -> [String: [Int]] {
    let folder = try Folder()
    try folder.write("config.json", smallConfiguration)
    var shapes = try ModelConfiguration(ModelFiles(.find(Path(folder.path)))).tensorShapes
    shapes["lm_head.weight"] = nil
    return shapes
  }

  @Test func modelTensorsExcludeUnusedTensors() throws {
    let plain = try tensors()
    let count = plain.values.reduce(0) { $0 + $1.reduce(1, *) }
    func parameters(_ more: [String: [Int]]) throws -> Int {
      let model = try safetensors(plain.merging(more) { $1 }).write(to: Folder()).open()
      return try model.modelTensors().reduce(0) { $0 + $1.count }
    }
    #expect(try parameters([:]) == count)
    #expect(try parameters(["h.0.attn.bias": [1, 1, 3, 3], "h.0.attn.masked_bias": []]) == count)  // masks
    #expect(try parameters(["lm_head.weight": [4, 2]]) == count + 8)  // even if config.json ties the embeddings
  }

  @Test func rejectsMissingUntiedHead() throws {
    let folder = try safetensors(try tensors()).write(to: Folder())
    try folder.write(
      "config.json", smallConfiguration.replacingOccurrences(of: "}", with: #","tie_word_embeddings":false}"#))
    #expect(throws: CheckpointError.self) { try folder.open().outputHead() }
  }

  @Test func rejectsUnexpectedAndDuplicateTensors() throws {
    let layers = try safetensors(["h.1.ln_1.weight": [2]]).write(to: Folder())
    #expect(
      layers.errorMessage()
        == #"model.safetensors: unexpected tensor "h.1.ln_1.weight": config.json gives 1 as the number of layers"#)
    let names = try safetensors(["wte.weight": [4, 2], "transformer.wte.weight": [4, 2]]).write(to: Folder())
    #expect(names.errorMessage() == #"model.safetensors: duplicate tensor: "wte.weight" and "transformer.wte.weight""#)
  }

  // MARK: shards

  private func sharded(_ map: String, _ shards: KeyValuePairs<String, Data>) throws -> Folder {
    let folder = try Folder()
    try folder.write("model.safetensors.index.json", #"{"metadata":{"total_size":1},"weight_map":{\#(map)}}"#)
    for (name, data) in shards { try folder.write(name, data) }
    return folder
  }

  @Test func mergesShards() throws {
    let (one, two) = (safetensors(["a": [2], "b": [1]]), safetensors(["c": [3]]))
    let folder = try sharded(
      #""c":"m-2.safetensors","a":"m-1.safetensors","b":"m-1.safetensors""#,
      ["m-1.safetensors": one, "m-2.safetensors": two])
    let model = try folder.open()
    #expect(model.files.map(\.lastComponent) == ["m-1.safetensors", "m-2.safetensors"])
    #expect(model.find("a")?.shape == [2] && model.find("b")?.shape == [1] && model.find("c")?.shape == [3])
    #expect(model.byteCount == one.count + two.count)
  }

  @Test(arguments: [
    ("../x.safetensors", #""../x.safetensors" is not the name of a safetensors file in this folder"#),
    ("/etc/x.safetensors", #""/etc/x.safetensors" is not the name of a safetensors file in this folder"#),
    ("sub/x.safetensors", #""sub/x.safetensors" is not the name of a safetensors file in this folder"#),
    ("\\u002e./x.safetensors", #""../x.safetensors" is not the name of a safetensors file in this folder"#),
    ("..", #"".." is not the name of a safetensors file in this folder"#),
    ("/etc/passwd", #""/etc/passwd" is not the name of a safetensors file in this folder"#),
    ("", #""" is not the name of a safetensors file in this folder"#),
    (
      "config.json\\u0000.safetensors",
      "\"config.json\0.safetensors\" is not the name of a safetensors file in this folder"
    ),
    ("m-2.safetensors", #""a" is missing from its shard, m-2.safetensors"#),
  ])
  func rejectsInvalidShardNames(_ name: String, _ reason: String) throws {
    let folder = try sharded(#""a":"\#(name)""#, ["m-2.safetensors": safetensors(["b": [1]])])
    #expect(folder.errorMessage() == "model.safetensors.index.json: \(reason)")
  }

  @Test func namesMissingShard() throws {
    #expect(try sharded(#""a":"m-1.safetensors""#, [:]).errorMessage() == "m-1.safetensors: No such file or directory")
  }

  @Test func rejectsInvalidIndex() throws {
    let twice = try sharded(#""a":"m.safetensors","a":"m.safetensors""#, ["m.safetensors": safetensors(["a": [1]])])
    #expect(twice.errorMessage() == #"model.safetensors.index.json: duplicate tensor "a""#)
    #expect(try sharded("", [:]).errorMessage() == "model.safetensors.index.json: \"weight_map\" is missing or empty")
    for text in [
      "{}", "[]", "", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{"a":"m.safetensors"}"#,
    ] {
      let folder = try Folder()
      try folder.write("model.safetensors.index.json", text)
      #expect(folder.errorMessage()?.hasPrefix("model.safetensors.index.json: ") == true)
    }
  }

  @Test func reportsMissingWeights() throws {
    let folder = try Folder()
    #expect(folder.errorMessage() == "\(folder.path): no model.safetensors or model.safetensors.index.json")
  }

  @Test(arguments: [
    (
      ["pytorch_model.bin"],
      "pytorch_model.bin: this format is not supported, because loading it can run code; convert it in Python: transformers."
    ),
    (
      ["pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"],
      "pytorch_model-00001-of-00002.bin: this format"
    ),
    (
      ["model-00002-of-00003.safetensors", "tf_model.h5"], "their index model.safetensors.index.json is missing"
    ),
    (["model.fp16.safetensors"], "model.fp16.safetensors: if it is the whole model, rename it to model.safetensors"),
    (["consolidated.safetensors"], "consolidated.safetensors: these are the original weights"),
    (["consolidated.00.pth"], "consolidated.00.pth: these are the original weights"),
    (["adapter_config.json", "adapter_model.safetensors"], "this is a LoRA adapter"),
    (["adapter_model.bin"], "adapter_model.bin: this is a LoRA adapter"),
    (["tf_model.h5"], "from_tf=True).save_pretrained("), (["flax_model.msgpack"], "from_flax=True).save_pretrained("),
    (["checkpoint-500/config.json", "checkpoint-1000/config.json", "checkpoint-x"], "checkpoint-1000"),
    (["a.gguf", "b.gguf"], "a.gguf: to use that file, name it: "),
  ])
  func namesUnsupportedFiles(_ files: [String], _ expected: String) throws {
    for hasConfiguration in [true, false] {
      let folder = try Folder()
      for file in files { try folder.write(file, "x") }
      if hasConfiguration { try folder.write("config.json", smallConfiguration) }
      let error = #expect(throws: CheckpointError.self) { try Checkpoint(ModelLocation(folder: Path(folder.path))) }
      guard case .notFound(let message) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(message.hasPrefix(folder.path + ": ") && message.contains(expected), "\(message)")
    }
  }

  @Test(arguments: [
    (
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n",
      "this is a Git LFS pointer and not the file"
    ),
    ("\n<!DOCTYPE html>\n<html>", "this is a web page, not the file"), ("<HTML lang=en>", "this is a web page"),
  ])
  func recognizesPlaceholders(_ text: String, _ reason: String) throws {
    for name in ["model.safetensors", "config.json", "model.safetensors.index.json"] {
      let folder = try Folder()
      try folder.write(name, text)
      #expect(folder.errorMessage()?.hasPrefix("\(name): \(reason)") == true, "\(folder.errorMessage() ?? "opened")")
    }
    let folder = try Folder()
    try folder.write("a.gguf", text)
    #expect(throws: CheckpointError.self) { try ModelFiles(ModelLocation.find(Path(folder.path + "/a.gguf"))) }
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (31_457_280, "31,457,280"), (-1, "-1"), (-999, "-999"), (-1000, "-1,000"),
    (-123_456, "-123,456"),
    (Int.max, "9,223,372,036,854,775,807"), (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func addsThousandsSeparators(_ number: Int, _ text: String) {
    #expect(withThousandsSeparators(number) == text)
  }

  @Test(arguments: [
    (0, "0.0 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"), (98_362_432, "98.3 MB"), (548_105_171, "548.1 MB"),
    (7_000_000_000, "7.0 GB"), (1 << 48, "281.4 TB"),
  ])
  func formatsByteCounts(_ bytes: Int, _ text: String) { #expect(formattedByteCount(bytes) == text) }
}
