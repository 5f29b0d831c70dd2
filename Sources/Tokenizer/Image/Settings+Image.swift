// The settings of a tokenizer in an image. Patterns are compiled from their sources, as when a tokenizer is opened from
// its files.

extension ImageWriter {
  mutating func append(_ settings: Tokenizer.Settings) {
    append(settings.normalizers) { $0.append($1) }
    append(settings.preTokenizer) { $0.append($1) }
    append(settings.bosTokenID) { $0.append($1) }
    append(settings.eosTokenID) { $0.append($1) }
    append(settings.namedTokens.sorted { $0.key < $1.key }) { writer, token in
      writer.append(token.key)
      writer.append(token.value)
    }
    append(settings.namesTokensByID)
    append(settings.tokensBefore) { $0.append($1) }
    append(settings.tokensAfter) { $0.append($1) }
    append(settings.warnings) { $0.append($1) }
  }

  mutating func append(_ token: AddedTokens.Token) {
    append(Int(token.id))
    let flags = [token.isSpecial, token.isNormalized, token.stripsLeft, token.stripsRight, token.isSingleWord]
    append(flags.reversed().reduce(0) { $0 << 1 | ($1 ? 1 : 0) })
    append(token.content) { $0.append($1) }
  }

  mutating func append(_ decoder: TokenTextDecoder) { append(decoder.steps) { $0.append($1) } }

  private mutating func append(_ pattern: Pattern) {
    append(pattern.source)
    append(pattern.dialect == .fancyRegex)
  }

  private mutating func append(_ normalizer: Normalizer) {
    switch normalizer {
    case .form(let form):
      append(0)
      append([NormalizationForm.nfd, .nfc, .nfkd, .nfkc].firstIndex(of: form) ?? 0)
    case .lowercase: append(1)
    case .strip(let left, let right):
      append(2)
      append(left)
      append(right)
    case .stripAccents: append(3)
    case .replace(let search, let content):
      append(4)
      append(search.pattern)
      append(content)
    case .replaceMatches(let pattern, let content):
      append(5)
      append(pattern)
      append(content)
    case .prepend(let prefix):
      append(6)
      append(prefix)
    case .byteLevel: append(7)
    case .nmt: append(8)
    case .characterMap(let map):
      append(9)
      append(map.table)
    case .sentencePiece(let normalizer):
      append(10)
      append(normalizer.map) { $0.append($1.table) }
      append(normalizer.addsDummyPrefix)
      append(normalizer.removesExtraWhitespace)
      append(normalizer.escapesWhitespace)
      append(normalizer.treatsWhitespaceAsSuffix)
    }
  }

  private mutating func append(_ step: PreTokenizerStep) {
    switch step {
    case .known(let pattern):
      append(0)
      append(pattern.rawValue)
    case .split(let rule):
      append(1)
      append(rule.behavior.rawValue)
      append(rule.isInverted)
      switch rule.delimiter {
      case .pattern(let pattern):
        append(0)
        append(pattern)
      case .literal(let search):
        append(1)
        append(search.pattern)
      }
    case .digits(let splitting):
      append(2)
      append([DigitSplitting.none, .runs, .individual].firstIndex(of: splitting) ?? 0)
    case .metaspace(let metaspace):
      append(3)
      append(metaspace.replacement)
      append([Metaspace.PrependScheme.always, .first, .never].firstIndex(of: metaspace.prependScheme) ?? 0)
      append(metaspace.splits)
    case .prefixSpace: append(4)
    case .byteAlphabet: append(5)
    }
  }

  private mutating func append(_ step: TokenTextDecoder.Step) {
    switch step {
    case .metaspace(let replacement, let removesFirst):
      append(0)
      append(replacement)
      append(removesFirst)
    case .replace(let pattern, let content):
      append(1)
      append(pattern)
      append(content)
    case .byteFallback: append(2)
    case .fuse: append(3)
    case .byteLevel: append(4)
    case .spaceBetween: append(5)
    case .strip(let content, let start, let stop):
      append(6)
      append(content)
      append(start)
      append(stop)
    }
  }
}

extension ImageReader {
  mutating func settings() throws(ImageError) -> Tokenizer.Settings {
    func id(_ reader: inout ImageReader) throws(ImageError) -> Int { try reader.integer() }
    var settings = Tokenizer.Settings()
    settings.normalizers = try values { (reader) throws(ImageError) in try reader.normalizer() }
    settings.preTokenizer = try values { (reader) throws(ImageError) in try reader.preTokenizerStep() }
    let maxParts = TokenizerJSONComponent.maxParts
    try require(settings.normalizers.count <= maxParts && settings.preTokenizer.count <= maxParts)
    do { try GrowthLimit.check(settings.normalizers, settings.preTokenizer) } catch { throw ImageError() }
    settings.bosTokenID = try optional(id)
    settings.eosTokenID = try optional(id)
    let named = try values { (reader) throws(ImageError) in (try reader.string(), try reader.byteString()) }
    settings.namedTokens = Dictionary(named) { $1 }
    settings.namesTokensByID = try flag()
    settings.tokensBefore = try values(id)
    settings.tokensAfter = try values(id)
    settings.warnings = try values { (reader) throws(ImageError) in try reader.string() }
    return settings
  }

