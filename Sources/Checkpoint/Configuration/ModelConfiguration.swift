import JSON
import Platform

/// What a model is: its architecture and its sizes, whichever files say so.
public enum ModelConfiguration: Sendable {
  case gpt2(GPT2Configuration)
  /// Llama, and those that differ from it in details: Mistral, Qwen2, Qwen3.
  case llama(LlamaConfiguration)

  /// Reads `config.json` and, where it is there, `generation_config.json`; or the metadata of a GGUF file.
  public init(_ files: ModelFiles) throws(CheckpointError) {
    if let gguf = files.gguf {
      self = try Self(gguf)
    } else {
      self = try Self(folder: files.location.path)
    }
  }

  private init(folder: Path) throws(CheckpointError) {
    let path = folder.appending("config.json")
    guard lexists(path) else {
      throw .notFound(
        "\(folder): this folder is no model: config.json is missing or cannot be read\(substitute(inFolder: folder))")
    }
    let file = try ConfigurationFile(path: path)
    let generation = folder.appending("generation_config.json")
    let ends = lexists(generation) ? try ConfigurationFile(path: generation).integers("eos_token_id") : nil
    let modelType = try file.string("model_type") ?? ""
    if modelType == "gpt2" {
      self = .gpt2(try GPT2Configuration(file, eosTokenIDs: ends))
    } else if let variant = LlamaConfiguration.Variant(rawValue: modelType) {
      self = .llama(try LlamaConfiguration(file, variant, eosTokenIDs: ends))
    } else {
      throw file.refuse(
        modelType.isEmpty
          ? "model_type is missing" : "model_type \"\(excerpt(modelType))\" is not implemented; \(Self.implemented) are"
      )
    }
  }

  private init(_ gguf: GGUF) throws(CheckpointError) {
    let architecture = try gguf.string("general.architecture") ?? ""
    switch architecture {
    case "gpt2": self = .gpt2(try GPT2Configuration(gguf))
    case "llama": self = .llama(try LlamaConfiguration(gguf, .llama))
    case "qwen2": self = .llama(try LlamaConfiguration(gguf, .qwen2))
    case "qwen3": self = .llama(try LlamaConfiguration(gguf, .qwen3))
    default:
      throw gguf.refuse(
        architecture.isEmpty
          ? "general.architecture is missing"
          : "architecture \"\(excerpt(architecture))\" is not implemented; \(Self.implemented) are")
    }
  }

  private static let implemented = "gpt2, llama, mistral, qwen2 and qwen3"
}

// MARK: what they have in common

extension ModelConfiguration {
  /// Such as `gpt2` or `qwen2`.
  public var modelType: String {
    switch self {
    case .gpt2: "gpt2"
    case .llama(let c): c.variant.rawValue
    }
  }

  public var vocabularySize: Int {
    switch self {
    case .gpt2(let c): c.vocabularySize
    case .llama(let c): c.vocabularySize
    }
  }

  /// The greatest number of positions that can be computed.
  public var contextLength: Int {
    switch self {
    case .gpt2(let c): c.contextLength
    case .llama(let c): c.contextLength
    }
  }

  public var layers: Int {
    switch self {
    case .gpt2(let c): c.layers
    case .llama(let c): c.layers
    }
  }

  public var width: Int {
    switch self {
    case .gpt2(let c): c.width
    case .llama(let c): c.width
    }
  }

  /// The heads of the queries.
  public var heads: Int {
    switch self {
    case .gpt2(let c): c.heads
    case .llama(let c): c.heads
    }
  }

  /// The heads of keys and values, each of which several heads of queries may share.
  public var kvHeads: Int {
    switch self {
    case .gpt2(let c): c.heads
    case .llama(let c): c.kvHeads
    }
  }

  /// Width of one attention head.
  public var headDim: Int {
    switch self {
    case .gpt2(let c): c.headDim
    case .llama(let c): c.headDim
    }
  }

  /// Width of the feed-forward layer.
  public var ffnWidth: Int {
    switch self {
    case .gpt2(let c): c.ffnWidth
    case .llama(let c): c.ffnWidth
    }
  }

  /// The tokens that end a text: none, one or several.
  public var eosTokenIDs: [Int] {
    switch self {
    case .gpt2(let c): c.eosTokenIDs
    case .llama(let c): c.eosTokenIDs
    }
  }

  var tiesEmbeddings: Bool {
    switch self {
    case .gpt2(let c): c.tiesEmbeddings
    case .llama(let c): c.tiesEmbeddings
    }
  }

  /// The tensors that the model computes with, and their shapes.
  package var tensorShapes: [String: [Int]] {
    switch self {
    case .gpt2(let c): c.tensorShapes
    case .llama(let c): c.tensorShapes
    }
  }
}
