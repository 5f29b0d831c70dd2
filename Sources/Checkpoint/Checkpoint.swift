import JSON
import Platform

/// A model folder's configuration and tensors.
public struct Checkpoint: Sendable {
  public let location: ModelLocation
  public let configuration: GPT2Configuration
  /// The files that hold the weights, in their order in the index.
  public let files: [String]
  private let tensors: [String: Tensor]
  private let shapes: [String: [Int]]  // of the tensors that the model computes with

  /// Reads `config.json`, and maps `model.safetensors` or the shards that `model.safetensors.index.json` names.
  public init(_ location: ModelLocation) throws(CheckpointError) {
    self.location = location
    configuration = try GPT2Configuration(location)
    shapes = configuration.tensorShapes
    let single = location.folder + "/model.safetensors"
    let index = location.shardIndex
    if hasEntry(single) {
      files = [single]
      tensors = try SafeTensors(path: single).tensors
    } else if hasEntry(index) {
      (files, tensors) = try Self.shards(of: index, in: location.folder)
    } else {
      throw .notFound("\(location.folder): neither model.safetensors nor model.safetensors.index.json is there")
    }
    try refuseSurplus()
  }

  /// Tells this model from others, and from what its files held before they were changed. Made of what the system knows
  /// of the files: reading all weights would take longer than computing with them.
  public var identity: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a (Fowler, Noll and Vo)
    for path in [location.configurationFile, location.shardIndex] + files {
      for byte in fileIdentity(path).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    return hash
  }

  /// Has all weights read from the disk, if they are not in memory.
  public func readAhead() {
    var files: Set<ObjectIdentifier> = []
    for tensor in tensors.values where files.insert(ObjectIdentifier(tensor.file)).inserted { tensor.file.readAhead() }
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
      guard !place.shard.contains("/"), !place.shard.contains("\0"), place.shard.hasSuffix(".safetensors") else {
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
  package func find(_ name: String) -> Tensor? { tensors[name] ?? tensors["transformer." + name] }

  /// A tensor of the model, by its name in `GPT2Configuration.tensorShapes`. It must be there, have the shape that the
  /// configuration says, and hold numbers that the kernels compute with.
  public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
    guard let tensor = find(name), let shape = shapes[name] else {
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

  /// The output head: the checkpoint's own where it has one, else the token embedding, if the two are tied.
  public func outputHead() throws(CheckpointError) -> Tensor {
    let hasOwn = find("lm_head.weight") != nil
    return try tensor(hasOwn || !configuration.tiesEmbeddings ? "lm_head.weight" : "wte.weight")
  }

  /// All tensors that the model computes with, each once; other tensors, such as masks, are not among them.
  public func modelTensors() throws(CheckpointError) -> [Tensor] {
    var all: [Tensor] = []
    for name in shapes.keys.sorted() where name != "lm_head.weight" { all.append(try tensor(name)) }
    let (head, embedding) = (try outputHead(), try tensor("wte.weight"))
    guard head.name != embedding.name else { return all }  // nothing to compare: the one is the other
    return head.bytes.elementsEqual(embedding.bytes) ? all : all + [head]
  }

  /// Refuses tensors that the configuration does not account for: two of one name, or layers beyond its last.
  private func refuseSurplus() throws(CheckpointError) {
    for (name, tensor) in tensors {
      let isPrefixed = name.utf8.starts(with: "transformer.".utf8)
      let plain = isPrefixed ? name.dropFirst("transformer.".utf8.count) : name[...]
      guard !isPrefixed || tensors[String(plain)] == nil else {
        throw .unusable(file: tensor.file.path, reason: "there is both \"\(plain)\" and \"\(name)\"")
      }
      let rest = plain.utf8.dropFirst("h.".utf8.count)
      guard plain.utf8.starts(with: "h.".utf8), let layer = Int(Substring(rest.prefix { $0 != UInt8(ascii: ".") }))
      else { continue }
      guard layer < configuration.n_layer else {
        throw .unusable(
          file: tensor.file.path,
          reason: "there is \"\(name)\", but config.json says n_layer is \(configuration.n_layer)")
      }
    }
  }

  /// The size of the files that hold the weights.
  public var byteCount: Int {
    var sizes: [String: Int] = [:]
    for tensor in tensors.values { sizes[tensor.file.path] = tensor.file.bytes.count }
    return sizes.values.reduce(0, +)
  }
}
