import CPlatform
import Checkpoint
import Tokenizer

extension Arguments {
  /// Where the model is that the command line, the environment or the toolset names.
  public func modelLocation() throws -> ModelLocation { try ModelLocation.find(text(.model)) }

  public var threadCount: Int { integer(.threads) ?? Int(lmpipe_available_processors()) }

  /// The model's tokenizer.
  public func tokenizer(for purpose: ByteLevelTokenizer.Purpose) throws -> ByteLevelTokenizer {
    try ByteLevelTokenizer(folder: modelLocation().path, for: purpose)
  }
}
