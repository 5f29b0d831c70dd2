import JSON
import Platform

/// The tensors of a folder: in `model.safetensors`, or in the shards that `model.safetensors.index.json` names.
struct SafeTensorsFolder {
  /// In their order in the index.
  let files: [Path]
  let tensors: [String: Tensor]

  init(_ folder: Path) throws(CheckpointError) {
    let (single, index) = (Self.single(in: folder), Self.index(in: folder))
    if hasEntry(single) {
      files = [single]
      tensors = try SafeTensors(path: single).tensors
    } else if hasEntry(index) {
      (files, tensors) = try Self.shards(of: index, in: folder)
    } else {
      throw .notFound(
        "\(folder): neither model.safetensors nor model.safetensors.index.json is there\(substitute(inFolder: folder))")
    }
  }

  /// Whether the folder has such weights.
  static func isOne(_ folder: Path) -> Bool { hasEntry(single(in: folder)) || hasEntry(index(in: folder)) }

  private static func single(in folder: Path) -> Path { folder.appending("model.safetensors") }

  /// It says in which file each tensor is, where there are several.
  static func index(in folder: Path) -> Path { folder.appending("model.safetensors.index.json") }

  private static func shards(of index: Path, in folder: Path) throws(CheckpointError) -> (
    [Path], [String: Tensor]
  ) {
    let file = try mapFile(index)
    var places: [(tensor: String, shard: String)] = []
    do {
      var scanner = JSONScanner(file.characters)
      try scanner.object { (name, scanner) throws(JSONError) in
        guard scanner.matches(name, "weight_map") else {
          _ = try scanner.skipValue(allowsConstants: true)
          return
        }
        try scanner.object { (name, scanner) throws(JSONError) in
          places.append((scanner.source(name.range), try scanner.swiftString()))
        }
      }
      try scanner.end()
    } catch { throw .unusable(file: index, reason: "\(error)") }
    guard !places.isEmpty else { throw .unusable(file: index, reason: "its weight_map names no tensors") }
    var shards: [String: SafeTensors] = [:]
    var tensors: [String: Tensor] = [:]
    for place in places {
      guard !place.shard.contains("/"), !place.shard.contains("\0"), place.shard.hasSuffix(".safetensors") else {
        throw .unusable(
          file: index, reason: "\"\(excerpt(place.shard))\" is not the name of a safetensors file in this folder")
      }
      if shards[place.shard] == nil {
        shards[place.shard] = try SafeTensors(path: folder.appending(Path(place.shard)))
      }
      guard let tensor = shards[place.shard]?.tensors[place.tensor] else {
        throw .unusable(
          file: index, reason: "\"\(excerpt(place.tensor))\" should be in \(excerpt(place.shard)), and is not")
      }
      guard tensors.updateValue(tensor, forKey: place.tensor) == nil else {
        throw .unusable(file: index, reason: "\"\(excerpt(place.tensor))\" is named twice")
      }
    }
    return (shards.keys.sorted().map { folder.appending(Path($0)) }, tensors)
  }
}
