import Checkpoint
import Foundation
import Platform
import TestSupport
import Testing

/// Serialized, because the environment is shared by the whole process.
@Suite(.serialized) struct ModelLocationTests {
  private static let variables = ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME", "LM_MODEL"]

  /// Runs `body` with these variables set and all other variables of `variables` unset.
  private func with<Result>(_ environment: [String: String], _ body: () throws -> Result) rethrows -> Result {
    let before = Self.variables.map { ($0, ProcessInfo.processInfo.environment[$0]) }
    func set(_ name: String, _ value: String?) { if let value { setenv(name, value, 1) } else { unsetenv(name) } }
    for name in Self.variables { set(name, environment[name]) }
    defer { for (name, value) in before { set(name, value) } }
    return try body()
  }

  /// Creates a cache with a snapshot of each of these models.
  private func cache(_ folder: Folder, _ models: String...) throws {
    for model in models {
      try folder.write("\(model)/refs/main", "abc123\n")
      try folder.write("\(model)/snapshots/abc123/config.json", "{}")
    }
  }

  private func found(_ name: String, in folder: Folder) throws -> String {
    let location = try with(["HF_HUB_CACHE": folder.path]) { try ModelLocation.find(Path(name)) }
    return location.path.text.replacingOccurrences(of: folder.path + "/", with: "")
  }

  @Test(arguments: [
    ("gpt2", "models--gpt2"), ("gpt2", "models--openai-community--gpt2"),
    ("gpt2-medium", "models--openai-community--gpt2-medium"),
    ("distilgpt2", "models--distilgpt2"), ("distilgpt2", "models--distilbert--distilgpt2"),
    ("openai-community/gpt2", "models--openai-community--gpt2"), ("org/a-b.c", "models--org--a-b.c"),
  ])
  func findsNamesInTheCache(_ name: String, _ folder: String) throws {
    let hub = try Folder()
    try cache(hub, folder, "models--somebody--gpt2")
    #expect(try found(name, in: hub) == folder + "/snapshots/abc123")
  }

  @Test func prefersTheExactName() throws {
    let hub = try Folder()
    try cache(hub, "models--gpt2", "models--openai-community--gpt2")
    #expect(try found("gpt2", in: hub) == "models--gpt2/snapshots/abc123")
  }

