extension TokenizerClass {
  /// Returns the class with this name, without the suffix `Fast`; nil if the name is not in the table.
  static func named(_ name: String) -> TokenizerClass? {
    switch name {
    case "GPT2Tokenizer", "CodeGenTokenizer", "WhisperTokenizer": .gpt2
    case "RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer", "MvpTokenizer": .roberta
    case "GPTNeoXTokenizer": .gptNeoX
    case "CohereTokenizer": .cohere
    case "Qwen2Tokenizer": .qwen2
    case "Qwen3_5Tokenizer": .qwen35
    case "LlamaTokenizer": .llama
    case "CodeLlamaTokenizer": .codeLlama
    case "GemmaTokenizer": .gemma
    case "T5Tokenizer": .t5
    case "AlbertTokenizer", "FNetTokenizer": .albert
    case "XGLMTokenizer": .xglm
    case "TokenizersBackend", "PreTrainedTokenizer", "PythonBackend", "BloomTokenizer": .generic
    default: nil
    }
  }

  /// The names of the classes for vocab.json and for tokenizer.model, for messages.
  static let names =
    "GPT2Tokenizer, CodeGenTokenizer, GPTNeoXTokenizer, Qwen2Tokenizer, Qwen3_5Tokenizer, CohereTokenizer, "
    + "RobertaTokenizer, BartTokenizer"
  static let namesWithPieces =
    "LlamaTokenizer, CodeLlamaTokenizer, GemmaTokenizer, T5Tokenizer, AlbertTokenizer, XGLMTokenizer, "
    + "PreTrainedTokenizerFast"

  /// The classes of transformers that read SentencePiece files by a rule that is not in the table.
  static let unsupportedNames: Set = [
    "BarthezTokenizer", "BartphoTokenizer", "BertGenerationTokenizer", "BigBirdTokenizer", "CamembertTokenizer",
    "CpmTokenizer", "DebertaV2Tokenizer", "GPTSw3Tokenizer", "LasrTokenizer", "LayoutXLMTokenizer", "M2M100Tokenizer",
    "MarianTokenizer", "MBart50Tokenizer", "MBartTokenizer", "MLukeTokenizer", "NllbTokenizer", "ParakeetTokenizer",
    "PegasusTokenizer", "PLBartTokenizer", "ReformerTokenizer", "RemBertTokenizer", "SeamlessM4TTokenizer",
    "Siglip2Tokenizer", "SiglipTokenizer", "Speech2TextTokenizer", "SpeechT5Tokenizer", "Tipsv2Tokenizer",
    "UdopTokenizer", "VideoPrismTokenizer", "XLMProphetNetTokenizer", "XLMRobertaTokenizer", "XLNetTokenizer",
  ]

  /// Returns the name of the class for a type of model (`TOKENIZER_MAPPING_NAMES`); nil if none is registered.
  static func registeredName(_ modelType: String) -> String? {
    switch modelType {
    case "codegen", "dbrx", "emu3", "gpt2", "gpt_neo", "gptj", "hyperclovax_vision_v2", "jais2", "opt", "phi",
      "starcoder2":
      "GPT2Tokenizer"
    case "falcon_mamba", "gpt_neox", "mamba", "mamba2", "mpt", "olmo", "olmoe", "rwkv", "xlstm": "GPTNeoXTokenizer"
    case "colqwen2", "hunyuan_vl", "internvl", "ovis2", "qwen2", "qwen2_5_omni", "qwen2_5_vl", "qwen2_audio",
      "qwen2_moe", "qwen2_vl", "qwen3", "qwen3_asr", "qwen3_moe", "qwen3_next", "qwen3_omni_moe", "qwen3_vl",
      "qwen3_vl_moe":
      "Qwen2Tokenizer"
    case "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen4_exp": "Qwen3_5Tokenizer"
    case "aya_vision", "cohere", "cohere2": "CohereTokenizer"
    case "bart", "longformer", "roberta", "roberta-prelayernorm": "RobertaTokenizer"
    case "idefics", "idefics2": "LlamaTokenizer"
    case "diffusion_gemma", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "recurrent_gemma",
      "shieldgemma2", "t5gemma", "zaya":
      "GemmaTokenizer"
    case "mt5", "musicgen", "musicgen_melody", "switch_transformers", "t5": "T5Tokenizer"
    case "albert", "yoso": "AlbertTokenizer"
    case "xglm": "XGLMTokenizer"
    case "bert-generation": "BertGenerationTokenizer"
    case "camembert": "CamembertTokenizer"
    case "gpt-sw3": "GPTSw3Tokenizer"
    case "mbart": "MBartTokenizer"
    case "pegasus": "PegasusTokenizer"
    case "reformer": "ReformerTokenizer"
    case "xlm-roberta": "XLMRobertaTokenizer"
    case "xlnet": "XLNetTokenizer"
    case "aria", "flex_olmo", "glm", "glm4", "glm4_moe", "glm4_moe_lite", "glm4v", "glm4v_moe", "gpt_bigcode",
      "granite", "granitemoe", "granitemoehybrid", "granitemoeshared", "kimi_k25", "kimi_linear", "mimo_v2_flash",
      "ministral", "ministral3", "mistral", "mistral3", "mixtral", "nystromformer", "olmo2", "olmo3", "olmo_hybrid",
      "persimmon", "pixtral", "stablelm", "umt5", "voxtral", "xlm-roberta-xl":
      generic.name
    default: typesWithWrongNames.contains(modelType) ? generic.name : nil
    }
  }

  /// The types of models whose published files name a wrong class (`MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS`).
  static let typesWithWrongNames: Set = [
    "arctic", "camembertv2-base", "chatlm", "cohere_asr", "ernie4_5", "ernie4_5_moe", "fuyu", "h2ovl_chat",
    "hyperclovax", "hyperclovax_vision_v2", "hyperclovax_vlm", "internlm2", "internlm3", "iquestcoder", "jamba",
    "llava", "llava_next", "minicpm3", "minicpmv", "minimax_m2", "modernbert", "modernbert-decoder", "molmo", "molmo2",
    "nemotron", "nvfp4", "opencua", "openvla", "paddleocr_vl", "phi3", "phi3_v", "phimoe", "qwen2", "qwen3_5",
    "qwen3_5_moe", "qwen3_5_moe_text", "qwen4_exp", "siglip2", "smolvlm", "step3_vl", "vipllava",
  ]

  /// Returns the name of the class that `AutoTokenizer.from_pretrained` chooses; nil if no file names a class or a type
  /// of model.
  ///
  /// - Parameters:
  ///   - name: `tokenizer_class` of tokenizer_config.json, or else of config.json.
  ///   - hasOwnCode: tokenizer_config.json has `auto_map`.
  static func chosenName(_ name: String?, modelType: String?, hasOwnCode: Bool) -> String? {
    let registered = modelType.flatMap(registeredName)
    guard let name else { return registered ?? modelType.map { _ in generic.name } }
    guard let modelType, let registered, registered != name, !hasOwnCode else { return name }
    if registered == generic.name { return registered }
    return typesWithWrongNames.contains(modelType) ? registered : name
  }
}
