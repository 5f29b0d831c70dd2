/// A class of transformers that describes the rule of vocab.json and merges.txt, which have no settings.
enum TokenizerClass {
  /// `ByteLevel`: GPT-2, OPT, CodeGen, Phi, StarCoder 2, Whisper
  case gpt2
  /// `ByteLevel`, with the special tokens of RoBERTa
  case roberta
  /// NFC and `ByteLevel`
  case gptNeoX
  /// NFC and the pattern of Qwen 2
  case qwen2

  /// Creates the class with this name, or, if it is nil, the class of a type of model (transformers 5.24,
  /// `TOKENIZER_MAPPING_NAMES`). If both are nil, this is GPT-2's class, with which the two files were published. Nil
  /// if the name or the type is unknown or the class does not use byte-level BPE.
  init?(_ name: String?, modelType: String?) {
    switch name {
    case "GPT2Tokenizer", "CodeGenTokenizer", "WhisperTokenizer": self = .gpt2
    case "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer": self = .roberta
    case "GPTNeoXTokenizer": self = .gptNeoX
    case "Qwen2Tokenizer": self = .qwen2
    case nil:
      switch modelType {
      case nil, "gpt2", "gpt_neo", "gptj", "codegen", "opt", "phi", "starcoder2", "dbrx", "jais2": self = .gpt2
      case "gpt_neox", "olmo", "olmoe", "mpt", "mamba", "mamba2", "falcon_mamba", "rwkv", "xlstm": self = .gptNeoX
      case "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen3_next", "qwen2_vl", "qwen2_5_vl", "qwen3_vl": self = .qwen2
      case "roberta", "bart": self = .roberta
      default: return nil
      }
    default: return nil
    }
  }

  /// The names that `init(_:modelType:)` knows, for messages.
  static let names =
    "GPT2Tokenizer, CodeGenTokenizer, GPTNeoXTokenizer, Qwen2Tokenizer, RobertaTokenizer, BartTokenizer"

  /// True if transformers builds the pre-tokenizer from `add_prefix_space` even if there is a tokenizer.json.
  var appliesPrefixSpace: Bool { self != .qwen2 }

  func settings(addsPrefixSpace: Bool) -> Tokenizer.Settings {
    var settings = Tokenizer.Settings()
    switch self {
    case .gpt2, .roberta: break
    case .gptNeoX: settings.normalizers = [.form(.nfc)]
    case .qwen2:
      settings.normalizers = [.form(.nfc)]
      settings.preTokenizer = [.known(.qwen2)]
    }
    settings.setPrefixSpace(addsPrefixSpace && self != .qwen2)
    return settings
  }

  /// The special tokens that the class defines, if they are in the vocabulary.
  var specialTokens: [String] {
    self == .roberta ? ["<s>", "</s>", "<unk>", "<pad>", "<mask>"] : ["<|endoftext|>"]
  }
}

extension Tokenizer.Settings {
  /// Sets `add_prefix_space` of the pre-tokenizer `ByteLevel` with GPT-2's pattern.
  mutating func setPrefixSpace(_ isAdded: Bool) {
    preTokenizer.removeAll { if case .prefixSpace = $0 { true } else { false } }
    guard isAdded, let index = preTokenizer.firstIndex(where: { if case .known(.gpt2) = $0 { true } else { false } })
    else { return }
    preTokenizer.insert(.prefixSpace, at: index)
  }
}
