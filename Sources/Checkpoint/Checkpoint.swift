import JSON
import Platform

/// A model folder's configuration and tensors.
public struct Checkpoint: Sendable {
  public let location: ModelLocation
  public let configuration: GPT2Configuration
  /// The files that hold the weights, in their order in the index.
  public let files: [String]
  private let tensors: [String: Tensor]

  /// Reads `config.json`, and maps `model.safetensors` or the shards that `model.safetensors.index.json` names.
  public init(_ location: ModelLocation) throws(CheckpointError) {
    self.location = location
    configuration = try GPT2Configuration(location)
    let single = location.folder + "/model.safetensors"
    let index = single + ".index.json"
    if fileExists(single) {
      files = [single]
      tensors = try SafeTensors(path: single).tensors
    } else if fileExists(index) {
      (files, tensors) = try Self.shards(of: index, in: location.folder)
    } else {
      throw .notFound("\(location.folder): neither model.safetensors nor model.safetensors.index.json is there")
    }
  }

  private static func shards(of index: String, in folder: String) throws(CheckpointError) -> (
    [String], [String: Tensor]
  ) {
    let file = try mapFile(index)
    var places: [(tensor: String, shard: String)] = []
    do {
      var scanner = JSONScanner(file.characters)
      try scanner.object { (name, scanner) throws(JSONError) in
        guard scanner.matches(name, "weight_map") else {
          _ = try scanner.skipValue()
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
      guard !place.shard.contains("/"), place.shard.hasSuffix(".safetensors") else {
        throw .unusable(file: index, reason: "\"\(place.shard)\" is not the name of a safetensors file in this folder")
      }
      if shards[place.shard] == nil { shards[place.shard] = try SafeTensors(path: folder + "/" + place.shard) }
      guard let tensor = shards[place.shard]?.tensors[place.tensor] else {
        throw .unusable(file: index, reason: "\"\(place.tensor)\" should be in \(place.shard), and is not")
      }
      guard tensors.updateValue(tensor, forKey: place.tensor) == nil else {
        throw .unusable(file: index, reason: "\"\(place.tensor)\" is named twice")
      }
    }
    return (shards.keys.sorted().map { folder + "/" + $0 }, tensors)
  }

  /// The tensor, whose name may be written with or without the prefix `transformer.`; nil where there is none.
  public func find(_ name: String) -> Tensor? { tensors[name] ?? tensors["transformer." + name] }

  /// The tensor, which must be there, have this shape, and hold numbers that the kernels compute with.
  public func tensor(_ name: String, shape: [Int]) throws(CheckpointError) -> Tensor {
    guard let tensor = find(name) else {
      throw .unusable(file: files[0], reason: "there is no tensor \"\(name)\", which a GPT-2 model needs")
    }
    guard tensor.shape == shape else {
      throw .unusable(
        file: tensor.file.path,
        reason: "\"\(tensor.name)\" has the shape \(tensor.shape), but config.json says \(shape)")
    }
    guard [.float32, .float16, .bfloat16].contains(tensor.type) else {
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(tensor.name)\" has elements of type \(tensor.type.rawValue); F32, F16 and BF16 can be computed with")
    }
    return tensor
  }

  /// How many numbers the model learned, each counted once: masks are not learned, and a tied output head is the
  /// token embedding.
  public var parameterCount: Int {
    tensors.values.reduce(0) { sum, tensor in
      let isMask = tensor.name.hasSuffix(".attn.bias") || tensor.name.hasSuffix(".attn.masked_bias")
      let isTied = configuration.tiesEmbeddings && tensor.name.hasSuffix("lm_head.weight")
      return isMask || isTied ? sum : sum + tensor.count
    }
  }

  /// The element types of the tensors, those with most elements first: `BF16`, or `F16, F32`.
  public var precision: String {
    var counts: [ElementType: Int] = [:]
    for tensor in tensors.values { counts[tensor.type, default: 0] += tensor.count }
    return counts.sorted { $0.value > $1.value }.map(\.key.rawValue).joined(separator: ", ")
  }

  /// The size of the files that hold the weights.
  public var byteCount: Int {
    var sizes: [String: Int] = [:]
    for tensor in tensors.values { sizes[tensor.file.path] = tensor.file.bytes.count }
    return sizes.values.reduce(0, +)
  }
}
