import JSON

/// The components of tokenizer.json other than the model: normalizer, pre-tokenizer, post-processor and decoder.
struct TokenizerJSONPipeline {
  private(set) var normalizers: [Normalizer] = []
  private(set) var preTokenizer: [PreTokenizerStep] = []
  /// Nil if the file says `null`.
  private(set) var decoder: [TokenTextDecoder.Step]?
  /// The tokens that the post-processor adds before and after a text. They are added only if the caller asks for them,
  /// as in `tokenizers`.
  private(set) var tokensBefore: [String] = []
  private(set) var tokensAfter: [String] = []
  /// The ids of these tokens.
  private(set) var specialTokenIDs: [String: [Int]] = [:]
  private(set) var hasNormalizer = false
  private(set) var hasPreTokenizer = false
  private(set) var hasDecoder = false

  /// True if the pre-tokenizer replaces bytes by characters, so that the model's tokens are bytes.
  var isByteLevel: Bool {
    preTokenizer.contains { if case .byteAlphabet = $0 { true } else { false } }
  }

  /// The steps of a tokenizer whose tokens are bytes: the last step needs no characters.
  var byteLevelSteps: [PreTokenizerStep] {
    if case .byteAlphabet = preTokenizer.last { return preTokenizer.dropLast() }
    return preTokenizer
  }

  /// Reads a component, or returns nil for null.
  private func component(_ scanner: inout JSONScanner) throws(JSONError) -> TokenizerJSONComponent? {
    guard try scanner.kind() != .null else {
      try scanner.null()
      return nil
    }
    return try TokenizerJSONComponent(&scanner)
  }

  mutating func readNormalizer(_ scanner: inout JSONScanner) throws(JSONError) {
    hasNormalizer = true
    scanner.skipWhiteSpace()
    let offset = scanner.position
    normalizers = []
    for step in try component(&scanner)?.steps ?? [] {
      if let normalizer = try step.normalizer(scanner) { normalizers.append(normalizer) }
    }
    guard !TextNormalizer.isExcessive(normalizers) else {
      throw scanner.failure(
        "\"normalizer\" can make a text more than \(TextNormalizer.maxGrowth) times as long", at: offset)
    }
  }

  mutating func readPreTokenizer(_ scanner: inout JSONScanner) throws(JSONError) {
    hasPreTokenizer = true
    preTokenizer = []
    for step in try component(&scanner)?.steps ?? [] { preTokenizer += try step.preTokenizer(scanner) }
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
    guard let component = try component(&scanner) else { return }
    var steps: [TokenTextDecoder.Step] = []
    for step in component.steps { steps.append(try step.decoder(scanner)) }
    decoder = steps
  }

  /// Returns the decoder for a model of characters.
  func textDecoder(_ scanner: JSONScanner) throws(JSONError) -> TokenTextDecoder {
    do {
      return try TokenTextDecoder(decoder ?? [.spaceBetween])
    } catch {
      throw scanner.failure(error.reason, at: 0)
    }
  }
}

extension TokenizerJSONComponent {
  private func required(_ value: String?, _ name: String, _ scanner: JSONScanner) throws(JSONError) -> [UInt8] {
    guard let value else { throw scanner.failure("\"\(name)\" of \"\(excerpt(type))\" is missing", at: offset) }
    return Array(value.utf8)
  }

  /// Returns the normalizer that this component describes; nil if it changes nothing.
  fileprivate func normalizer(_ scanner: JSONScanner) throws(JSONError) -> Normalizer? {
    switch type {
    case "NFC": return .form(.nfc)
    case "NFD": return .form(.nfd)
    case "NFKC": return .form(.nfkc)
    case "NFKD": return .form(.nfkd)
    case "Lowercase": return .lowercase
    case "Strip": return .strip(left: stripsLeft, right: stripsRight)
    case "StripAccents": return .stripAccents
    case "Prepend": return .prepend(try required(prefix, "prepend", scanner))
    case "ByteLevel": return .byteLevel
    case "Nmt": return .nmt
    case "Replace":
      let content = try required(content, "content", scanner)
      if let pattern { return .replaceMatches(try compiled(pattern, scanner), content: content) }
      return .replace(LiteralSearch(try required(literalPattern, "pattern", scanner)), content: content)
    case "Precompiled":
      guard let charactersMap, !charactersMap.isEmpty else { return nil }
      guard let table = bytes(ofBase64: Array(charactersMap.utf8)) else {
        throw scanner.failure("\"precompiled_charsmap\" is not in base64", at: offset)
      }
      do { return .characterMap(try CharacterMap(table)) } catch { throw scanner.failure(error.reason, at: offset) }
    default: throw scanner.unsupported("the normalizer \"\(excerpt(type))\"", at: offset)
    }
  }

