import Platform

/// The folder in which Hugging Face's libraries store downloads (huggingface_hub, "Understand caching"):
/// `models--ORG--NAME/refs/main` holds a commit, `snapshots/COMMIT/` the files.
public struct HubCache {
  public let folder: Path

  /// The cache that the environment names (``HubEnvironment/cache``); nil if it names none.
  public static var standard: HubCache? { HubEnvironment.cache.map(HubCache.init) }

  /// Returns whether a name has the form `NAME` or `ORGANIZATION/NAME`, so that it can be a model name on the hub.
  static func isPossibleModelName(_ name: Path) -> Bool {
    let components = name.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return components.count <= 2 && components.allSatisfy { !$0.isEmpty && $0.first != UInt8(ascii: ".") }
  }

  /// The prefix of a model's folder name.
  static let prefix = "models--"

  /// Returns the model name of a cache folder: `models--org--name` is `org/name`.
  static func modelName(ofFolder folder: Path) -> Path {
    let bytes = Array(folder.bytes.dropFirst(prefix.utf8.count))
    guard let dashes = bytes.indices.dropLast().first(where: { bytes[$0] == 0x2D && bytes[$0 + 1] == 0x2D }) else {
      return Path(bytes)
    }
    return Path(bytes[..<dashes]).appending(Path(bytes[(dashes + 2)...]))
  }

  /// Models that the hub moved into an organization, by their old names.
  private static let movedModels: [Path: Path] = [
    "gpt2": "openai-community/gpt2", "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large", "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
  ]

  /// Returns the names under which the cache can have the model: the given name, and its other name if it was moved.
  static func candidates(for name: Path) -> [Path] {
    [name] + movedModels.filter { $0.key == name }.map(\.value) + movedModels.filter { $0.value == name }.map(\.key)
  }

  /// Returns the name under which the hub has the model now.
  static func currentName(of name: Path) -> Path { movedModels[name] ?? name }

  /// The sorted names of all models in the cache whose current snapshot has weights. A moved model is listed under both
  /// of its names.
  var modelNames: [Path] {
    let names = Set(folderNames + Self.movedModels.keys + Self.movedModels.values)
    return names.filter { snapshot(of: $0).map(ModelLocation.hasWeights) ?? false }.sorted()
  }

  /// The names of the models that have a folder in the cache.
  private var folderNames: [Path] {
    entries(ofFolder: folder).filter { $0.hasPrefix(Self.prefix) }.map { Self.modelName(ofFolder: $0) }
  }

  /// Returns the folder of a model: `org/name` is in `models--org--name`.
  public func folder(of name: Path) -> Path {
    folder.appending(Path(Array(Self.prefix.utf8) + name.components.map(\.bytes).joined(separator: "--".utf8)))
  }

  /// Returns the names under which the cache can have the model: its name, its former or current name, and names that
  /// differ in letter case.
  public func names(for name: Path) -> [Path] {
    let names = Self.candidates(for: name)
    let lowercased = name.text.lowercased()
    return names + folderNames.filter { !names.contains($0) && $0.text.lowercased() == lowercased }
  }

  /// Returns the folder of the model's current snapshot, or nil if the cache has no snapshot. Of the possible names of
  /// the model, the first with weights is preferred. If there is none, letter case is ignored, as on the hub.
  func snapshot(of name: Path) -> Path? {
    guard Self.isPossibleModelName(name) else { return nil }
    return snapshot(Self.candidates(for: name)) ?? snapshot(names(for: name))
  }

  private func snapshot(_ names: [Path]) -> Path? {
    let snapshots = names.compactMap { Self.snapshot(inModelFolder: folder(of: $0)) }
    return snapshots.first(where: ModelLocation.hasWeights)
      ?? snapshots.first { lexists($0.appending("config.json")) } ?? snapshots.first
  }

  /// Returns the snapshot that `refs/main` names in a folder `models--org--name`, or nil if there is no such snapshot.
  static func snapshot(inModelFolder folder: Path) -> Path? {
    snapshot("main", inModelFolder: folder)
  }

  /// Returns the snapshot of a revision: a commit, or a name in `refs`.
  package static func snapshot(_ revision: Path, inModelFolder folder: Path) -> Path? {
    let direct = folder.appending("snapshots").appending(revision)
    if revision.components.count == 1, revision != ".", revision != "..", isDirectory(direct) { return direct }
    guard let commit = commit(in: folder.appending("refs").appending(revision)) else { return nil }
    let snapshot = folder.appending("snapshots").appending(commit)
    return isDirectory(snapshot) ? snapshot : nil
  }

  /// Returns the commit in a reference file, or nil if the content cannot be the name of a folder in `snapshots`.
  private static func commit(in file: Path) -> Path? {
    guard let mapped = try? MappedFile(path: file), mapped.bytes.count <= 1024,
      let word = mapped.bytes.split(whereSeparator: { $0 == 0x20 || 0x09...0x0D ~= $0 }).first
    else { return nil }
    let commit = Path(word)
    let isName = commit.bytes.allSatisfy { $0 != UInt8(ascii: "/") && $0 >= 0x20 } && commit != "." && commit != ".."
    return isName ? commit : nil
  }
}
