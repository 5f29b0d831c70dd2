import JSON
import Platform

/// A model's configuration and tensors, from a folder or from a GGUF file.
public struct Checkpoint: Sendable {
  public let location: ModelLocation
  public let configuration: ModelConfiguration
  /// The files that contain the weights, sorted by name.
  public let files: [Path]
  /// The tensors by the model's names for them (``TensorNames``). `Tensor.name` is the name in the file.
  private let tensors: [String: Tensor]
  /// The shapes that the configuration requires for the tensors that the model uses.
  private let shapes: [String: [Int]]

  public init(_ model: ModelFiles) throws(CheckpointError) { try self.init(model, ModelConfiguration(model)) }

  public init(_ location: ModelLocation) throws(CheckpointError) { try self.init(ModelFiles(location)) }

  /// - Parameter configuration: the configuration of the same files.
  public init(_ model: ModelFiles, _ configuration: ModelConfiguration) throws(CheckpointError) {
    let names = TensorNames(configuration)
    location = model.location
    self.configuration = configuration
    shapes = configuration.tensorShapes
    if let gguf = model.gguf {
      files = [gguf.path]
      tensors = try Self.renamed(try gguf.tensors.get(), names, shapes, configuration.modelType)
    } else {
      let weights = try SafeTensorsFolder(location.path)
      files = weights.files
      tensors = try Self.renamed(weights.tensors, names, layers: configuration.layers)
    }
  }

  /// Returns the tensors of safetensors files by the model's names for them. Unused tensors, such as masks, are
  /// ignored.
  ///
  /// - Throws: ``CheckpointError`` if two tensors have the same name, or if a tensor belongs to a layer beyond the
  ///   last.
  private static func renamed(_ tensors: [String: Tensor], _ names: TensorNames, layers: Int) throws(CheckpointError)
    -> [String: Tensor]
  {
    var renamed: [String: Tensor] = [:]
    for tensor in tensors.values {
      let name = names.withoutPrefix(tensor.name)
      guard renamed.updateValue(tensor, forKey: name) == nil else {
        throw .unusable(
          file: tensor.file.path,
          reason: "duplicate tensor: \"\(excerpt(name))\" and \"\(excerpt(names.prefix + name))\"")
      }
      if let layer = names.layer(of: name), layer >= layers {
        throw .unusable(
          file: tensor.file.path,
          reason: "unexpected tensor \"\(excerpt(tensor.name))\": config.json gives \(layers) as the number of layers")
      }
    }
    return renamed
  }

  /// Returns the tensors of a GGUF file by the model's names for them.
  ///
  /// - Throws: ``CheckpointError`` if a tensor is not used by the model, as in llama.cpp: it would belong to a feature
  ///   that is not implemented.
  private static func renamed(
    _ tensors: [String: Tensor], _ names: TensorNames, _ shapes: [String: [Int]], _ modelType: String
  ) throws(CheckpointError) -> [String: Tensor] {
    var renamed: [String: Tensor] = [:]
    var unused = tensors
    for name in shapes.keys { renamed[name] = unused.removeValue(forKey: names.inGGUF(name)) }
    guard let tensor = unused.values.min(by: { $0.name < $1.name }) else { return renamed }
    throw .unusable(
      file: tensor.file.path,
      reason: "unexpected tensor \"\(excerpt(tensor.name))\", which is not implemented for a \(modelType) model")
  }

  /// A hash that identifies the model and the version of its files. It covers file metadata (size, modification time
  /// and so on) instead of contents: reading all weights would take longer than computing with them.
  public var identity: UInt64 {
    var hash = FNV1a()
    let folder = location.path
    let others = location.isFile ? [] : [folder.appending("config.json"), SafeTensorsFolder.index(in: folder)]
    for path in others + files {
      for byte in fileIdentity(path).utf8 { hash.combine(byte) }
    }
    return hash.value
  }

  /// Reads the model's weights from the disk if they are not in memory yet. Unused tensors, such as masks, are not
  /// read: a sparse file can contain unused tensors of any size.
  public func readAhead() {
    let weights = tensors.filter { shapes[$0.key] != nil }.values
    for (_, weights) in Dictionary(grouping: weights, by: { ObjectIdentifier($0.file) }) {
      for range in Self.joined(weights.map(\.range)) { weights[0].file.readAhead(range) }
    }
  }

  /// Returns the ranges in ascending order, with ranges merged if the gap between them is not larger than a single
  /// read.
  private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
    let smallGap = 1 << 17  // the default read-ahead of Linux
    return ranges.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, range in
      if let last = joined.last, range.lowerBound - last.upperBound <= smallGap {
        joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
  }

  /// Returns the tensor with a name, without any checks; nil if it does not exist.
  package func find(_ name: String) -> Tensor? { tensors[name] }

  /// Returns a tensor of the model.
  ///
  /// - Parameter name: a name in the configuration's `tensorShapes`.
  /// - Throws: ``CheckpointError`` if the tensor is missing, has a different shape than the configuration requires, or
  ///   has
  ///   a type that the kernels do not support. Quantized types are supported for matrices only.
  public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
    guard let tensor = find(name), let shape = shapes[name] else {
      let name = location.isFile ? TensorNames(configuration).inGGUF(name) : name
      throw .unusable(
        file: files[0], reason: "missing tensor \"\(name)\", which a \(configuration.modelType) model needs")
    }
    guard tensor.shape == shape else {
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(excerpt(tensor.name))\" has shape \(excerpt("\(tensor.shape)")), but \(configurationName) requires \(shape)"
      )
    }
    guard tensor.type.isComputable, tensor.type.blockLength == 1 || shape.count > 1 else {
      let supported = shape.count > 1 ? ElementType.computableNames : "F32, F16 and BF16"
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(excerpt(tensor.name))\" is of type \(tensor.type.rawValue), which is not implemented; \(supported) are")
    }
    return tensor
  }

  /// The source of the configuration, for messages.
  private var configurationName: String { location.isFile ? "the metadata" : "config.json" }

  /// Returns the weights of the output head (vocabulary, width): `lm_head` if the checkpoint has one, or else the
  /// token embedding if the two are tied.
  public func outputHead() throws(CheckpointError) -> Tensor {
    let hasHead = find("lm_head.weight") != nil
    return hasHead || !configuration.tiesEmbeddings ? try tensor("lm_head.weight") : try tokenEmbedding()
  }

  /// Returns the token embedding (vocabulary, width).
  public func tokenEmbedding() throws(CheckpointError) -> Tensor {
    switch configuration {
    case .gpt2: try tensor("wte.weight")
    case .llama: try tensor("embed_tokens.weight")
    }
  }

  /// Returns all weights of the model, without duplicates and without unused tensors such as masks. An output head
  /// that is a copy of the token embedding is a duplicate.
  public func modelTensors() throws(CheckpointError) -> [Tensor] {
    var all: [Tensor] = []
    for name in shapes.keys.sorted() where name != "lm_head.weight" && name != LlamaConfiguration.frequencyFactors {
      all.append(try tensor(name))
    }
    let (head, embedding) = (try outputHead(), try tokenEmbedding())
    guard head.name != embedding.name else { return all }  // the same tensor, so there is nothing to compare
    return head.bytes.elementsEqual(embedding.bytes) ? all : all + [head]
  }

  /// The total size in bytes of the files with the weights.
  public var byteCount: Int {
    var sizes: [Path: Int] = [:]
    for tensor in tensors.values { sizes[tensor.file.path] = tensor.file.bytes.count }
    return sizes.values.reduce(0, +)
  }
}
