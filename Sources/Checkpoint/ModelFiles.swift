/// A model that was found, its files opened as far as it takes to say what it is: a GGUF file's header has been read,
/// once for its configuration, its tensors and its tokenizer.
public struct ModelFiles: Sendable {
  public let location: ModelLocation
  let gguf: GGUF?

  public init(_ location: ModelLocation) throws(CheckpointError) {
    self.location = location
    gguf = location.isFile ? try GGUF(path: location.path) : nil
  }

  /// The tokenizer of a GGUF file; nil for a folder, in which it has files of its own.
  public func tokenizerTables() throws(CheckpointError) -> TokenizerTables? {
    guard let gguf else { return nil }
    return try TokenizerTables(gguf)
  }
}
