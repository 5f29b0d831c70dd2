/// The opened files of a model. For a GGUF file, the header has been parsed once and is shared by the configuration,
/// the tensors and the tokenizer.
public struct ModelFiles: Sendable {
  public let location: ModelLocation
  let gguf: GGUF?

  public init(_ location: ModelLocation) throws(CheckpointError) {
    self.location = location
    gguf = location.isFile ? try GGUF(path: location.path) : nil
  }

  /// Returns the tokenizer of a GGUF file, or nil for a folder, which has separate tokenizer files.
  public func tokenizerTables() throws(CheckpointError) -> TokenizerTables? {
    guard let gguf else { return nil }
    return try TokenizerTables(gguf)
  }
}