  /// Returns the steps of the pre-tokenizer that this component describes.
  fileprivate func preTokenizer(_ scanner: JSONScanner) throws(JSONError) -> [PreTokenizerStep] {
    switch type {
    case "ByteLevel":
      guard let addPrefixSpace else {
        throw scanner.failure("\"add_prefix_space\" of \"ByteLevel\" is missing", at: offset)
      }
      return (addPrefixSpace ? [.prefixSpace] : []) + (useRegex ? [.known(.gpt2)] : []) + [.byteAlphabet]
    case "Digits":
      guard let individualDigits else {
        throw scanner.failure("\"individual_digits\" of \"Digits\" is missing", at: offset)
      }
      return [.digits(individualDigits ? .individual : .runs)]
    case "Split":
      let behavior = try behavior(scanner)
      if let pattern {
        if behavior == .isolated, !isInverted, let known = KnownPattern(rawValue: pattern) { return [.known(known)] }
        return [
          .split(
            SplitRule(delimiter: .pattern(try compiled(pattern, scanner)), behavior: behavior, isInverted: isInverted))
        ]
      }
      let literal = LiteralSearch(try required(literalPattern, "pattern", scanner))
      return [.split(SplitRule(delimiter: .literal(literal), behavior: behavior, isInverted: isInverted))]
    case "Punctuation":
      return [.split(SplitRule(delimiter: .pattern(.punctuation), behavior: try behavior(scanner, or: .isolated)))]
    case "Whitespace":
      return [.split(SplitRule(delimiter: .pattern(.wordsAndSymbols), behavior: .removed, isInverted: true))]
    case "WhitespaceSplit": return [.split(SplitRule(delimiter: .pattern(.whiteSpace), behavior: .removed))]
    case "BertPreTokenizer":
      return [
        .split(SplitRule(delimiter: .pattern(.whiteSpace), behavior: .removed)),
        .split(SplitRule(delimiter: .pattern(.punctuation), behavior: .isolated)),
      ]
    case "CharDelimiterSplit":
      let delimiter = LiteralSearch(try required(delimiter, "delimiter", scanner))
      return [.split(SplitRule(delimiter: .literal(delimiter), behavior: .removed))]
    case "Metaspace": return [.metaspace(try metaspace(scanner))]
    default: throw scanner.unsupported("the pre-tokenizer \"\(excerpt(type))\"", at: offset)
    }
  }

  private func behavior(
    _ scanner: JSONScanner, or standard: SplitRule.Behavior? = nil
  ) throws(JSONError) -> SplitRule.Behavior {
    guard let behavior = behavior.map({ SplitRule.Behavior(rawValue: $0) }) ?? standard else {
      throw scanner.failure("\"behavior\" of \"\(type)\" is missing or unknown", at: offset)
    }
    return behavior
  }

  private func compiled(_ pattern: String, _ scanner: JSONScanner) throws(JSONError) -> Pattern {
    do {
      return try Pattern(pattern)
    } catch {
      throw scanner.failure("\"\(type)\" with the pattern \(excerpt(pattern)): \(error.description)", at: offset)
    }
  }

  private func metaspace(_ scanner: JSONScanner) throws(JSONError) -> Metaspace {
    let schemes: [String: Metaspace.PrependScheme] = ["always": .always, "first": .first, "never": .never]
    // Older files have `add_prefix_space` instead of `prepend_scheme`
    guard let scheme = schemes[prependScheme ?? (addPrefixSpace ?? true ? "always" : "never")] else {
      throw scanner.failure("\"prepend_scheme\" is \"\(excerpt(prependScheme ?? ""))\", which is unknown", at: offset)
    }
    return Metaspace(
      replacement: try required(replacement, "replacement", scanner), prependScheme: scheme, splits: splits)
  }

  /// Returns the step of a decoder that this component describes.
  fileprivate func decoder(_ scanner: JSONScanner) throws(JSONError) -> TokenTextDecoder.Step {
    switch type {
    case "ByteLevel": return .byteLevel
    case "ByteFallback": return .byteFallback
    case "Fuse": return .fuse
    case "Metaspace":
      let metaspace = try metaspace(scanner)
      return .metaspace(replacement: metaspace.replacement, removesFirst: metaspace.prependScheme != .never)
    case "Replace":
      guard pattern == nil else {
        throw scanner.unsupported("the decoder \"Replace\" with a regular expression", at: offset)
      }
      return .replace(
        try required(literalPattern, "pattern", scanner), try required(content, "content", scanner))
    case "Strip": return .strip(try required(content, "content", scanner), start: start, stop: stop)
    default: throw scanner.unsupported("the decoder \"\(excerpt(type))\"", at: offset)
    }
  }
}

/// The patterns of pre-tokenizers that are a `Split` with a fixed pattern.
extension Pattern {
  /// `Whitespace`
  static let wordsAndSymbols = fixed(#"\w+|[^\w\s]+"#)
  /// White space (the property White_Space), one character at a time.
  static let whiteSpace = fixed(#"\s"#)
  /// ASCII punctuation and symbols, and the general categories P*.
  static let punctuation = fixed(#"[\p{P}$+<=>^`|~]"#)

  static func fixed(_ source: String) -> Pattern {
    do { return try Pattern(source, dialect: .fancyRegex) } catch { preconditionFailure(error.description) }
  }
}
