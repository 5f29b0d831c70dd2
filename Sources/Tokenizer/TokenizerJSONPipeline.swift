import JSON

/// The components of tokenizer.json other than the model: normalizer, pre-tokenizer, post-processor and decoder.
struct TokenizerJSONPipeline {
  private(set) var settings = ByteLevelTokenizer.Settings()
  /// The tokens that the post-processor adds before and after a text. They are added only if the caller asks for them,
  /// as in `tokenizers`.
  private(set) var tokensBefore: [String] = []
  private(set) var tokensAfter: [String] = []
  /// The ids of these tokens.
  private(set) var specialTokenIDs: [String: [Int]] = [:]
  private(set) var hasPreTokenizer = false
  private(set) var hasDecoder = false

  /// Reads a component, or returns nil for null.
  private func component(_ scanner: inout JSONScanner) throws(JSONError) -> TokenizerJSONComponent? {
    guard try scanner.kind() != .null else {
      try scanner.null()
      return nil
    }
    return try TokenizerJSONComponent(&scanner)
  }

  mutating func readNormalizer(_ scanner: inout JSONScanner) throws(JSONError) {
    scanner.skipWhiteSpace()
    let offset = scanner.position
    for step in try component(&scanner)?.steps ?? [] {
      settings.normalizers.append(try Self.normalizer(step, scanner))
    }
    guard !TextNormalizer.isExcessive(settings.normalizers) else {
      throw scanner.failure(
        "\"normalizer\" can make a text more than \(TextNormalizer.maxGrowth) times as long", at: offset)
    }
  }

  /// Returns the normalizer that a component describes.
  private static func normalizer(
    _ step: TokenizerJSONComponent, _ scanner: JSONScanner
  ) throws(JSONError) -> Normalizer {
    func required(_ value: String?, _ name: String) throws(JSONError) -> [UInt8] {
      guard let value else {
        throw scanner.failure("\"\(name)\" of the normalizer \"\(step.type)\" is missing", at: step.offset)
      }
      return Array(value.utf8)
    }
    switch step.type {
    case "NFC": return .form(.nfc)
    case "NFD": return .form(.nfd)
    case "NFKC": return .form(.nfkc)
    case "NFKD": return .form(.nfkd)
    case "Lowercase": return .lowercase
    case "Strip": return .strip(left: step.stripsLeft, right: step.stripsRight)
    case "StripAccents": return .stripAccents
    case "Prepend": return .prepend(try required(step.prefix, "prepend"))
    case "ByteLevel": return .byteLevel
    case "Nmt": return .nmt
    case "Replace":
      guard step.pattern == nil else {
        throw scanner.unsupported("the normalizer \"Replace\" with a regular expression", at: step.offset)
      }
      let pattern = try required(step.literalPattern, "pattern")
      return .replace(LiteralSearch(pattern), content: try required(step.content, "content"))
    default: throw scanner.unsupported("the normalizer \"\(excerpt(step.type))\"", at: step.offset)
    }
  }

  mutating func readPreTokenizer(_ scanner: inout JSONScanner) throws(JSONError) {
    hasPreTokenizer = true
    scanner.skipWhiteSpace()
    let offset = scanner.position
    guard let component = try component(&scanner) else {
      throw scanner.unsupported("\"pre_tokenizer\": null", at: offset)
    }
    var steps = component.steps[...]
    if let first = steps.first, first.type == "Digits", steps.count > 1 {
      guard let isIndividual = first.individualDigits else {
        throw scanner.failure("\"individual_digits\" of \"Digits\" is missing", at: first.offset)
      }
      settings.digitSplitting = isIndividual ? .individual : .runs
      steps.removeFirst()
    }
    let split = steps.first.flatMap { $0.type == "Split" && steps.count > 1 ? $0 : nil }
    if let split {
      settings.preTokenizer = try Self.preTokenizer(of: split, scanner)
      steps.removeFirst()
    }
    guard let byteLevel = steps.first else { throw scanner.unsupported("an empty pre-tokenizer", at: offset) }
    guard byteLevel.type == "ByteLevel" else {
      throw scanner.unsupported("the pre-tokenizer \"\(excerpt(byteLevel.type))\"", at: byteLevel.offset)
    }
    // With a `Split`, its pattern is used; otherwise `ByteLevel` uses GPT-2's pattern
    guard byteLevel.useRegex == (split == nil) else {
      let place = split == nil ? "" : " after \"Split\""
      throw scanner.unsupported(
        "the pre-tokenizer \"ByteLevel\" with \"use_regex\" \(byteLevel.useRegex)\(place)", at: byteLevel.offset)
    }
    guard let addsPrefixSpace = byteLevel.addPrefixSpace else {
      throw scanner.failure("\"add_prefix_space\" of \"ByteLevel\" is missing", at: byteLevel.offset)
    }
    guard split == nil || !addsPrefixSpace else {
      throw scanner.unsupported("\"add_prefix_space\" after \"Split\"", at: byteLevel.offset)
    }
    settings.addsPrefixSpace = addsPrefixSpace
    guard steps.count == 1 else {
      let second = steps[steps.startIndex + 1]
      throw scanner.unsupported("the pre-tokenizer \"\(excerpt(second.type))\" after \"ByteLevel\"", at: second.offset)
    }
  }

  /// Returns the pre-tokenizer whose pattern is exactly that of a `Split`.
  private static func preTokenizer(
    of split: TokenizerJSONComponent, _ scanner: JSONScanner
  ) throws(JSONError) -> PreTokenizer {
    guard split.behavior == "Isolated", !split.isInverted else {
      let inversion = split.isInverted ? ", inverted" : ""
      throw scanner.unsupported(
        "the pre-tokenizer \"Split\" with behavior \"\(excerpt(split.behavior ?? ""))\"\(inversion)", at: split.offset)
    }
    guard let preTokenizer = PreTokenizer.allCases.first(where: { $0.rawValue == split.pattern }) else {
      let pattern = split.pattern.map { "the pattern \(excerpt($0))" } ?? "a pattern that is not a regular expression"
      throw scanner.unsupported("the pre-tokenizer \"Split\" with \(pattern)", at: split.offset)
    }
    return preTokenizer
  }

  /// Reads the post-processor. `ByteLevel` is ignored: it changes offsets only, as does the trimming of
  /// `RobertaProcessing`.
  mutating func readPostProcessor(_ scanner: inout JSONScanner) throws(JSONError) {
    for step in try component(&scanner)?.steps ?? [] {
      switch step.type {
      case "ByteLevel": continue
      case "TemplateProcessing", "RobertaProcessing", "BertProcessing":
        tokensBefore = step.tokensBefore
        tokensAfter = step.tokensAfter
        specialTokenIDs = step.specialTokenIDs
      default: throw scanner.unsupported("the post-processor \"\(excerpt(step.type))\"", at: step.offset)
      }
    }
  }

  mutating func readDecoder(_ scanner: inout JSONScanner) throws(JSONError) {
    hasDecoder = true
    for step in try component(&scanner)?.steps ?? [] where step.type != "ByteLevel" {
      throw scanner.unsupported("the decoder \"\(excerpt(step.type))\"", at: step.offset)
    }
  }
}
