import Platform

/// The opened files of a model. For a GGUF file, the header has been parsed once and is shared by the configuration,
/// the tensors and the tokenizer.
public struct ModelFiles: Sendable {
  /// The location of the model; of its first part if it is a split GGUF model.
  public let location: ModelLocation
  let gguf: GGUF?

  public init(_ location: ModelLocation) throws(CheckpointError) {
    gguf = location.isFile ? try GGUF(path: location.path) : nil
    self.location = gguf.map { ModelLocation(file: $0.path) } ?? location
  }

  /// Returns the tokenizer of a GGUF file, or nil for a folder, which has separate tokenizer files.
  public func tokenizerTables() throws(CheckpointError) -> TokenizerTables? {
    guard let gguf else { return nil }
    return try TokenizerTables(gguf)
  }

  /// The files with the hyperparameters of a model.
  package enum Configuration {
    /// `config.json`, and `generation_config.json` if there is one.
    case json(ConfigurationFile, generation: ConfigurationFile?)
    case gguf(GGUF)
  }

  /// Returns the configuration of the model.
  ///
  /// - Throws: ``CheckpointError`` if `config.json` is missing, or if a file is not a JSON object.
  package func configuration() throws(CheckpointError) -> Configuration {
    if let gguf { return .gguf(gguf) }
    let folder = location.path
    let path = folder.appending("config.json")
    guard lexists(path) else {
      throw .notFound(
        "\(folder): not a model folder: config.json is missing or unreadable\(unsupportedFilesHint(forFolder: folder))")
    }
    let generation = folder.appending("generation_config.json")
    return .json(
      try ConfigurationFile(path: path),
      generation: lexists(generation) ? try ConfigurationFile(path: generation) : nil)
  }

  /// The size of the vocabulary in the configuration; nil if it has none, or an invalid one.
  public var declaredVocabularySize: Int? {
    switch try? configuration() {
    case .json(let file, _):
      let text = (try? file.object("text_config")) ?? file  // models of text and images
      return try? text.size("vocab_size")
    case .gguf(let gguf): return try? gguf.vocabularySize()
    case nil: return nil
    }
  }
}

extension GGUF {
  /// Returns the vocabulary size: the number of the tokenizer's tokens, as in llama.cpp, or the size in the metadata if
  /// the file has no tokenizer.
  package func vocabularySize() throws(CheckpointError) -> Int {
    let name = "tokenizer.ggml.tokens"
    if let tokens = try strings(name) { return try size("the length of \(name)", tokens.count) }
    let architecture = try string("general.architecture") ?? ""
    return try size("\(architecture).vocab_size")
  }
}