  @Test func listsAllKnownNames() throws {
    let hub = try Folder()
    try cache(hub, "models--openai-community--gpt2", "models--distilgpt2", "models--org--b", "datasets--org--texts")
    try hub.write("models--org--unfinished/refs/main", "abc123")
    try hub.write("models--org--odd", "")
    let names = with(["HF_HUB_CACHE": hub.path]) { ModelLocation.knownNames }
    #expect(
      names.filter { $0 != ModelLocation.defaultName } == ["distilgpt2", "gpt2", "openai-community/gpt2", "org/b"])
    for name in names where name != ModelLocation.defaultName {
      #expect(throws: Never.self) { try found(name.text, in: hub) }
    }
    #expect(with(["HF_HUB_CACHE": hub.path + "/nothing"]) { ModelLocation.knownNames }.count <= 1)
  }

  @Test func environmentDeterminesTheCacheFolder() throws {
    for (environment, place) in [
      (["HF_HUB_CACHE": "", "HF_HOME": "/h", "XDG_CACHE_HOME": "/x", "HOME": "/u"], "/h/hub"),
      (["HF_HOME": "/h"], "/h/hub"),
      (["XDG_CACHE_HOME": "/x", "HOME": "/u"], "/x/huggingface/hub"), (["HOME": "/u"], "/u/.cache/huggingface/hub"),
    ] {
      let folder = try Folder()
      try cache(folder, "\(place.dropFirst())/models--org--m")
      let moved = environment.mapValues { $0.isEmpty ? "" : folder.path + $0 }
      #expect(
        try with(moved) { try ModelLocation.find("org/m").path.text } == folder.path + place
          + "/models--org--m/snapshots/abc123")
    }
    let error = with([:]) { #expect(throws: CheckpointError.self) { try ModelLocation.find("org/m") } }
    #expect(error?.description.contains("neither HOME nor HF_HOME is set") == true)
  }

  @Test(arguments: ["../evil", "a/..", "a/../b", "a/b/c", "/evil", "evil/", "a//b"])
  func doesNotLookUpPathsInTheCache(_ name: String) throws {
    let hub = try Folder()
    try cache(
      hub, "models--..--evil", "models--a--..--b", "models--evil", "models--a--b--c", "models----evil", "models--a----b"
    )
    let error = #expect(throws: CheckpointError.self) { try found(name, in: hub) }
    #expect(error == .notFound("\(name): no such file or folder"))
  }

  @Test(arguments: ["absent/model", "absent"])
  func reportsUnknownNames(_ name: String) throws {
    let hub = try Folder()
    let error = #expect(throws: CheckpointError.self) { try found(name, in: hub) }
    #expect(
      error?.description.hasPrefix("\(name): no such folder, and no model of this name in the hub cache (\(hub.path))")
        == true)
  }

  @Test(arguments: [
    "", "../../x", "/etc", "..", "no-such-commit", "a/b", ".", "..\0x", ".\0", "abc123\0", "abc123\u{1}",
  ])
  func ignoresDamagedReferences(_ commit: String) throws {
    let hub = try Folder()
    try hub.write("models--m/refs/main", commit)
    try hub.write("models--m/snapshots/abc123/config.json", "{}")
    for folder in ["models--m/snapshots", "models--m", "."] { try hub.write(folder + "/config.json", "{}") }
    #expect(throws: CheckpointError.self) { try found("m", in: hub) }
  }

  @Test func suggestsHowToFetchTheModel() throws {
    let hub = try Folder()
    let error = #expect(throws: CheckpointError.self) { try found("distilgpt2", in: hub) }
    #expect(error?.description.contains("lm-pull distilbert/distilgpt2 fetches it if the hub has it") == true)
    #expect(error?.description.contains("did you mean") == false)
    try cache(hub, "models--openai-community--gpt2")
    let near = #expect(throws: CheckpointError.self) { try found("openai-comunity/gpt2", in: hub) }
    #expect(near?.description.contains("did you mean openai-community/gpt2?") == true)
  }

  @Test(arguments: [
    ("SmolLM2-GGUF", "did you mean QuantFactory/SmolLM2-GGUF?"), ("gtp2", "did you mean gpt2? Otherwise, lm-pull gtp2"),
    ("gpt", "did you mean gpt2? Otherwise, lm-pull gpt fetches it"),
    ("smollm2-135", "did you mean smollm2-135m? (lm-pull"),
    ("smollm2-135m", "; lm-pull smollm2-135m fetches it"), ("quantfactory", "did you mean QuantFactory/SmolLM2-GGUF?"),
    ("nothing-like-it", "; lm-pull nothing-like-it fetches it if the hub has it"),
  ])
  func suggestsSimilarNames(_ name: String, _ suggestion: String) throws {
    let hub = try Folder()
    try cache(
      hub, "models--openai-community--gpt2", "models--openai-community--gpt2-medium",
      "models--QuantFactory--SmolLM2-GGUF")
    let error = #expect(throws: CheckpointError.self) { try found(name, in: hub) }
    #expect(error?.description.contains(suggestion) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [("m-q8_0", "m-q8_0.gguf"), ("m-q8_0.guf", "m-q8_0.gguf"), ("m-q4_0.gguf", "m-q8_0.gguf")])
  func suggestsGGUFFiles(_ name: String, _ file: String) throws {
    let folder = try Folder()
    try folder.write("m-q8_0.gguf", "")
    let error = #expect(throws: CheckpointError.self) { try ModelLocation.find(Path("\(folder.path)/\(name)")) }
    #expect(error?.description.hasSuffix("; did you mean \(folder.path)/\(file)?") == true)
  }

  @Test func acceptsACacheFolderAsAPath() throws {
    let hub = try Folder()
    try cache(hub, "models--org--m")
    let folder = hub.path + "/models--org--m"
    for path in [folder, folder + "/"] {
      let location = try ModelLocation.find(Path(path))
      #expect(location == ModelLocation(folder: Path(folder + "/snapshots/abc123")) && location.name == "org/m")
    }
    try FileManager.default.removeItem(atPath: folder + "/refs")
    let error = #expect(throws: CheckpointError.self) { try ModelLocation.find(Path(folder)) }
    #expect(error?.description.hasSuffix("name one of its snapshots, such as \(folder)/snapshots/abc123") == true)
  }

  @Test func namesTheFolderForASafetensorsFile() throws {
    let folder = try Folder()
    try folder.write("model.safetensors", safetensors("{}"))
    let file = try ModelLocation.find(Path(folder.path + "/model.safetensors"))
    let error = #expect(throws: CheckpointError.self) { try ModelFiles(file) }
    #expect(
      error?.description.hasSuffix("not a GGUF file; for a model in safetensors, name the folder, \(folder.path)")
        == true)
  }

  @Test func prefersFoldersAndUsesTheVariable() throws {
    let folder = try Folder()
    try folder.write("config.json", "{}")
    #expect(try ModelLocation.find(Path(folder.path)) == ModelLocation(folder: Path(folder.path)))
    #expect(try with(["LM_MODEL": folder.path]) { try ModelLocation.find(nil).path } == Path(folder.path))
    let file = try ModelLocation.find(Path(folder.path + "/config.json"))
    #expect(file == ModelLocation(file: Path(folder.path + "/config.json")))
    let error = #expect(throws: CheckpointError.self) { try ModelFiles(file) }
    #expect(
      error?.description.contains("/config.json: not a GGUF file; a model is a .gguf file, or a folder") == true)
  }

  // MARK: GGUF files

  @Test func findsTheOnlyGGUFFileInAFolder() throws {
    let folder = try Folder()
    try folder.write("model-q8_0.gguf", "")
    try folder.write("README.md", "")
    let file = ModelLocation(file: Path(folder.path + "/model-q8_0.gguf"))
    #expect(try ModelLocation.find(Path(folder.path)) == file)
    #expect(try ModelLocation.find(Path(folder.path + "/")) == file)
    #expect(try ModelLocation.find(file.path) == file)
    try folder.write("config.json", "{}")  // repositories of GGUF files often have a config.json
    #expect(try ModelLocation.find(Path(folder.path)) == file)
    try folder.write("model.safetensors.index.json", "{}")
    #expect(try ModelLocation.find(Path(folder.path)) == ModelLocation(folder: Path(folder.path)))
  }

  @Test func asksForAChoiceAmongSeveralGGUFFiles() throws {
    let folder = try Folder()
    for name in ["b.gguf", "a.gguf", "c.gguf"] { try folder.write(name, "") }
    let error = #expect(throws: CheckpointError.self) { try ModelLocation.find(Path(folder.path)) }
    #expect(
      error
        == .notFound(
          "\(folder.path): there are several GGUF files: name one, such as \(folder.path)/a.gguf "
            + "(the others: b.gguf, c.gguf)"))
  }

  @Test func countsPartsAsOneModel() throws {
    let folder = try Folder()
    for number in [3, 1, 2] { try folder.write("m-q8_0-0000\(number)-of-00003.gguf", "") }
    let first = ModelLocation(file: Path(folder.path + "/m-q8_0-00001-of-00003.gguf"))
    #expect(try ModelLocation.find(Path(folder.path)) == first)
    let error = #expect(throws: CheckpointError.self) { try ModelLocation.find(Path("\(folder.path)/m-q8")) }
    #expect(error?.description.hasSuffix("; did you mean \(first.path)?") == true)
    try folder.write("m-q8_0-00001-of-00002.gguf", "")
    try folder.write("m-f16-00002-of-00002.gguf", "")
    let several = #expect(throws: CheckpointError.self) { try ModelLocation.find(Path(folder.path)) }
    #expect(
      several?.description.hasSuffix(
        "name one, such as \(folder.path)/m-f16-00002-of-00002.gguf (the others: m-q8_0-00001-of-00002.gguf, "
          + "m-q8_0-00001-of-00003.gguf)") == true)
  }

  @Test func findsPartsInTheCache() throws {
    let hub = try Folder()
    let snapshot = "models--org--m-GGUF/snapshots/abc123"
    try hub.write("models--org--m-GGUF/refs/main", "abc123")
    for number in 1...2 { try hub.write("\(snapshot)/m-0000\(number)-of-00002.gguf", "") }
    #expect(try found("org/m-GGUF", in: hub) == "\(snapshot)/m-00001-of-00002.gguf")
    #expect(
      try found("org/m-GGUF/m-00002-of-00002.gguf", in: hub) == "\(snapshot)/m-00002-of-00002.gguf")
    let names = with(["HF_HUB_CACHE": hub.path]) { ModelLocation.knownNames }
    #expect(names.filter { $0 != ModelLocation.defaultName } == ["org/m-GGUF"])
  }

  @Test func findsGGUFFilesInTheCache() throws {
    let hub = try Folder()
    try hub.write("models--org--m-GGUF/refs/main", "abc123")
    try hub.write("models--org--m-GGUF/snapshots/abc123/m-q4_0.gguf", "")
    #expect(try found("org/m-GGUF", in: hub) == "models--org--m-GGUF/snapshots/abc123/m-q4_0.gguf")
    try hub.write("models--org--m-GGUF/snapshots/abc123/m-q8_0.gguf", "")
    #expect(try found("org/m-GGUF/m-q8_0.gguf", in: hub) == "models--org--m-GGUF/snapshots/abc123/m-q8_0.gguf")
    var error = #expect(throws: CheckpointError.self) { try found("org/m-GGUF", in: hub) }
    #expect(error?.description.contains("name one, such as org/m-GGUF/m-q4_0.gguf (the others: m-q8_0.gguf)") == true)
    error = #expect(throws: CheckpointError.self) { try found("org/m-GGUF/m-f16.gguf", in: hub) }
    #expect(error?.description.contains("lm-pull org/m-GGUF --file m-f16.gguf fetches it if the hub has it") == true)
    for name in ["m-f16.gguf", "../m-GGUF/m-q8_0.gguf", "org/m-GGUF/../x.gguf", "/nowhere/x.gguf"] {
      error = #expect(throws: CheckpointError.self) { try found(name, in: hub) }
      #expect(error == .notFound("\(name): no such file"))
    }
  }

  @Test(arguments: [
    ("models--gpt2/snapshots/abc", "gpt2"), ("models--openai-community--gpt2/snapshots/abc", "openai-community/gpt2"),
    ("models--org--a--b/snapshots/abc", "org/a--b"), ("wren", "wren"), ("wren/", "wren"), ("snapshots/abc", "abc"),
  ])
  func namesFoldersAndCachedModels(_ path: String, _ name: String) throws {
    let folder = try Folder()
    try folder.write(path + "/config.json", "{}")
    #expect(try ModelLocation.find(Path(folder.path + "/" + path)).name == Path(name))
  }

  @Test func namesGGUFFiles() throws {
    let folder = try Folder()
    try folder.write("models--org--m/blobs/0123", "")
    try folder.write("models--org--m/snapshots/abc/config.json", "")
    let link = folder.path + "/models--org--m/snapshots/abc/m-q8_0.gguf"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "../../blobs/0123")
    #expect(try ModelLocation.find(Path(link)).name == "org/m/m-q8_0.gguf")
    try folder.write("x.gguf", "")
    #expect(try ModelLocation.find(Path(folder.path + "/x.gguf")).name == "x.gguf")
  }
}
