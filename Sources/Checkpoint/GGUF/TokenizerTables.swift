import Platform

/// The tokenizer inside a GGUF file, as it stands there: the keys that begin with `tokenizer.ggml`. Whether the tables
/// make a tokenizer that can be used is for others to judge; here only their lengths have been compared.
public struct TokenizerTables: Sendable {
  /// The file's path.
  public let path: Path
  /// `gpt2` for byte-level pairs, `llama` for SentencePiece, and others.
  public let model: String
  /// How text is cut into pieces before it is encoded: `gpt-2`, `llama-bpe`, `qwen2`…; nil in old files.
  public let preTokenizer: String?
  /// The tokens in the order of their ids; spelled in the byte-level alphabet where `model` is `gpt2`, except the
  /// control and user-defined ones, which are spelled as they are.
  public let tokens: MappedStrings
  /// Of each token (llama.cpp, `enum llama_token_type`): 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
  public let types: MappedInt32s?
  /// `a b` in the order of their ranks.
  public let merges: MappedStrings?
  /// Ids of special tokens; nil where there is none, or no token has the id.
  public let beginOfText: Int?
  public let endOfText: Int?
  /// What its converter says of encoding a text: nothing here does so unasked.
  public let addsBeginOfText: Bool?
  public let addsEndOfText: Bool?
  public let addsPrefixSpace: Bool?

  init(_ gguf: GGUF) throws(CheckpointError) {
    func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }
    path = gguf.path
    guard let model = try gguf.string(key("model")), let tokens = try gguf.strings(key("tokens")) else {
      throw gguf.refuse("there is no tokenizer in it (\(key("model")) and \(key("tokens")))")
    }
    types = try gguf.int32s(key("token_type"))
    guard types?.count ?? tokens.count == tokens.count else {
      throw gguf.refuse("\(key("tokens")) has \(tokens.count) entries, and \(key("token_type")) \(types?.count ?? 0)")
    }
    func id(_ name: String) throws(CheckpointError) -> Int? {
      guard let id = try gguf.integer(key(name)), 0..<tokens.count ~= id else { return nil }  // as in llama.cpp
      return id
    }
    (self.model, self.tokens) = (model, tokens)
    preTokenizer = try gguf.string(key("pre"))
    merges = try gguf.strings(key("merges"))
    beginOfText = try id("bos_token_id")
    endOfText = try id("eos_token_id")
    addsBeginOfText = try gguf.boolean(key("add_bos_token"))
    addsEndOfText = try gguf.boolean(key("add_eos_token"))
    addsPrefixSpace = try gguf.boolean(key("add_space_prefix"))
  }
}
