import JSON

/// The pre-tokenizers of GGUF files by the name in `tokenizer.ggml.pre` (llama.cpp, `llm_tokenizer_bpe`).
///
/// A name stands for the pre-tokenizer of a published tokenizer.json, whose steps are given here. llama.cpp's own
/// patterns differ from them only where its regular expressions lack a feature.
package struct GGUFPreTokenizer {
  var steps: [PreTokenizerStep]
  /// llama.cpp omits this normalization.
  var normalizers: [Normalizer] = []
  var ignoresMerges = false

  /// Returns the pre-tokenizer with this name, or nil if the name is unknown.
  package init?(_ name: String) {
    guard let family = Self.families.first(where: { $0.names.contains(name) }) else { return nil }
    steps = family.steps()
    normalizers = Self.namesWithNFC.contains(name) ? [.form(.nfc)] : []
    ignoresMerges = Self.namesIgnoringMerges.contains(name)
  }

  /// All names, for messages.
  package static var names: [String] { families.flatMap(\.names) }

  private struct Family {
    let names: [String]
    let steps: @Sendable () -> [PreTokenizerStep]

    init(_ names: String..., steps: @escaping @Sendable () -> [PreTokenizerStep]) {
      self.names = names
      self.steps = steps
    }

    /// Families whose pre-tokenizer is a sequence of `Split` with behavior `Isolated`.
    init(_ names: String..., patterns: String...) {
      self.names = names
      steps = { patterns.map { Self.split($0) } }
    }

    /// The patterns below are valid: a test compiles all of them.
    private static func split(_ pattern: String) -> PreTokenizerStep {
      do {
        return .split(SplitRule(delimiter: .pattern(try Pattern(pattern)), behavior: .isolated))
      } catch { preconditionFailure("\(pattern): \(error)") }
    }
  }

  private static let namesIgnoringMerges: Set = [
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
    "minicpm5",
    "youtu", "glm4", "glm5", "tekken", "granite-embed-multi-97m",
  ]

  private static let namesWithNFC: Set = ["qwen2", "qwen35", "olmo", "mpt", "command-r"]

  private static let families = [
    Family(
      "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat", "a.x-4.0", "mellum",
      "exaone4",
      "modern-bert", "roberta-bpe", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code"
    ) { [.known(.gpt2)] },
    Family("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2") {
      [.digits(.individual), .known(.gpt2)]
    },
    Family(
      "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
      "smaug-bpe",
      "dbrx", "chatglm-bpe", "glm4", "glm5"
    ) { [.known(.llama3)] },
    Family(
      "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "hunyuan", "solar-open", "megrez", "grok-2"
    ) { [.known(.qwen2)] },
    Family("qwen35", patterns: GGUFPatterns.qwen35),
    Family("falcon") {
      [
        .split(SplitRule(delimiter: .pattern(.punctuation), behavior: .contiguous)), .known(.gpt2), .byteAlphabet,
        .digits(.runs), .split(SplitRule(delimiter: .pattern(.threeDigits), behavior: .isolated)),
      ]
    },
    Family(
      "deepseek-llm",
      patterns: #"[\r\n]"#, GGUFPatterns.casedLetters, #"\s?[!-/:-~！-／：-～‘-‟\x{3000}-。]+"#, #"\s+$"#,
      GGUFPatterns.eastAsian,
      #"\p{N}+"#),
    Family(
      "deepseek-coder",
      patterns: #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, GGUFPatterns.eastAsian, #"\p{N}"#),
    Family(
      "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4",
      patterns: #"\p{N}{1,3}"#, GGUFPatterns.chineseAndJapanese, GGUFPatterns.deepSeek3),
    Family(
      "spark2_5",
      patterns: #"\p{N}{1,3}"#, GGUFPatterns.chineseAndJapanese, GGUFPatterns.spark, #"\p{N}"#),
    Family("youtu", patterns: GGUFPatterns.youtuScripts, GGUFPatterns.cased(number: #"\p{N}"#)),
    Family("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", patterns: GGUFPatterns.cased(number: #"\p{N}{1,3}"#)),
    Family("granite-embed-multi-97m", patterns: GGUFPatterns.cased(number: #"\p{N}{1,3}"#)),
    Family(
      "tiny_aya", "cohere2moe",
      patterns: #"\d{1,3}(?=(?:\d{3})*\b)"#, GGUFPatterns.cased(number: #"\p{N}{1,3}"#)),
    Family("tekken", patterns: GGUFPatterns.cased(number: #"\p{N}"#, contractions: "")),
    Family("kimi-k2", patterns: GGUFPatterns.kimi),
    Family("bloom", "poro-chat", "gpt3-finnish", patterns: GGUFPatterns.bloom),
    Family("viking", patterns: GGUFPatterns.bloom, #"\p{N}"#),
    Family("jais-2", patterns: GGUFPatterns.jais2),
    Family("superbpe", patterns: #"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#),
    Family("bailingmoe", "bailingmoe2", "llada-moe", patterns: GGUFPatterns.bailing),
    Family("seed-coder", patterns: GGUFPatterns.seedCoder),
    Family("ufakzeka", patterns: GGUFPatterns.withoutContractions),
    Family("laguna", patterns: #"[^\n]+|[\n]+"#, KnownPattern.qwen2.rawValue),
    Family("exaone-moe", patterns: GGUFPatterns.exaoneMoE),
    Family("minicpm5", patterns: #"\p{N}{1,3}"#, GGUFPatterns.numberRuns),
    Family(
      "chameleon",
      patterns: #"<sentinel:[0-9]+>"#, #"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"#, #"([\t\n]|    |  )"#, #"\p{N}"#,
      #"[\p{P}!-/:-@\[-`{-~]"#, KnownPattern.gpt2.rawValue),
    Family(
      "default",
      patterns: #"[\p{P}\$\+<=>\^~\|]+"#, KnownPattern.gpt2.rawValue, #"\p{N}+"#, #"[0-9][0-9][0-9]"#),
  ]
}

extension Pattern {
  /// A step of Falcon's pre-tokenizer.
  fileprivate static let threeDigits = fixed("[0-9][0-9][0-9]")
}

/// The longer patterns of published pre-tokenizers.
private enum GGUFPatterns {
  private static let contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"

  static let qwen35 =
    contraction
    + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Words of one case, possibly after one upper-case run: `o200k_base` of tiktoken and its relatives.
  static func cased(number: String, contractions: String = contraction + "?") -> String {
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"# + contractions
      + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"# + contractions + "|" + number
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  static let kimi =
    #"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"# + contraction
    + #"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"#
    + #"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*"# + contraction
    + #"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  static let bloom = #" ?[^(\s|.,!?…。，、।۔،)]+"#

  static let jais2 =
    contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)"#
    + #"|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)"#
    + #"|\s{1,2}(?!\S)|\s{1}"#

  static let bailing =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#

  static let seedCoder =
    contraction
    + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Qwen 2's pattern without contractions.
  static let withoutContractions =
    #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  static let exaoneMoE =
    contraction + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?"#
    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#

  /// Llama 3's pattern with numbers of any length.
  static let numberRuns =
    contraction
    + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  static let chineseAndJapanese = "[一-龥぀-ゟ゠-ヿ]+"
  static let eastAsian = #"[一-龥ࠀ-一가-\x{D7FF}]+"#

  private static let wordAfterPunctuation = ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##

  static let deepSeek3 =
    wordAfterPunctuation
    + #"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

  static let spark =
    wordAfterPunctuation + #"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"#

  static let youtuScripts =
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"

  /// Letters of scripts with two cases, after at most one white space.
  static let casedLetters =
    #"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ"#
    + #"Ὗ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚ"#
    + #"ａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"#
}
