/// The steps before and after the model: normalizers, pre-tokenizer, and, for a model of characters, decoder.
struct TokenizerComponents {
  var normalizers: [Normalizer] = []
  var preTokenizer: [PreTokenizerStep] = []
  var decoder: [TokenTextDecoder.Step] = []

  /// The decoder of a model of characters with byte fallback.
  ///
  /// - Parameter hasPrefix: Removes the space that the pre-tokenizer adds before the text.
  static func characterDecoder(hasPrefix: Bool) -> [TokenTextDecoder.Step] {
    [.replace(SafeSplitting.mark, space), .byteFallback, .fuse] + (hasPrefix ? [.strip(space, start: 1, stop: 0)] : [])
  }

  static let space = [UInt8(ascii: " ")]
}

extension Normalizer {
  /// Spaces become `▁`.
  static let markedSpaces = Normalizer.replace(LiteralSearch(TokenizerComponents.space), content: SafeSplitting.mark)

  static func replacing(_ pattern: String, with content: String) -> Normalizer {
    .replaceMatches(.fixed(pattern, .oniguruma), content: Array(content.utf8))
  }
}

extension PreTokenizerStep {
  /// `WhitespaceSplit`
  static let whiteSpace = PreTokenizerStep.split(SplitRule(delimiter: .pattern(.whiteSpace), behavior: .removed))

  static func isolating(_ pattern: Pattern) -> PreTokenizerStep {
    .split(SplitRule(delimiter: .pattern(pattern), behavior: .isolated))
  }
}
