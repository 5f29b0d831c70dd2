import Platform

/// The folder in which Hugging Face's libraries keep what they downloaded (huggingface_hub, "Understand caching"):
/// `models--ORG--NAME/refs/main` holds a commit, `snapshots/COMMIT/` the files.
public struct HubCache {
  public let folder: String

  /// `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `${XDG_CACHE_HOME:-~/.cache}/huggingface/hub`.
  public static var standard: HubCache? {
    if let folder = environmentVariable("HF_HUB_CACHE") { return HubCache(folder: folder) }
    if let home = environmentVariable("HF_HOME") { return HubCache(folder: home + "/hub") }
    if let cache = environmentVariable("XDG_CACHE_HOME") { return HubCache(folder: cache + "/huggingface/hub") }
    return environmentVariable("HOME").map { HubCache(folder: $0 + "/.cache/huggingface/hub") }
  }

  /// Whether it could be a model's name on the hub, `NAME` or `ORGANISATION/NAME`, and not only a path.
  static func mayName(_ name: String) -> Bool {
    let components = name.split(separator: "/", omittingEmptySubsequences: false)
    return components.count <= 2 && components.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") }
  }

  /// What the folder of a model begins with.
  static let prefix = "models--"

  /// `models--org--name` as `org/name`.
  static func modelName(ofFolder folder: Substring) -> String {
    let bytes = Array(folder.utf8.dropFirst(prefix.utf8.count))
    guard let dashes = bytes.indices.dropLast().first(where: { bytes[$0] == 0x2D && bytes[$0 + 1] == 0x2D }) else {
      return String(decoding: bytes, as: UTF8.self)
    }
    return String(decoding: bytes[..<dashes], as: UTF8.self) + "/"
      + String(decoding: bytes[(dashes + 2)...], as: UTF8.self)
  }

  /// Models that once had no organisation and have been moved into one.
  private static let movedModels = [
    "gpt2": "openai-community/gpt2", "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large", "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
  ]

  /// The names under which the hub may know the model.
  static func candidates(for name: String) -> [String] { [name] + (movedModels[name].map { [$0] } ?? []) }

  /// The names of all models that have a snapshot here, sorted; one that was moved has its old name as well.
  var modelNames: [String] {
    let folders = entries(ofFolder: folder).filter { $0.hasPrefix(Self.prefix) }
    let names = folders.map { Self.modelName(ofFolder: $0[...]) } + Self.movedModels.keys
    return Set(names).filter { snapshot(of: $0) != nil }.sorted()
  }

  /// The folder of a model: `org/name` is in `models--org--name`.
  public func folder(of name: String) -> String {
    folder + "/" + Self.prefix + name.split(separator: "/").joined(separator: "--")
  }

  /// The folder of the model's current snapshot, a complete one if there is one; nil where the cache has none.
  func snapshot(of name: String) -> String? {
    guard Self.mayName(name) else { return nil }
    let snapshots = Self.candidates(for: name).compactMap { candidate -> String? in
      let model = folder(of: candidate)
      guard let commit = commit(in: model + "/refs/main") else { return nil }
      let snapshot = model + "/snapshots/" + commit
      return isDirectory(snapshot) ? snapshot : nil
    }
    return snapshots.first { hasEntry($0 + "/config.json") } ?? snapshots.first
  }

  private func commit(in file: String) -> String? {
    guard let mapped = try? MappedFile(path: file), mapped.bytes.count <= 1024 else { return nil }
    let text = String(decoding: mapped.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(
      String.init)
    // A NUL would end the path there: "..\0x" would be "..".
    guard let text, !text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 < 0x20 }), text != ".", text != ".."
    else {
      return nil
    }
    return text
  }
}
