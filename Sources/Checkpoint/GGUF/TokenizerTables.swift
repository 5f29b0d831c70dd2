import Platform

/// The tokenizer tables of a GGUF file: the keys with the prefix `tokenizer.ggml`. Only the lengths of the tables have
/// been compared; `Tokenizer` checks whether they form a valid tokenizer.
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
  /// The id of the unknown token; nil if the file names no token, or an id that no token has.
  public let unknownTokenID: Int?
  /// The score of each token, which is finite: the log-probability of a unigram model, or the negated rank of a merge.
  public let scores: [Float]?
  /// Whether a space is inserted at the start of a text.
  public let addsSpacePrefix: Bool?
  /// Whether the beginning-of-sequence token is inserted at the start of a text.
  public let addsBOS: Bool?
  /// Whether the end-of-sequence token is appended to a text.
  public let addsEOS: Bool?
  /// Whether spaces at the ends of a text are removed, and runs of spaces replaced by one space.
  public let removesExtraWhitespace: Bool?
  /// The normalization of a SentencePiece model (`precompiled_charsmap`): the size of a double-array trie in four
  /// bytes, the trie, and the replacements. The contents have not been checked.
  public let characterMap: [UInt8]?

  init(_ gguf: GGUF) throws(CheckpointError) {
    func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }
    path = gguf.path
    guard let model = try gguf.string(key("model")), let tokens = try gguf.strings(key("tokens")) else {
      throw gguf.refuse("no tokenizer: \(key("model")) or \(key("tokens")) is missing")
    }
    (self.model, self.tokens) = (model, tokens)
    func sameCount(_ name: String, _ count: Int?) throws(CheckpointError) {
      guard let count, count != tokens.count else { return }
      throw gguf.refuse("\(key("tokens")) has \(tokens.count) entries, but \(key(name)) has \(count)")
    }
    // llama.cpp also ignores an id that no token has.
    func tokenID(_ name: String) throws(CheckpointError) -> Int? {
      try gguf.integer(key(name)).flatMap { 0..<tokens.count ~= $0 ? $0 : nil }
    }
    types = try gguf.int32s(key("token_type"))
    try sameCount("token_type", types?.count)
    scores = try gguf.float32s(key("scores"))
    try sameCount("scores", scores?.count)
    if let id = scores?.firstIndex(where: { !$0.isFinite }) {
      throw gguf.refuse("\(key("scores")) has \(scores?[id] ?? 0) for token \(id); must be finite")
    }
    preTokenizer = try gguf.string(key("pre"))
    merges = try gguf.strings(key("merges"))
    bosTokenID = try tokenID("bos_token_id")
    eosTokenID = try tokenID("eos_token_id")
    unknownTokenID = try tokenID("unknown_token_id")
    addsSpacePrefix = try gguf.boolean(key("add_space_prefix"))
    addsBOS = try gguf.boolean(key("add_bos_token"))
    addsEOS = try gguf.boolean(key("add_eos_token"))
    removesExtraWhitespace = try gguf.boolean(key("remove_extra_whitespaces"))
    characterMap = try gguf.bytes(key("precompiled_charsmap"))
  }
}
