import CPlatform
import Checkpoint
import Tokenizer

extension Arguments {
  /// The model that the command line, the environment or the toolset names. Whoever wants both its tokenizer and its
  /// weights asks once: a GGUF file's header is read here.
  public func modelFiles() throws -> ModelFiles { try ModelFiles(ModelLocation.find(path(.model))) }

  public var threadCount: Int { integer(.threads) ?? Int(lmpipe_available_processors()) }

  /// The model's tokenizer.
  public func tokenizer(for purpose: ByteLevelTokenizer.Purpose) throws -> ByteLevelTokenizer {
    try ByteLevelTokenizer(modelFiles(), for: purpose)
  }
}

extension ByteLevelTokenizer {
  /// Opens the tokenizer of a model: what its GGUF file carries, or the files in its folder.
  public convenience init(_ model: ModelFiles, for purpose: Purpose) throws {
    if let tables = try model.tokenizerTables() {
      try self.init(
        path: tables.path, model: tables.model, preTokenizer: tables.preTokenizer, tokens: tables.tokens,
        types: tables.types, merges: tables.merges, bosTokenID: tables.bosTokenID, for: purpose)
    } else {
      try self.init(folder: model.location.path, for: purpose)
    }
  }
}
