import Platform

/// The tokenizer tables of a GGUF file: the keys with the prefix `tokenizer.ggml`. Only the lengths of the tables have
/// been compared; `ByteLevelTokenizer` checks whether they form a valid tokenizer.
public struct TokenizerTables: Sendable {
  /// The file's path.
  public let path: Path
  /// The kind of tokenizer: `gpt2` for byte-level BPE, `llama` for SentencePiece, and so on.
  public let model: String
  /// The name of the pre-tokenizer: `gpt-2`, `llama-bpe`, `qwen2` and so on; nil in old files.
  public let preTokenizer: String?
  /// The tokens in the order of their ids. If `model` is `gpt2`, control and user-defined tokens are plain text and
  /// all other tokens are in the byte-level alphabet.
  public let tokens: MappedStrings
  /// The type of each token (llama.cpp, `enum llama_token_type`): 1 normal, 2 unknown, 3 control, 4 user-defined,
  /// 5 unused, 6 byte.
  public let types: MappedInt32s?
  /// The merges, `a b`, in the order of their ranks.
  public let merges: MappedStrings?
  /// The id of the beginning-of-sequence token; nil if the file names no token, or an id that no token has.
  public let bosTokenID: Int?
  /// The id of the end-of-sequence token, as for `bosTokenID`.
  public let eosTokenID: Int?

  init(_ gguf: GGUF) throws(CheckpointError) {
    func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }
    path = gguf.path
    guard let model = try gguf.string(key("model")), let tokens = try gguf.strings(key("tokens")) else {
      throw gguf.refuse("no tokenizer: \(key("model")) or \(key("tokens")) is missing")
    }
    types = try gguf.int32s(key("token_type"))
    guard types?.count ?? tokens.count == tokens.count else {
      throw gguf.refuse(
        "\(key("tokens")) has \(tokens.count) entries, but \(key("token_type")) has \(types?.count ?? 0)")
    }
    (self.model, self.tokens) = (model, tokens)
    preTokenizer = try gguf.string(key("pre"))
    merges = try gguf.strings(key("merges"))
    // llama.cpp also ignores an id that no token has
    bosTokenID = try gguf.integer(key("bos_token_id")).flatMap { 0..<tokens.count ~= $0 ? $0 : nil }
    eosTokenID = try gguf.integer(key("eos_token_id")).flatMap { 0..<tokens.count ~= $0 ? $0 : nil }
  }
}
