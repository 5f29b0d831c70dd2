import Platform

/// A byte-level byte-pair tokenizer, as GPT-2 and its kin have: any bytes to token ids and back, without loss.
///
/// It never changes once it is open, and threads may share it. Ids to bytes is `bytes(of:)`; bytes to ids is the work of
/// an encoder, of which each thread makes its own (`makeEncoder`).
public final class ByteLevelTokenizer: Sendable {
  let vocabulary: Vocabulary
  let addedTokens: AddedTokens
  let settings: Settings

  /// What a file may say about how text becomes pieces, and pieces tokens.
  struct Settings: Sendable {
    /// `NFC`: the text is brought into Unicode's form C first. Offsets are in the text as it was: a token that ends within
    /// a sequence that has changed ends where the sequence begins.
    var normalizesNFC = false
    var rule = PreTokenizer.gpt2
    var digits = DigitSplitting.none
    /// `add_prefix_space`: a part of the text that does not begin with a space is split as if it did.
    var addsPrefixSpace = false
    /// `ignore_merges`: a piece that is a token is that token, whether merges lead to it or not.
    var ignoresMerges = false
    /// The token that begins a text, where the file names one.
    var bosTokenID: Int?
  }

  /// What a tokenizer is opened for.
  public enum Purpose: Sendable {
    /// Text to ids, and ids to text.
    case encoding
    /// Ids to text only. That needs less of the file and no look-up tables, and opens in half the time; what is wrong
    /// with the merges is not noticed.
    case decoding
  }

  private let purpose: Purpose

  init(
    _ vocabulary: Vocabulary, _ addedTokens: [AddedTokens.Token], _ settings: Settings, _ purpose: Purpose
  ) throws(VocabularyError) {
    self.vocabulary = vocabulary
    self.addedTokens = try AddedTokens(addedTokens, of: vocabulary, normalizesNFC: settings.normalizesNFC, for: purpose)
    self.settings = settings
    self.purpose = purpose
  }

  /// The highest id, and one.
  public var vocabularySize: Int { vocabulary.count }

  /// FNV-1a, 64 bits, over the tokens in the order of their ids: each one's length in two bytes, lower first (0 for an
  /// id without a token), then its bytes. It is computed when asked for, in about half a millisecond: keep it.
  public var fingerprint: UInt64 { vocabulary.fingerprint() }

  /// A token's bytes; nil where the id is no token's. They are valid as long as the tokenizer lives.
  public func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? { vocabulary.bytes(of: id) }

  /// Whether the token stands for something that is no text, such as the end of one.
  public func isSpecial(_ id: Int) -> Bool { addedTokens.isSpecial(id) }

  /// The id of the token that begins a text: the one that the tokenizer's file names, or else `<|endoftext|>`, which in
  /// GPT-2 is for both ends; nil where there is neither.
  public var bosTokenID: Int? { settings.bosTokenID ?? id(of: AddedTokens.endOfText) }

  /// The id of a special or other added token, or else of a token that text can be encoded to, by its bytes. For a
  /// tokenizer that is open for decoding it finds the added ones only.
  public func id(of token: [UInt8]) -> Int? {
    if let id = addedTokens.id(of: token, in: vocabulary) { return id }
    let id = token.withUnsafeBufferPointer { token in
      token.baseAddress.map { vocabulary.id(of: $0, count: token.count, paddedCount: token.count) } ?? -1
    }
    return id < 0 ? nil : Int(id)
  }

  /// An encoder for one thread.
  public func makeEncoder() -> ByteLevelEncoder {
    precondition(purpose == .encoding, "a tokenizer that is open for decoding has nothing to encode with")
    return ByteLevelEncoder(self)
  }
}
