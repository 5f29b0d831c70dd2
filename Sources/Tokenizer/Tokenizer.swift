import Platform

/// A tokenizer: encodes any bytes as token ids, and decodes ids.
///
/// A text goes through these steps, as in the library `tokenizers`: added tokens are found, the text between them is
/// normalized and split into pre-tokens, and a model encodes each pre-token. The model is byte-level BPE as in GPT-2,
/// BPE of characters or a unigram model as in SentencePiece.
///
/// ```swift
/// let tokenizer = try Tokenizer(folder: "models/gpt2")
/// let (encoder, tokens) = (tokenizer.makeEncoder(), TokenBuffer(recordsEnds: false))
/// try text.withUnsafeBufferPointer { try encoder.encode($0, into: tokens) }
/// let bytes = tokenizer.decode(tokens.ids.map(Int.init))
/// ```
///
/// A tokenizer is immutable and can be shared by threads. Each thread creates its own encoder (`makeEncoder`).
public final class Tokenizer: Sendable {
  /// The last step of encoding.
  enum Model: Sendable {
    /// `ignoresMerges`: a pre-token that is in the vocabulary becomes this token, even if the merges do not produce it.
    case byteLevel(Vocabulary, ignoresMerges: Bool)
    case characters(CharacterBPE)
    case unigram(Unigram)
    /// No model: the tokenizer is open for decoding.
    case none(unknownID: Int?)

    /// The token of characters that the vocabulary lacks; nil if there is none.
    var unknownID: Int? {
      switch self {
      case .byteLevel: nil
      case .characters(let model): model.unknownID < 0 ? nil : Int(model.unknownID)
      case .unigram(let model): model.unknownID < 0 ? nil : Int(model.unknownID)
      case .none(let id): id
      }
    }
  }

  /// The settings of a tokenizer's files.
  struct Settings: Sendable {
    /// The normalizers, in order. Token ends are offsets in the text before normalization: a token that ends within a
    /// changed sequence ends at the start of this sequence.
    var normalizers: [Normalizer] = []
    var preTokenizer: [PreTokenizerStep] = [.known(.gpt2)]
    /// The beginning-of-text and the end-of-text token; nil if no file names it.
    var bosTokenID: Int?
    var eosTokenID: Int?
    /// The special tokens that have a name in the files, such as `pad_token`.
    var namedTokens: [String: [UInt8]] = [:]
    /// True if the file names the tokens at the ends of a text by their ids.
    var namesTokensByID = false
    /// The tokens that the post-processor adds before and after a text.
    var tokensBefore: [Int] = []
    var tokensAfter: [Int] = []
    /// What is wrong with the files, though they can be used.
    var warnings: [String] = []

    /// True if a normalizer or a pre-tokenizer puts a character before the text.
    var addsPrefix: Bool {
      normalizers.contains {
        switch $0 {
        case .prepend: true
        case .sentencePiece(let normalizer): normalizer.addsDummyPrefix
        default: false
        }
      }
        || preTokenizer.contains {
          switch $0 {
          case .metaspace(let metaspace): metaspace.prependScheme != .never
          case .prefixSpace: true
          default: false
          }
        }
    }

    /// The settings without what puts a character before the text.
    var withoutPrefix: Settings {
      var settings = self
      settings.normalizers = normalizers.compactMap {
        switch $0 {
        case .prepend: return nil
        case .sentencePiece(var normalizer):
          normalizer.addsDummyPrefix = false
          return .sentencePiece(normalizer)
        default: return $0
        }
      }
      settings.preTokenizer = preTokenizer.compactMap {
        switch $0 {
        case .metaspace(let metaspace): .metaspace(metaspace.withoutPrefix)
        case .prefixSpace: nil
        default: $0
        }
      }
      return settings
    }
  }

  /// The purpose for which a tokenizer is opened, which determines how much of the file is read.
  public enum Purpose: Sendable {
    /// Encode and decode.
    case encoding
    /// Decode only. Reads less of the file and builds no look-up tables, so it opens in half the time. Errors in the
    /// merges are not detected.
    case decoding
  }

