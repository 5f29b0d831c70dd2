import JSON
import Platform

/// The tensors of a folder, from `model.safetensors` or from the shards listed in `model.safetensors.index.json`.
struct SafeTensorsFolder {
  /// The weight files, sorted by name.
  let files: [Path]
  let tensors: [String: Tensor]

  init(_ folder: Path) throws(CheckpointError) {
    let (single, index) = (Self.single(in: folder), Self.index(in: folder))
    if lexists(single) {
      files = [single]
      tensors = try SafeTensors(path: single).tensors
    } else if lexists(index) {
      (files, tensors) = try Self.shards(of: index, in: folder)
    } else {
      throw .notFound(
        "\(folder): no model.safetensors or model.safetensors.index.json\(unsupportedFilesHint(forFolder: folder))"
          + completionHint(forFolder: folder))
    }
  }

  /// Returns whether the folder has weights in safetensors.
  static func hasWeights(_ folder: Path) -> Bool { lexists(single(in: folder)) || lexists(index(in: folder)) }

  private static func single(in folder: Path) -> Path { folder.appending("model.safetensors") }

  /// Returns the path of the index of a sharded model, which maps each tensor to its shard.
  static func index(in folder: Path) -> Path { folder.appending("model.safetensors.index.json") }

  private static func shards(of index: Path, in folder: Path) throws(CheckpointError) -> (
    [Path], [String: Tensor]
  ) {
    let file = try mapFile(index)
    var weightMap: [(tensor: String, shard: String)] = []
    do {
      var scanner = JSONScanner(file.characters)
      try scanner.object { (name, scanner) throws(JSONError) in
        guard scanner.matches(name, "weight_map") else {
          _ = try scanner.skipValue(allowsConstants: true)
          return
        }
        try scanner.object { (name, scanner) throws(JSONError) in
          weightMap.append((scanner.source(name.range), try scanner.swiftString()))
        }
      }
      try scanner.end()
    } catch { throw .unusable(file: index, reason: "\(error)") }
    guard !weightMap.isEmpty else { throw .unusable(file: index, reason: "\"weight_map\" is missing or empty") }
    var shards: [String: SafeTensors] = [:]
    var tensors: [String: Tensor] = [:]
    for (name, shard) in weightMap {
      guard !shard.contains("/"), !shard.contains("\0"), shard.hasSuffix(".safetensors") else {
        throw .unusable(
          file: index, reason: "\"\(excerpt(shard))\" is not the name of a safetensors file in this folder")
      }
      if shards[shard] == nil { shards[shard] = try SafeTensors(path: folder.appending(Path(shard))) }
      guard let tensor = shards[shard]?.tensors[name] else {
        throw .unusable(file: index, reason: "\"\(excerpt(name))\" is missing from its shard, \(excerpt(shard))")
      }
      guard tensors.updateValue(tensor, forKey: name) == nil else {
        throw .unusable(file: index, reason: "duplicate tensor \"\(excerpt(name))\"")
      }
    }
    return (shards.keys.sorted().map { folder.appending(Path($0)) }, tensors)
  }
}