  mutating func addedToken() throws(ImageError) -> AddedTokens.Token {
    let id = try integer(in: 0...Vocabulary.limit - 1)
    let flags = try integer(in: 0...31)
    return AddedTokens.Token(
      id: Int32(id), isSpecial: flags & 1 != 0, isNormalized: flags & 2 != 0, stripsLeft: flags & 4 != 0,
      stripsRight: flags & 8 != 0, isSingleWord: flags & 16 != 0,
      content: try optional { (reader) throws(ImageError) in try reader.byteString() })
  }

  mutating func decoder() throws(ImageError) -> TokenTextDecoder {
    let steps = try values { (reader) throws(ImageError) in try reader.decoderStep() }
    var limit = GrowthLimit()
    try require(steps.count <= TokenizerJSONComponent.maxParts && steps.allSatisfy { limit.add($0.growth) })
    do { return try TokenTextDecoder(steps) } catch { throw ImageError() }
  }

  private mutating func pattern() throws(ImageError) -> Pattern {
    let (source, isFancyRegex) = (try string(), try flag())
    do { return try Pattern(source, dialect: isFancyRegex ? .fancyRegex : .oniguruma) } catch { throw ImageError() }
  }

  private mutating func characterMap() throws(ImageError) -> CharacterMap {
    do { return try CharacterMap(try byteString()) } catch { throw ImageError() }
  }

  private mutating func normalizer() throws(ImageError) -> Normalizer {
    switch try integer() {
    case 0: return .form([NormalizationForm.nfd, .nfc, .nfkd, .nfkc][try integer(in: 0...3)])
    case 1: return .lowercase
    case 2: return .strip(left: try flag(), right: try flag())
    case 3: return .stripAccents
    case 4: return .replace(LiteralSearch(try byteString()), content: try byteString())
    case 5: return .replaceMatches(try pattern(), content: try byteString())
    case 6: return .prepend(try byteString())
    case 7: return .byteLevel
    case 8: return .nmt
    case 9: return .characterMap(try characterMap())
    case 10:
      return .sentencePiece(
        SentencePieceNormalizer(
          map: try optional { (reader) throws(ImageError) in try reader.characterMap() },
          addsDummyPrefix: try flag(), removesExtraWhitespace: try flag(), escapesWhitespace: try flag(),
          treatsWhitespaceAsSuffix: try flag()))
    default: throw ImageError()
    }
  }

  private mutating func preTokenizerStep() throws(ImageError) -> PreTokenizerStep {
    switch try integer() {
    case 0:
      guard let pattern = KnownPattern(rawValue: try string()) else { throw ImageError() }
      return .known(pattern)
    case 1:
      guard let behavior = SplitRule.Behavior(rawValue: try string()) else { throw ImageError() }
      let isInverted = try flag()
      guard try flag() else {
        return .split(SplitRule(delimiter: .pattern(try pattern()), behavior: behavior, isInverted: isInverted))
      }
      let literal = try byteString()
      try require(!literal.isEmpty)
      return .split(
        SplitRule(delimiter: .literal(LiteralSearch(literal)), behavior: behavior, isInverted: isInverted))
    case 2: return .digits([DigitSplitting.none, .runs, .individual][try integer(in: 0...2)])
    case 3:
      let replacement = try byteString()
      try require(String(validating: replacement, as: UTF8.self)?.unicodeScalars.count == 1)
      let scheme = [Metaspace.PrependScheme.always, .first, .never][try integer(in: 0...2)]
      return .metaspace(Metaspace(replacement: replacement, prependScheme: scheme, splits: try flag()))
    case 4: return .prefixSpace
    case 5: return .byteAlphabet
    default: throw ImageError()
    }
  }

  private mutating func decoderStep() throws(ImageError) -> TokenTextDecoder.Step {
    switch try integer() {
    case 0: return .metaspace(replacement: try byteString(), removesFirst: try flag())
    case 1: return .replace(try byteString(), try byteString())
    case 2: return .byteFallback
    case 3: return .fuse
    case 4: return .byteLevel
    case 5: return .spaceBetween
    case 6:
      let content = try byteString()
      return .strip(content, start: try integer(in: 0...Int.max), stop: try integer(in: 0...Int.max))
    default: throw ImageError()
    }
  }
}
