import Platform

/// A byte-level BPE tokenizer, as used by GPT-2: encodes any bytes as token ids and decodes them without loss.
///
/// ```swift
/// let tokenizer = try ByteLevelTokenizer(folder: "models/gpt2")
/// let (encoder, tokens) = (tokenizer.makeEncoder(), TokenBuffer(recordsEnds: false))
/// try text.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
/// let bytes = tokens.ids.flatMap { Array(tokenizer.bytes(of: Int($0))!) }
/// ```
///
/// A tokenizer is immutable and can be shared by threads. Each thread creates its own encoder (`makeEncoder`).
public final class ByteLevelTokenizer: Sendable {
  let vocabulary: Vocabulary
  let addedTokens: AddedTokens
  let settings: Settings

  /// The settings of a tokenizer's file: normalization, pre-tokenization, and merging.
  struct Settings: Sendable {
    /// The normalizers, in order. Token ends are offsets in the text before normalization: a token that ends within a
    /// changed sequence ends at the start of this sequence.
    var normalizers: [Normalizer] = []
    var preTokenizer = PreTokenizer.gpt2
    var digitSplitting = DigitSplitting.none
    /// `add_prefix_space`: a segment of the text that does not begin with a space is encoded as if it did.
    var addsPrefixSpace = false
    /// `ignore_merges`: a pre-token that is in the vocabulary becomes this token, even if the merges do not produce it.
    var ignoresMerges = false
    /// The beginning-of-text and the end-of-text token; nil if no file names it.
    var bosTokenID: Int?
    var eosTokenID: Int?
    /// The tokens that the post-processor adds before and after a text.
    var tokensBefore: [Int] = []
    var tokensAfter: [Int] = []
    /// What is wrong with the files, though they can be used.
    var warnings: [String] = []
  }

  /// The purpose for which a tokenizer is opened, which determines how much of the file is read.
  public enum Purpose: Sendable {
    /// Encode and decode.
    case encoding
    /// Decode only. Reads less of the file and builds no look-up tables, so it opens in half the time. Errors in the
    /// merges are not detected.
    case decoding
  }

  private let purpose: Purpose

  init(
    _ vocabulary: Vocabulary, _ addedTokens: [AddedTokens.Token], _ settings: Settings, _ purpose: Purpose
  ) throws(VocabularyError) {
    self.vocabulary = vocabulary
    self.addedTokens = try AddedTokens(addedTokens, of: vocabulary, settings.normalizers, for: purpose)
    self.settings = settings
    self.purpose = purpose
  }

  /// The highest id plus one.
  public var vocabularySize: Int { vocabulary.count }

  /// The 64-bit FNV-1a hash of the vocabulary: for each id in order, the length of its token in two bytes,
  /// little-endian (0 for an id without a token), then its bytes. Computed on every access, in about half a
  /// millisecond.
  public var fingerprint: UInt64 { vocabulary.fingerprint() }

  /// Returns the bytes of a token, or nil if no token has this id. The bytes are valid as long as the tokenizer exists.
  public func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? { vocabulary.bytes(of: id) }

  /// Returns true if the token is a special token, such as `<|endoftext|>`.
  public func isSpecial(_ id: Int) -> Bool { addedTokens.isSpecial(id) }

  /// The id of the beginning-of-text token: the token that the file names, or else `<|endoftext|>`, which GPT-2 uses at
  /// both ends of a text. Nil if the vocabulary has neither.
  public var bosTokenID: Int? {
    settings.bosTokenID ?? settings.tokensBefore.first ?? id(of: AddedTokens.endOfText)
  }

  /// The id of the end-of-text token, as for `bosTokenID`.
  public var eosTokenID: Int? {
    settings.eosTokenID ?? settings.tokensAfter.last ?? id(of: AddedTokens.endOfText)
  }

  /// The tokens to put before a text: those that the tokenizer's post-processor adds, or else the beginning-of-text
  /// token. Empty if there is no such token.
  public var tokensBeforeText: [Int] {
    settings.tokensBefore.isEmpty ? bosTokenID.map { [$0] } ?? [] : settings.tokensBefore
  }

  /// The tokens to put after a text, as for `tokensBeforeText`.
  public var tokensAfterText: [Int] {
    settings.tokensAfter.isEmpty ? eosTokenID.map { [$0] } ?? [] : settings.tokensAfter
  }

  /// What is wrong with the files of the tokenizer, though they can be used: one line each.
  public var warnings: [String] { settings.warnings }

  /// Returns the id of the token with these bytes, which can be an added token or a token that text can be encoded to;
  /// nil if no token has these bytes. A tokenizer that is open for decoding finds only added tokens.
  public func id(of token: [UInt8]) -> Int? {
    if let id = addedTokens.id(of: token, in: vocabulary) { return id }
    let id = token.withUnsafeBufferPointer { token in
      token.baseAddress.map { vocabulary.id(of: $0, count: token.count, paddedCount: token.count) } ?? -1
    }
    return id < 0 ? nil : Int(id)
  }

  /// Returns a new encoder, for use by one thread. The tokenizer must be open for encoding.
  public func makeEncoder() -> ByteLevelEncoder {
    precondition(purpose == .encoding, "the tokenizer is open for decoding only")
    return ByteLevelEncoder(self)
  }
}
