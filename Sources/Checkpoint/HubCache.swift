import Platform

/// The folder in which Hugging Face's libraries keep what they downloaded (huggingface_hub, "Understand caching"):
/// `models--ORG--NAME/refs/main` holds a commit, `snapshots/COMMIT/` the files.
public struct HubCache {
  public let folder: String

  /// `$HF_HUB_CACHE`, else `$HF_HOME/hub`, else `${XDG_CACHE_HOME:-~/.cache}/huggingface/hub`.
  static var standard: HubCache? {
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

  /// The names under which the hub may know the model: names without an organisation are old, and the hub has since
  /// moved those models into one.
  static func candidates(for name: String) -> [String] {
    let organisations = name.hasPrefix("distil") ? ["distilbert"] : ["openai-community"]
    return [name] + (name.contains("/") ? [] : organisations.map { "\($0)/\(name)" })
  }

  /// The folder of the model's current snapshot; nil where the cache has none.
  func snapshot(of name: String) -> String? {
    guard Self.mayName(name) else { return nil }
    for candidate in Self.candidates(for: name) {
      let components = candidate.split(separator: "/")
      let model = folder + "/models--" + components.joined(separator: "--")
      guard let commit = commit(in: model + "/refs/main") else { continue }
      let snapshot = model + "/snapshots/" + commit
      if isDirectory(snapshot) { return snapshot }
    }
    return nil
  }

  private func commit(in file: String) -> String? {
    guard let mapped = try? MappedFile(path: file), mapped.bytes.count <= 1024 else { return nil }
    let text = String(decoding: mapped.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(
      String.init)
    guard let text, !text.contains("/"), text != ".." else { return nil }
    return text
  }
}
