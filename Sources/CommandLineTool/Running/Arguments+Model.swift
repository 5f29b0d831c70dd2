import CPlatform
import Checkpoint
import Tokenizer

extension Arguments {
  /// Opens the model that `--model`, $LM_MODEL or the default names. Call this once for the tokenizer and the weights,
  /// because it reads the header of a GGUF file.
  public func modelFiles() throws -> ModelFiles { try ModelFiles(ModelLocation.find(path(.model))) }

  /// The value of `--threads`, or the number of processors.
  public var threadCount: Int { integer(.threads) ?? Int(lmpipe_available_processors()) }

  /// Opens the model's tokenizer.
  public func tokenizer(for purpose: ByteLevelTokenizer.Purpose) throws -> ByteLevelTokenizer {
    try ByteLevelTokenizer(modelFiles(), for: purpose)
  }
}

extension ByteLevelTokenizer {
  /// Opens the tokenizer of a model, from its GGUF file or from the tokenizer files in its folder.
  public convenience init(_ model: ModelFiles, for purpose: Purpose) throws {
    if let tables = try model.tokenizerTables() {
      try self.init(
        path: tables.path, model: tables.model, preTokenizer: tables.preTokenizer, tokens: tables.tokens,
        types: tables.types, merges: tables.merges, bosTokenID: tables.bosTokenID,
        eosTokenID: tables.eosTokenID, for: purpose)
    } else {
      try self.init(folder: model.location.path, for: purpose)
    }
  }
}
