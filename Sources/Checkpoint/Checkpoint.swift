import JSON
import Platform

/// A model's configuration and tensors, from a folder or from a GGUF file.
public struct Checkpoint: Sendable {
  public let location: ModelLocation
  public let configuration: ModelConfiguration
  /// The files that hold the weights, in their order in the index.
  public let files: [Path]
  /// By the names that the model asks for (`TensorNames`); each knows what the file calls it.
  private let tensors: [String: Tensor]
  private let shapes: [String: [Int]]  // of the tensors that the model computes with

  public init(_ model: ModelFiles) throws(CheckpointError) { try self.init(model, ModelConfiguration(model)) }

  public init(_ location: ModelLocation) throws(CheckpointError) { try self.init(ModelFiles(location)) }

  /// - Parameter configuration: of these files.
  public init(_ model: ModelFiles, _ configuration: ModelConfiguration) throws(CheckpointError) {
    let names = TensorNames(configuration)
    location = model.location
    self.configuration = configuration
    shapes = configuration.tensorShapes
    if let gguf = model.gguf {
      files = [gguf.path]
      tensors = try Self.named(try gguf.tensors.get(), names, shapes)
    } else {
      let weights = try SafeTensorsFolder(location.path)
      files = weights.files
      tensors = try Self.named(weights.tensors, names, layers: configuration.layers)
    }
  }

  /// The tensors of safetensors files by the names that the model asks for. Those that no model asks for, such as masks,
  /// do no harm; two of one name are refused, and layers beyond the last.
  private static func named(_ tensors: [String: Tensor], _ names: TensorNames, layers: Int) throws(CheckpointError)
    -> [String: Tensor]
  {
    var named: [String: Tensor] = [:]
    for tensor in tensors.values {
      let name = names.withoutPrefix(tensor.name)
      guard named.updateValue(tensor, forKey: name) == nil else {
        throw .unusable(
          file: tensor.file.path, reason: "there is both \"\(excerpt(name))\" and \"\(excerpt(names.prefix + name))\"")
      }
      if let layer = names.layer(of: name), layer >= layers {
        throw .unusable(
          file: tensor.file.path,
          reason: "there is \"\(excerpt(tensor.name))\", but config.json says there are \(layers)")
      }
    }
    return named
  }

  /// The tensors of a GGUF file likewise. As in llama.cpp there must be none that the model does not compute with: it
  /// would mean that something is asked for which is not known here.
  private static func named(_ tensors: [String: Tensor], _ names: TensorNames, _ shapes: [String: [Int]])
    throws(CheckpointError) -> [String: Tensor]
  {
    var named: [String: Tensor] = [:]
    var rest = tensors
    for name in shapes.keys { named[name] = rest.removeValue(forKey: names.inGGUF(name)) }
    guard let tensor = rest.values.min(by: { $0.name < $1.name }) else { return named }
    throw .unusable(
      file: tensor.file.path,
      reason: "there is \"\(excerpt(tensor.name))\", for which this architecture has no use here")
  }

  /// Tells this model from others, and from what its files held before they were changed. Made of what the system knows
  /// of the files: reading all weights would take longer than computing with them.
  public var identity: UInt64 {
    var hash = FNV1a()
    let folder = location.path
    let others = location.isFile ? [] : [folder.appending("config.json"), SafeTensorsFolder.index(in: folder)]
    for path in others + files {
      for byte in fileIdentity(path).utf8 { hash.combine(byte) }
    }
    return hash.value
  }

  /// Has the weights of the model read from the disk, if they are not in memory. Other tensors in the files, such as
  /// masks, are left where they are: a sparse file may claim some of any size.
  public func readAhead() {
    let weights = tensors.filter { shapes[$0.key] != nil }.values
    for (_, weights) in Dictionary(grouping: weights, by: { ObjectIdentifier($0.file) }) {
      for range in Self.joined(weights.map(\.range)) { weights[0].file.readAhead(range) }
    }
  }

  /// The ranges in rising order, those joined that have less than a disk's single read between them.
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

  /// The tensor of a name, as it is; nil where there is none.
  package func find(_ name: String) -> Tensor? { tensors[name] }

  /// A tensor of the model, by its name in the configuration's `tensorShapes`. It must be there, have the shape that the
  /// configuration says, and hold numbers that the kernels compute with: blocks of quantized ones in matrices only.
  public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
    guard let tensor = find(name), let shape = shapes[name] else {
      let name = location.isFile ? TensorNames(configuration).inGGUF(name) : name
      throw .unusable(
        file: files[0], reason: "there is no tensor \"\(name)\", which a \(configuration.modelType) model needs")
    }
    guard tensor.shape == shape else {
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(excerpt(tensor.name))\" has the shape \(excerpt("\(tensor.shape)")), but \(configurationName) says \(shape)"
      )
    }
    guard tensor.type.isComputable, tensor.type.blockLength == 1 || shape.count > 1 else {
      let computable = shape.count > 1 ? ElementType.computable : "F32, F16 and BF16"
      throw .unusable(
        file: tensor.file.path,
        reason:
          "\"\(excerpt(tensor.name))\" has elements of type \(tensor.type.rawValue); \(computable) can be computed with"
      )
    }
    return tensor
  }

  /// What says how large the model is, for messages.
  private var configurationName: String { location.isFile ? "the metadata" : "config.json" }

  /// The output head: the checkpoint's own where it has one, else the token embedding, if the two are tied.
  public func outputHead() throws(CheckpointError) -> Tensor {
    let hasOwn = find("lm_head.weight") != nil
    return hasOwn || !configuration.tiesEmbeddings ? try tensor("lm_head.weight") : try tokenEmbedding()
  }

  /// The vectors of the tokens (vocabulary, width).
  public func tokenEmbedding() throws(CheckpointError) -> Tensor {
    switch configuration {
    case .gpt2: try tensor("wte.weight")
    case .llama: try tensor("embed_tokens.weight")
    }
  }

  /// All weights of the model, each once; other tensors, such as masks, are not among them.
  public func modelTensors() throws(CheckpointError) -> [Tensor] {
    var all: [Tensor] = []
    for name in shapes.keys.sorted() where name != "lm_head.weight" && name != LlamaConfiguration.frequencyFactors {
      all.append(try tensor(name))
    }
    let (head, embedding) = (try outputHead(), try tokenEmbedding())
    guard head.name != embedding.name else { return all }  // nothing to compare: the one is the other
    return head.bytes.elementsEqual(embedding.bytes) ? all : all + [head]
  }

  /// The size of the files that hold the weights.
  public var byteCount: Int {
    var sizes: [Path: Int] = [:]
    for tensor in tensors.values { sizes[tensor.file.path] = tensor.file.bytes.count }
    return sizes.values.reduce(0, +)
  }
}
