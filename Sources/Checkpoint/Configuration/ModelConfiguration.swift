import JSON
import Platform

/// The architecture and hyperparameters of a model, from any supported file format.
public enum ModelConfiguration: Sendable {
  case gpt2(GPT2Configuration)
  /// Llama and its variants: Mistral, Qwen2, Qwen3.
  case llama(LlamaConfiguration)

  /// Reads `config.json` and the optional `generation_config.json`, or the metadata of a GGUF file.
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
        "\(folder): not a model folder: config.json is missing or unreadable\(unsupportedFilesHint(forFolder: folder))")
    }
    let file = try ConfigurationFile(path: path)
    let generation = folder.appending("generation_config.json")
    let eosTokenIDs = lexists(generation) ? try ConfigurationFile(path: generation).integers("eos_token_id") : nil
    let modelType = try file.string("model_type") ?? ""
    if modelType == "gpt2" {
      self = .gpt2(try GPT2Configuration(file, eosTokenIDs: eosTokenIDs))
    } else if let variant = LlamaConfiguration.Variant(rawValue: modelType) {
      self = .llama(try LlamaConfiguration(file, variant, eosTokenIDs: eosTokenIDs))
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

// MARK: common hyperparameters

extension ModelConfiguration {
  /// The `model_type` in `config.json`, such as `gpt2` or `qwen2`.
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

  /// The maximum number of positions.
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

  /// The number of query heads.
  public var heads: Int {
    switch self {
    case .gpt2(let c): c.heads
    case .llama(let c): c.heads
    }
  }

  /// The number of key-value heads, each of which can be shared by several query heads.
  public var kvHeads: Int {
    switch self {
    case .gpt2(let c): c.heads
    case .llama(let c): c.kvHeads
    }
  }

  /// The dimension of an attention head.
  public var headDim: Int {
    switch self {
    case .gpt2(let c): c.headDim
    case .llama(let c): c.headDim
    }
  }

  /// The width of the feed-forward layer.
  public var ffnWidth: Int {
    switch self {
    case .gpt2(let c): c.ffnWidth
    case .llama(let c): c.ffnWidth
    }
  }

  /// The end-of-sequence tokens; may be empty.
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

  /// The model's tensors and their shapes.
  package var tensorShapes: [String: [Int]] {
    switch self {
    case .gpt2(let c): c.tensorShapes
    case .llama(let c): c.tensorShapes
    }
  }
}
