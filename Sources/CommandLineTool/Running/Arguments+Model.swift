import CPlatform
import Checkpoint
import Platform
import Tokenizer

extension Arguments {
  /// Opens the model that `--model`, $LM_MODEL or the default names. Call this once for the tokenizer and the weights,
  /// because it reads the header of a GGUF file.
  public func modelFiles() throws -> ModelFiles { try ModelFiles(ModelLocation.find(path(.model))) }

  /// The value of `--threads`, or the number of processors.
  public var threadCount: Int { integer(.threads) ?? Int(lmpipe_available_processors()) }
}

extension Tokenizer {
  /// Opens the tokenizer of a model for encoding, with the pre-tokenizer that `--pre-tokenizer` or $LM_PRE names.
  public convenience init(_ model: ModelFiles, _ arguments: Arguments) throws {
    let preTokenizer = arguments.text(.preTokenizer) ?? environmentVariable("LM_PRE")
    try self.init(model, preTokenizer: preTokenizer, for: .encoding)
  }

  /// Opens the tokenizer of a model, from its image in the user's cache folder, or else from its GGUF file or from the
  /// tokenizer files in its folder.
  ///
  /// - Parameter preTokenizer: The name of the pre-tokenizer of a GGUF file, instead of the one in the file.
  public convenience init(_ model: ModelFiles, preTokenizer: String? = nil, for purpose: Purpose) throws {
    let image = TokenizerImages.shared.image(model.location.path, preTokenizer: preTokenizer, for: purpose)
    if let contents = image?.contents() {
      self.init(contents)
      return
    }
    if let tables = try model.tokenizerTables() {
      var tables = GGUFTokenizerTables(tables)
      tables.preTokenizer = preTokenizer ?? tables.preTokenizer
      try self.init(tables, for: purpose)
    } else {
      try self.init(folder: model.location.path, for: purpose)
    }
    if let image { TokenizerImages.shared.writeAtEnd(image, self) }
  }
}

extension GGUFTokenizerTables {
  public init(_ tables: TokenizerTables) {
    self.init(
      path: tables.path, model: tables.model, preTokenizer: tables.preTokenizer, tokens: tables.tokens,
      types: tables.types, merges: tables.merges, scores: tables.scores, bosTokenID: tables.bosTokenID,
      eosTokenID: tables.eosTokenID, addsSpacePrefix: tables.addsSpacePrefix,
      removesExtraWhitespace: tables.removesExtraWhitespace, characterMap: tables.characterMap)
  }
}
