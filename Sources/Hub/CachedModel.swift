import Checkpoint
import Platform

/// A model that is complete in the cache, for pulls that do not ask the hub.
struct CachedModel {
  /// The folder of the snapshot, or the GGUF file in it.
  let path: Path
  let commit: String

  /// Finds a revision of a model, under its name or another name by which the cache knows it.
  ///
  /// - Returns: nil if the cache has no complete snapshot of it.
  static func find(_ reference: ModelReference, in cache: HubCache) -> CachedModel? {
    let revision = Path((reference.revision ?? .main).text)
    for name in cache.names(for: Path(reference.name.text)) {
      let folder = cache.folder(of: name)
      guard let snapshot = HubCache.snapshot(revision, inModelFolder: folder) else { continue }
      let commit = snapshot.lastComponent
      let tree = try? MappedFile(path: folder.appending("trees").appending(commit.appending(suffix: ".json")))
      let listing = tree.flatMap { FileListing(tree: $0.characters, commit: commit.text) }
      let path =
        listing.map { completePath(reference, of: $0, in: snapshot) } ?? plausiblePath(reference, in: snapshot)
      if let path { return CachedModel(path: path, commit: commit.text) }
    }
    return nil
  }

  /// Returns the path of a model if the snapshot has all files that a pull would fetch.
  private static func completePath(_ reference: ModelReference, of listing: FileListing, in snapshot: Path) -> Path? {
    guard let files = try? FileSelection(of: listing, model: reference.name.text, choice: reference.choice) else {
      return nil
    }
    var needed = files.files
    if let index = files.shardIndex {
      guard let file = try? MappedFile(path: snapshot.appending(Path(index.path))),
        let shards = try? FileSelection.shards(in: file.characters, of: listing)
      else { return nil }
      needed += shards
    }
    guard needed.allSatisfy({ fileSize(snapshot.appending(Path($0.path))) == $0.size }) else { return nil }
    return files.ggufFile.map { snapshot.appending(Path($0.path)) } ?? snapshot
  }

  /// Returns the path of a model in a snapshot whose listing is unknown, because older programs have written it, if its
  /// weights are complete and it has a configuration and a tokenizer.
  private static func plausiblePath(_ reference: ModelReference, in snapshot: Path) -> Path? {
    func has(_ names: String...) -> Bool { names.allSatisfy { fileSize(snapshot.appending(Path($0))) != nil } }
    let location =
      reference.choice.map { try? ModelLocation.ggufModel($0, inFolder: snapshot, named: snapshot) }
      ?? (try? ModelLocation.find(snapshot))
    guard let location, (try? Checkpoint(location)) != nil else { return nil }
    guard location.isFile || has("config.json") && (has("tokenizer.json") || has("vocab.json", "merges.txt")) else {
      return nil
    }
    return location.path
  }
}
