import Checkpoint
import JSON

/// The family and the hyperparameters of a model, before its weights are opened.
public struct ModelDefinition: Sendable {
  public let shape: ModelShape
  let family: any ModelFamily.Type

  /// All families.
  static var families: [any ModelFamily.Type] {
    [
      GPT2.self, OPT.self, GPTNeo.self, GPTNeoX.self, GPTJ.self, BLOOM.self, Falcon.self, Phi.self, StarCoder2.self,
      Llama.self, Granite.self, SmolLM3.self, Phi3.self, Gemma.self, OLMo.self, OLMo2.self, StableLM.self, Cohere.self,
    ]
  }

  /// The names of a model in files.
  public struct ModelName: Sendable {
    /// The published name, such as `GPT-NeoX, Pythia`.
    public let name: String
    /// The `model_type` in `config.json`.
    public let modelType: String
    /// The `general.architecture` in GGUF files; nil if llama.cpp writes no such files.
    public let architecture: String?

    init(_ name: String, type modelType: String, gguf architecture: String? = nil) {
      (self.name, self.modelType, self.architecture) = (name, modelType, architecture)
    }
  }

  /// The names of the models that are implemented.
  public static var modelNames: [ModelName] { families.flatMap { $0.names.models } }

  /// Reads `config.json` and the optional `generation_config.json`, or the metadata of a GGUF file.
  ///
  /// - Throws: `CheckpointError` if no family has this name, or if the hyperparameters are invalid.
  public init(_ files: ModelFiles) throws(CheckpointError) {
    let reader = try ConfigurationReader(files.configuration())
    let (name, isGGUF) = (reader.modelType, reader.gguf != nil)
    let family = Self.families.first { family in
      family.names.models.contains { (isGGUF ? $0.architecture : $0.modelType) == name }
    }
    guard let family else {
      let member = isGGUF ? "general.architecture" : "model_type"
      throw reader.refuse(
        name.isEmpty
          ? "\(member) is missing"
          : "\(member) \"\(excerpt(name))\" is not implemented; lm-info --list-families shows the families that are")
    }
    self.family = family
    shape = try family.shape(reader)
  }

  /// Returns the weights of the model, without duplicates and without unused tensors such as masks.
  ///
  /// - Throws: `CheckpointError` if a tensor is missing, unexpected, or has the wrong shape.
  public func weights(_ checkpoint: Checkpoint) throws(CheckpointError) -> [Tensor] {
    let loader = try WeightLoader(checkpoint, family.names, shape)
    _ = try network(loader)
    return try loader.weights()
  }

  /// Returns the token embedding (vocabulary, width).
  ///
  /// - Throws: as `weights`.
  func tokenEmbedding(_ checkpoint: Checkpoint) throws(CheckpointError) -> Tensor {
    let loader = try WeightLoader(checkpoint, family.names, shape)
    _ = try network(loader)
    return try loader.requestedEmbedding()
  }

  /// Looks up the tensors of the model.
  func network(_ loader: WeightLoader) throws(CheckpointError) -> any Network {
    func open<Family: ModelFamily>(_: Family.Type) throws(CheckpointError) -> any Network {
      try Family.Model(shape, loader)
    }
    return try open(family)
  }
}
