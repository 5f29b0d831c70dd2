import Platform

/// The opened files of a model. For a GGUF file, the header has been parsed once and is shared by the configuration,
/// the tensors and the tokenizer.
public struct ModelFiles: Sendable {
  /// The location of the model; of its first part if it is a split GGUF model.
  public let location: ModelLocation
  let gguf: GGUF?
  /// The configuration of a model that is not downloaded yet; nil for files on disk.
  private let downloaded: Configuration?

  public init(_ location: ModelLocation) throws(CheckpointError) {
    gguf = location.isFile ? try GGUF(path: location.path) : nil
    self.location = gguf.map { ModelLocation(file: $0.path) } ?? location
    downloaded = nil
  }

  /// Describes a model whose weights are not downloaded yet, by its configuration.
  ///
  /// - Parameters:
  ///   - name: the model's name, for messages.
  ///   - configuration: the bytes of `config.json`.
  ///   - generation: the bytes of `generation_config.json`, if the model has one.
  public init(name: Path, configuration: [UInt8], generation: [UInt8]?) throws(CheckpointError) {
    location = ModelLocation(folder: name)
    gguf = nil
    downloaded = .json(
      try Self.file(name.appending("config.json"), configuration),
      generation: try generation.map { bytes throws(CheckpointError) in
        try Self.file(name.appending("generation_config.json"), bytes)
      })
  }

  /// Describes a GGUF file whose tensors are not downloaded yet, by its beginning.
  ///
  /// - Parameters:
  ///   - name: the file's name, for messages.
  ///   - size: the size of the file.
  /// - Returns: nil if the header is longer than `beginning`.
  public init?(ggufFile name: Path, beginning: [UInt8], size: Int) throws(CheckpointError) {
    location = ModelLocation(file: name)
    downloaded = nil
    let file = try Self.mapped(name, beginning, size: size)
    do throws(CheckpointError) {
      let gguf = try GGUF(file)
      self.gguf = gguf
      guard gguf.headerSize <= beginning.count else { return nil }
      if case .failure = gguf.tensors, beginning.count < size { return nil }
    } catch {
      guard beginning.count == size else { return nil }
      throw error
    }
  }

  private static func file(_ path: Path, _ bytes: [UInt8]) throws(CheckpointError) -> ConfigurationFile {
    let file = try mapped(path, bytes, size: bytes.count)
    if let placeholder = file.placeholder { throw .unusable(file: path, reason: placeholder) }
    return try ConfigurationFile(file)
  }

  private static func mapped(_ path: Path, _ bytes: [UInt8], size: Int) throws(CheckpointError) -> MappedFile {
    do throws(FileError) {
      return try bytes.withUnsafeBufferPointer { buffer throws(FileError) in
        try MappedFile(path: path, beginning: UnsafeRawBufferPointer(buffer), size: max(size, buffer.count))
      }
    } catch { throw CheckpointError(error) }
  }

  /// Returns the `general.architecture` of a GGUF file, of which only the beginning is known; nil if it is not in that
  /// part of the file.
  public static func architecture(ofGGUFBeginning bytes: [UInt8]) -> String? {
    guard let file = try? mapped("", bytes, size: bytes.count) else { return nil }
    return GGUF.architecture(file)
  }

  /// The names of the types of the matrices that the kernels do not compute with, sorted.
  ///
  /// - Throws: ``CheckpointError`` if the descriptions of the tensors are invalid.
  public func unsupportedTypes() throws(CheckpointError) -> [String] {
    guard let gguf else { return [] }
    let names = try gguf.tensors.get().values.filter { $0.shape.count > 1 && !$0.type.isComputable }.map(\.typeName)
    return Set(names).sorted()
  }

  /// Returns the tokenizer of a GGUF file, or nil for a folder, which has separate tokenizer files.
  public func tokenizerTables() throws(CheckpointError) -> TokenizerTables? {
    guard let gguf else { return nil }
    return try TokenizerTables(gguf)
  }

  /// The files with the hyperparameters of a model.
  package enum Configuration: Sendable {
    /// `config.json`, and `generation_config.json` if there is one.
    case json(ConfigurationFile, generation: ConfigurationFile?)
    case gguf(GGUF)
  }

  /// Returns the configuration of the model.
  ///
  /// - Throws: ``CheckpointError`` if `config.json` is missing, or if a file is not a JSON object.
  package func configuration() throws(CheckpointError) -> Configuration {
    if let gguf { return .gguf(gguf) }
    if let downloaded { return downloaded }
    let folder = location.path
    let path = folder.appending("config.json")
    guard lexists(path) else {
      throw .notFound(
        "\(folder): not a model folder: config.json is missing or unreadable\(unsupportedFilesHint(forFolder: folder))"
          + completionHint(forFolder: folder))
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
