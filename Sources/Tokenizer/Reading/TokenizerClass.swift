/// A tokenizer class of transformers 5.24: the rule of a vocabulary without tokenizer.json, which has no settings, and
/// what replaces the settings of a tokenizer.json (`models/*/tokenization_*.py`).
struct TokenizerClass: Sendable {
  /// The form of the vocabulary.
  enum Model: Equatable {
    /// Byte-level BPE: vocab.json and merges.txt.
    case bytes
    /// BPE of characters: tokenizer.model, whose merges are derived from the ids. An unknown character becomes the
    /// token `unk_token` if `hasUnknown`, or else its bytes.
    case characters(hasUnknown: Bool)
    /// A unigram model, in which an unknown character becomes the token `unknownID`.
    case unigram(unknownID: Int)
    /// `TokenizersBackend`: no rule of its own. The file determines the model.
    case any
  }

  let name: String
  let model: Model
  /// The default of each special token.
  let specialTokens: [String: String]
  /// The special tokens that the post-processor puts before and after a text.
  var tokenBefore: String?
  var tokenAfter: String?
  /// Further added tokens.
  var extraTokens: @Sendable (_ files: TokenizerFiles) -> [String] = { _ in [] }
  /// Returns the components, given the table of the normalizer `Precompiled` if the vocabulary has one.
  let components: @Sendable (_ files: TokenizerFiles, _ map: CharacterMap?) -> TokenizerComponents

  init(
    _ name: String, _ model: Model, _ specialTokens: [String: String], before: String? = nil, after: String? = nil,
    components: @escaping @Sendable (_ files: TokenizerFiles, _ map: CharacterMap?) -> TokenizerComponents
  ) {
    self.name = name
    self.model = model
    self.specialTokens = specialTokens
    tokenBefore = before
    tokenAfter = after
    self.components = components
  }

  // MARK: - Byte-level BPE

  private static func gpt2(_ files: TokenizerFiles) -> [PreTokenizerStep] {
    (files.addsPrefixSpace ?? false ? [.prefixSpace] : []) + [.known(.gpt2)]
  }

  static let gpt2 = TokenizerClass(
    "GPT2Tokenizer", .bytes, ["bos_token": endOfText, "eos_token": endOfText, "unk_token": endOfText]
  ) { files, _ in TokenizerComponents(preTokenizer: gpt2(files)) }

  static let roberta = TokenizerClass(
    "RobertaTokenizer", .bytes,
    [
      "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>",
      "cls_token": "<s>", "mask_token": "<mask>",
    ], before: "cls_token", after: "sep_token"
  ) { files, _ in TokenizerComponents(preTokenizer: gpt2(files)) }

  static let gptNeoX = TokenizerClass(
    "GPTNeoXTokenizer", .bytes,
    ["bos_token": endOfText, "eos_token": endOfText, "unk_token": endOfText, "pad_token": "<|padding|>"]
  ) { files, _ in TokenizerComponents(normalizers: [.form(.nfc)], preTokenizer: gpt2(files)) }

  static let cohere = TokenizerClass(
    "CohereTokenizer", .bytes,
    [
      "bos_token": "<BOS_TOKEN>", "eos_token": "<|END_OF_TURN_TOKEN|>", "unk_token": "<UNK>", "sep_token": "<SEP>",
      "pad_token": "<PAD>", "cls_token": "<CLS>", "mask_token": "<MASK_TOKEN>",
    ]
  ) { files, _ in
    TokenizerComponents(normalizers: [.form(.nfc)], preTokenizer: [.digits(.individual)] + gpt2(files))
  }

  private static func qwen(_ name: String, _ split: PreTokenizerStep) -> TokenizerClass {
    TokenizerClass(
      name, .bytes, ["eos_token": endOfText, "unk_token": endOfText, "pad_token": endOfText]
    ) { files, _ in
      // The prefix space comes after the split, and is added to each part
      TokenizerComponents(
        normalizers: [.form(.nfc)],
        preTokenizer: [split] + (files.addsPrefixSpace ?? false ? [.prefixSpace] : []))
    }
  }

  static let qwen2 = qwen("Qwen2Tokenizer", .known(.qwen2))
  static let qwen35 = qwen("Qwen3_5Tokenizer", .isolating(.fixed(GGUFPatterns.qwen35, .oniguruma)))

  private static let endOfText = "<|endoftext|>"

  // MARK: - BPE of characters