  let model: Model
  let tokens: any TokenTable
  let addedTokens: AddedTokens
  let settings: Settings
  /// The fingerprint, if the tokenizer was opened from an image, which contains it.
  private let knownFingerprint: UInt64?
  /// The token of characters that the vocabulary lacks; nil if the model has none.
  let unknownID: Int?

  init(
    _ model: Model, _ tokens: some TokenTable, _ addedTokens: [AddedTokens.Token], _ settings: Settings,
    _ purpose: Purpose
  ) throws(VocabularyError) {
    unknownID = model.unknownID
    self.model = purpose == .encoding ? model : .none(unknownID: unknownID)
    self.tokens = tokens
    self.addedTokens = try AddedTokens(addedTokens, of: tokens, settings.normalizers, for: purpose)
    self.settings = settings
    knownFingerprint = nil
  }

  /// Creates a tokenizer from the contents of an image.
  public init(_ contents: TokenizerImage.Contents) {
    (model, tokens, addedTokens) = (contents.model, contents.tokens, contents.addedTokens)
    (settings, knownFingerprint, unknownID) = (contents.settings, contents.fingerprint, contents.model.unknownID)
  }

  /// The highest id plus one.
  public var vocabularySize: Int { tokens.count }

  /// The 64-bit FNV-1a hash of the vocabulary: for each id in order, the length of its token in two bytes,
  /// little-endian (0 for an id without a token), then its bytes. Computed on every access, in about half a
  /// millisecond, unless an image contains it.
  public var fingerprint: UInt64 { knownFingerprint ?? tokens.fingerprint() }

  /// Returns the bytes of a token within a text, or nil if no token has this id. The bytes are valid as long as the
  /// tokenizer exists. At the start of a text, a token can have other bytes: see `TokenDecoder`.
  public func bytes(of id: Int) -> UnsafeBufferPointer<UInt8>? { tokens.bytes(of: id) }

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

  /// The texts of the special tokens by the names `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`,
  /// `cls_token` and `mask_token`, as far as the files name them: `special_tokens_map` of transformers.
  public var namedTokens: [String: [UInt8]] {
    var named = settings.namedTokens
    guard settings.namesTokensByID else { return named }
    for (name, id) in [("bos_token", settings.bosTokenID), ("eos_token", settings.eosTokenID)] {
      named[name] = id.map { addedTokens.content(of: Int32(truncatingIfNeeded: $0), in: tokens) }
    }
    return named
  }

  /// What is wrong with the files of the tokenizer, though they can be used: one line each.
  public var warnings: [String] { settings.warnings }

  /// Returns the id of the token with these bytes, which can be an added token or a token that text can be encoded to;
  /// nil if no token has these bytes. A tokenizer that is open for decoding finds only added tokens.
  public func id(of token: [UInt8]) -> Int? {
    if let id = addedTokens.id(of: token, in: tokens) { return id }
    switch model {
    case .byteLevel(let vocabulary, _):
      let id = token.withUnsafeBufferPointer { token in
        token.baseAddress.map { vocabulary.id(of: $0, count: token.count, paddedCount: token.count) } ?? -1
      }
      return id < 0 ? nil : Int(id)
    case .characters, .unigram:
      return (0..<tokens.count).first { tokens.bytes(of: $0)?.elementsEqual(token) ?? false }
    case .none: return nil
    }
  }

  /// Returns a new encoder, for use by one thread. The tokenizer must be open for encoding.
  ///
  /// - Parameter addsPrefix: false for texts that continue another text: nothing is put before them.
  public func makeEncoder(addsPrefix: Bool = true) -> TextEncoder {
    TextEncoder(self, addsPrefix ? settings : settings.withoutPrefix)
  }

  /// Returns the encoder of the model, for use by one thread.
  func makeModelEncoder() -> PreTokenization.Encoder {
    switch model {
    case .byteLevel(let vocabulary, let ignoresMerges):
      .byteLevel(ByteLevelEncoder(vocabulary, ignoresMerges: ignoresMerges))
    case .characters(let model): .characters(model.makeEncoder())
    case .unigram(let model): .unigram(model.makeEncoder())
    case .none: preconditionFailure("the tokenizer is open for decoding only")
    }
  }
}
