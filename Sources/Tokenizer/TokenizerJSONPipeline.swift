import JSON

/// What stands around the model in tokenizer.json: the steps before it, and those behind.
struct TokenizerJSONPipeline {
  private(set) var settings = ByteLevelTokenizer.Settings()
  /// The token that the post-processor puts before a text. It does so where a caller asks for it; so do we.
  private(set) var bosTokenID: String?
  private(set) var hasPreTokenizer = false
  private(set) var hasDecoder = false

  /// The component of one of the four names; nil for null, which is none.
  private func component(_ scanner: inout JSONScanner) throws(JSONError) -> TokenizerJSONComponent? {
    guard try scanner.kind() != .null else {
      try scanner.null()
      return nil
    }
    return try TokenizerJSONComponent(&scanner)
  }

  mutating func readNormalizer(_ scanner: inout JSONScanner) throws(JSONError) {
    for step in try component(&scanner)?.steps ?? [] {
      guard step.type == "NFC" else {
        throw scanner.unsupported("the normalizer “\(excerpt(step.type))”", at: step.offset)
      }
      settings.normalizesNFC = true
    }
  }

  mutating func readPreTokenizer(_ scanner: inout JSONScanner) throws(JSONError) {
    hasPreTokenizer = true
    scanner.skipWhiteSpace()
    let offset = scanner.position
    guard let component = try component(&scanner) else {
      throw scanner.unsupported("a tokenizer without pre-tokenizer", at: offset)
    }
    var steps = component.steps[...]
    if let first = steps.first, first.type == "Digits", steps.count > 1 {
      guard let isIndividual = first.individualDigits else {
        throw scanner.failure("“individual_digits” of “Digits” is missing", at: first.offset)
      }
      settings.digits = isIndividual ? .individual : .runs
      steps.removeFirst()
    }
    let split = steps.first.flatMap { $0.type == "Split" && steps.count > 1 ? $0 : nil }
    if let split {
      settings.rule = try Self.rule(of: split, scanner)
      steps.removeFirst()
    }
    guard let byteLevel = steps.first else { throw scanner.unsupported("an empty pre-tokenizer", at: offset) }
    guard byteLevel.type == "ByteLevel" else {
      throw scanner.unsupported("the pre-tokenizer “\(excerpt(byteLevel.type))”", at: byteLevel.offset)
    }
    guard byteLevel.useRegex == (split == nil) else {
      let place = split == nil ? "" : " behind “Split”"
      throw scanner.unsupported(
        "the pre-tokenizer “ByteLevel” with “use_regex” \(byteLevel.useRegex)\(place)", at: byteLevel.offset)
    }
    guard let addsPrefixSpace = byteLevel.addPrefixSpace else {
      throw scanner.failure("“add_prefix_space” of “ByteLevel” is missing", at: byteLevel.offset)
    }
    guard split == nil || !addsPrefixSpace else {
      throw scanner.unsupported("“add_prefix_space” behind “Split”", at: byteLevel.offset)
    }
    settings.addsPrefixSpace = addsPrefixSpace
    guard steps.count == 1 else {
      let second = steps[steps.startIndex + 1]
      throw scanner.unsupported("the pre-tokenizer “\(excerpt(second.type))” behind “ByteLevel”", at: second.offset)
    }
  }

  /// The rule whose pattern a `Split` has, by its exact text.
  private static func rule(
    of split: TokenizerJSONComponent, _ scanner: JSONScanner
  ) throws(JSONError) -> PreTokenizer {
    guard split.behavior == "Isolated", !split.isInverted else {
      let inversion = split.isInverted ? ", inverted" : ""
      throw scanner.unsupported(
        "the pre-tokenizer “Split” with behavior “\(excerpt(split.behavior ?? ""))”\(inversion)", at: split.offset)
    }
    guard let rule = PreTokenizer.allCases.first(where: { $0.rawValue == split.pattern }) else {
      let pattern = split.pattern.map { "the pattern \(excerpt($0))" } ?? "a pattern that is no regular expression"
      throw scanner.unsupported("the pre-tokenizer “Split” with \(pattern)", at: split.offset)
    }
    return rule
  }

  /// `ByteLevel` changes nothing here that we do otherwise: it is about offsets.
  mutating func readPostProcessor(_ scanner: inout JSONScanner) throws(JSONError) {
    for step in try component(&scanner)?.steps ?? [] {
      switch step.type {
      case "ByteLevel": continue
      case "TemplateProcessing": bosTokenID = step.firstToken
      default: throw scanner.unsupported("the post-processor “\(excerpt(step.type))”", at: step.offset)
      }
    }
  }

  mutating func readDecoder(_ scanner: inout JSONScanner) throws(JSONError) {
    hasDecoder = true
    for step in try component(&scanner)?.steps ?? [] where step.type != "ByteLevel" {
      throw scanner.unsupported("the decoder “\(excerpt(step.type))”", at: step.offset)
    }
  }
}