  static let llama = TokenizerClass(
    "LlamaTokenizer", .characters(hasUnknown: false),
    ["bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"]
  ) { files, _ in
    let hasPrefix = files.addsPrefixSpace ?? true
    let scheme: Metaspace.PrependScheme = !hasPrefix ? .never : files.isLegacy ?? false ? .always : .first
    return TokenizerComponents(
      preTokenizer: [.metaspace(Metaspace(prependScheme: scheme, splits: false))],
      decoder: TokenizerComponents.characterDecoder(hasPrefix: hasPrefix))
  }

  static let codeLlama = TokenizerClass(
    "CodeLlamaTokenizer", .characters(hasUnknown: true),
    [
      "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "prefix_token": "▁<PRE>",
      "middle_token": "▁<MID>", "suffix_token": "▁<SUF>", "eot_token": "▁<EOT>", "fill_token": "<FILL_ME>",
    ]
  ) { files, _ in
    TokenizerComponents(
      preTokenizer: [
        .metaspace(Metaspace(prependScheme: files.addsPrefixSpace ?? true ? .first : .never, splits: false))
      ],
      decoder: TokenizerComponents.characterDecoder(hasPrefix: true))
  }

  static let gemma = TokenizerClass(
    "GemmaTokenizer", .characters(hasUnknown: true),
    ["bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"]
  ) { _, _ in
    TokenizerComponents(
      normalizers: [.markedSpaces],
      preTokenizer: [
        .split(SplitRule(delimiter: .literal(LiteralSearch(TokenizerComponents.space)), behavior: .mergedWithPrevious))
      ],
      decoder: TokenizerComponents.characterDecoder(hasPrefix: false))
  }

  // MARK: - Unigram models

  static let t5 = {
    var t5 = TokenizerClass(
      "T5Tokenizer", .unigram(unknownID: 2), ["eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"],
      after: "eos_token"
    ) { _, map in
      TokenizerComponents(
        normalizers: map.map { [.characterMap($0)] } ?? [], preTokenizer: [.whiteSpace, .metaspace(Metaspace())],
        decoder: [.metaspace(replacement: SafeSplitting.mark, removesFirst: true)])
    }
    t5.extraTokens = { files in (0..<files.extraIDs).map { "<extra_id_\($0)>" } }
    return t5
  }()

  static let albert = TokenizerClass(
    "AlbertTokenizer", .unigram(unknownID: 1),
    [
      "bos_token": "[CLS]", "eos_token": "[SEP]", "unk_token": "<unk>", "sep_token": "[SEP]", "pad_token": "<pad>",
      "cls_token": "[CLS]", "mask_token": "[MASK]",
    ], before: "cls_token", after: "sep_token"
  ) { files, map in
    let quotationMark = [UInt8(ascii: "\"")]
    var normalizers = ["``", "''"].map { Normalizer.replace(LiteralSearch(Array($0.utf8)), content: quotationMark) }
    if !(files.keepsAccents ?? false) { normalizers += [.form(.nfkd), .stripAccents] }
    if files.lowercases ?? true { normalizers.append(.lowercase) }
    if let map { normalizers.append(.characterMap(map)) }
    let hasPrefix = files.addsPrefixSpace ?? true
    return TokenizerComponents(
      normalizers: normalizers,
      preTokenizer: [.whiteSpace, .metaspace(Metaspace(prependScheme: hasPrefix ? .always : .never))],
      decoder: [.metaspace(replacement: SafeSplitting.mark, removesFirst: hasPrefix)])
  }

  static let xglm = {
    var xglm = TokenizerClass(
      "XGLMTokenizer", .unigram(unknownID: 3),
      [
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>",
        "cls_token": "<s>",
      ], before: "eos_token"
    ) { files, map in
      let hasPrefix = files.addsPrefixSpace ?? true
      return TokenizerComponents(
        normalizers: (map.map { [.characterMap($0)] } ?? []) + [.replacing(" {2,}", with: " ")],
        preTokenizer: [.metaspace(Metaspace(prependScheme: hasPrefix ? .always : .never))],
        decoder: [.metaspace(replacement: SafeSplitting.mark, removesFirst: hasPrefix)])
    }
    xglm.extraTokens = { _ in (0..<7).map { "<madeupword\($0)>" } }
    return xglm
  }()

  // MARK: - No rule

  static let generic = TokenizerClass("TokenizersBackend", .any, [:]) { _, _ in TokenizerComponents() }
}
