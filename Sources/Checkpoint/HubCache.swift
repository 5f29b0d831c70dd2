import Platform

/// The folder in which Hugging Face's libraries keep what they downloaded (huggingface_hub, "Understand caching"):
/// `models--ORG--NAME/refs/main` holds a commit, `snapshots/COMMIT/` the files.
public struct HubCache {
  public let folder: Path

  /// `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `${XDG_CACHE_HOME:-~/.cache}/huggingface/hub`.
  public static var standard: HubCache? {
    if let folder = environmentPath("HF_HUB_CACHE") { return HubCache(folder: folder) }
    if let home = environmentPath("HF_HOME") { return HubCache(folder: home.appending("hub")) }
    let cache = environmentPath("XDG_CACHE_HOME") ?? environmentPath("HOME")?.appending(".cache")
    return cache.map { HubCache(folder: $0.appending("huggingface/hub")) }
  }

  /// Whether it could be a model's name on the hub, `NAME` or `ORGANISATION/NAME`, and not only a path.
  static func mayName(_ name: Path) -> Bool {
    let components = name.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return components.count <= 2 && components.allSatisfy { !$0.isEmpty && $0.first != UInt8(ascii: ".") }
  }

  /// What the folder of a model begins with.
  static let prefix = "models--"

  /// `models--org--name` as `org/name`.
  static func modelName(ofFolder folder: Path) -> Path {
    let bytes = Array(folder.bytes.dropFirst(prefix.utf8.count))
    guard let dashes = bytes.indices.dropLast().first(where: { bytes[$0] == 0x2D && bytes[$0 + 1] == 0x2D }) else {
      return Path(bytes)
    }
    return Path(bytes[..<dashes]).appending(Path(bytes[(dashes + 2)...]))
  }

  /// Models that once had no organisation and have been moved into one.
  private static let movedModels: [Path: Path] = [
    "gpt2": "openai-community/gpt2", "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large", "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
  ]

  /// The names under which the hub may know the model.
  static func candidates(for name: Path) -> [Path] { [name] + (movedModels[name].map { [$0] } ?? []) }

  /// The names of all models that have a snapshot here, sorted; one that was moved has its old name as well.
  var modelNames: [Path] {
    let folders = entries(ofFolder: folder).filter { $0.hasPrefix(Self.prefix) }
    let names = folders.map { Self.modelName(ofFolder: $0) } + Self.movedModels.keys
    return Set(names).filter { snapshot(of: $0) != nil }.sorted()
  }

  /// The folder of a model: `org/name` is in `models--org--name`.
  public func folder(of name: Path) -> Path {
    folder.appending(Path(Array(Self.prefix.utf8) + name.components.map(\.bytes).joined(separator: "--".utf8)))
  }

  /// The folder of the model's current snapshot, a complete one if there is one; nil where the cache has none.
  func snapshot(of name: Path) -> Path? {
    guard Self.mayName(name) else { return nil }
    let snapshots = Self.candidates(for: name).compactMap { candidate -> Path? in
      let model = folder(of: candidate)
      guard let commit = commit(in: model.appending("refs/main")) else { return nil }
      let snapshot = model.appending("snapshots").appending(commit)
      return isDirectory(snapshot) ? snapshot : nil
    }
    return snapshots.first { lexists($0.appending("config.json")) } ?? snapshots.first
  }

  private func commit(in file: Path) -> Path? {
    guard let mapped = try? MappedFile(path: file), mapped.bytes.count <= 1024,
      let word = mapped.bytes.split(whereSeparator: { $0 == 0x20 || 0x09...0x0D ~= $0 }).first
    else { return nil }
    let commit = Path(word)
    let isName = commit.bytes.allSatisfy { $0 != UInt8(ascii: "/") && $0 >= 0x20 } && commit != "." && commit != ".."
    return isName ? commit : nil
  }
}
