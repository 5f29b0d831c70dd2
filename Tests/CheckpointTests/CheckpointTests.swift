import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

@Suite struct CheckpointTests {
  /// The names are those in the file, with all prefixes, and tensors that no model uses are included.
  @Test func keepsNamesOfTheFile() throws {
    let model = try safetensors(["transformer.wte.weight": [4, 2], "wpe.weight": [3, 2], "other": [1]])
      .write(to: Folder()).open()
    #expect(model.tensors.keys.sorted() == ["other", "transformer.wte.weight", "wpe.weight"])
    #expect(model.tensors.allSatisfy { $0.key == $0.value.name })
  }

  @Test func identityDependsOnFiles() throws {
    let folder = try Folder()
    let model = try Checkpoint(folder.files(GGUFBuilder.gpt2.data))
    let first = model.identity
    #expect(model.identity == first)
    _ = try folder.files(GGUFBuilder.gpt2.with { $0["general.name"] = .string("another") }.data)
    #expect(model.identity != first)
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
    #expect(model.tensors["a"]?.shape == [2] && model.tensors["b"]?.shape == [1] && model.tensors["c"]?.shape == [3])
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
    for hasConfiguration in [true, false] {  // the weights are missing, or config.json is missing as well
      let folder = try Folder()
      for file in files { try folder.write(file, "x") }
      if hasConfiguration { try folder.write("config.json", smallConfiguration) }
      let error = #expect(throws: CheckpointError.self) {
        let files = try ModelFiles(ModelLocation(folder: Path(folder.path)))
        _ = try hasConfiguration ? Checkpoint(files) as Any : files.configuration()
      }
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
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"),
    (98_362_432, "98.3 MB"), (548_105_171, "548.1 MB"),
    (7_000_000_000, "7.0 GB"), (1 << 48, "281.4 TB"),
  ])
  func formatsByteCounts(_ bytes: Int, _ text: String) { #expect(formattedByteCount(bytes) == text) }
}
