/// A normalizer of tokenizer.json: a function from text to text.
enum Normalizer: Sendable {
  case form(NormalizationForm)
  /// Maps each scalar to its lowercase form (Unicode 17.0). As in `tokenizers`, the context has no effect: a sigma at
  /// the end of a word becomes σ.
  case lowercase
  /// Removes white space (the property White_Space) at the start or the end.
  case strip(left: Bool, right: Bool)
  /// Removes combining marks (general category M*, Unicode 9.0).
  case stripAccents
  /// Replaces each occurrence of a text, or, if it is empty, inserts `content` before each scalar and at the end.
  case replace(LiteralSearch, content: [UInt8])
  /// Replaces each match of a regular expression.
  case replaceMatches(Pattern, content: [UInt8])
  /// Puts a prefix before a text that is not empty.
  case prepend([UInt8])
  /// Writes each byte in the byte-level alphabet.
  case byteLevel
  /// Removes control characters and replaces some other characters by spaces, as `Nmt` does.
  case nmt
  /// `Precompiled`: replaces the sequences of a table.
  case characterMap(CharacterMap)
  /// The whole normalization of SentencePiece.
  case sentencePiece(SentencePieceNormalizer)

  /// An upper bound of the bytes per byte of the text that the normalizer returns, without a constant part.
  var growth: Int {
    switch self {
    case .strip, .stripAccents, .prepend, .nmt: 1
    case .form(.nfc): 3  // U+1D160, for example
    case .form(.nfd): 3
    case .form: 11  // U+FDFA has 3 bytes, and its compatibility decomposition 33
    case .lowercase, .byteLevel: 2
    case .replace(let search, let content):
      search.pattern.isEmpty ? content.count + 1 : max(1, (content.count - 1) / search.pattern.count + 1)
    case .replaceMatches(_, let content): content.count + 1
    case .characterMap(let map): map.growth
    case .sentencePiece(let normalizer): max(3, normalizer.map?.growth ?? 1)
    }
  }
}

/// The normalizers of a tokenizer, which are applied in order. It keeps scratch memory: each thread needs its own copy.
struct TextNormalizer {
  private let steps: [Normalizer]
  private var forms = FormNormalizer()
  /// The matcher of each step that has a regular expression.
  private let matchers: [PatternMatcher?]

  init(_ steps: [Normalizer]) {
    self.steps = steps
    matchers = steps.map { if case .replaceMatches(let pattern, _) = $0 { PatternMatcher(pattern) } else { nil } }
  }

  /// The factor by which the normalizers of a file may make a text longer. Published tokenizers stay below 16.
  static let maxGrowth = 1 << 12

  /// Returns true if the normalizers can make a text more than `maxGrowth` times as long.
  static func isExcessive(_ steps: [Normalizer]) -> Bool {
    var growth = 1
    for step in steps {
      growth *= step.growth
      if growth > maxGrowth { return true }
    }
    return false
  }

  /// Returns the normalized form of `text[range]`, or nil if it is the same.
  ///
  /// - Parameter recordsChanges: Records the changes that `NormalizedText.Offsets` needs.
  mutating func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, recordsChanges: Bool = false
  ) throws(TextEncodingError) -> NormalizedText? {
    var result: NormalizedText?
    for index in steps.indices {
      if let current = result {
        var next: NormalizedText?
        try current.bytes.withUnsafeBuffer { (bytes) throws(TextEncodingError) in
          next = try apply(index, bytes, 0..<bytes.count, recordsChanges)
        }
        if let next { result?.append(next) }
      } else {
        result = try apply(index, text, range, recordsChanges)
      }
    }
    return result
  }

  /// Returns the normalized form of a short text; if it cannot be normalized, the text.
  mutating func normalize(_ text: [UInt8]) -> [UInt8] {
    text.withUnsafeBufferPointer { (try? normalize($0, 0..<$0.count))?.bytes } ?? text
  }

  private mutating func apply(
    _ index: Int, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ recordsChanges: Bool
  ) throws(TextEncodingError) -> NormalizedText? {
    var rewriter = TextRewriter(text, range, recordsChanges: recordsChanges)
    switch steps[index] {
    case .form(let form): forms.normalize(&rewriter, to: form)
    case .lowercase: rewriter.lowercase()
    case .strip(let left, let right): rewriter.strip(left: left, right: right)
    case .stripAccents: rewriter.stripAccents()
    case .replace(let search, let content):
      rewriter.replaceAll(with: content) { search.firstMatch(in: text, from: $0, to: range.upperBound) }
    case .replaceMatches(_, let content): if let matcher = matchers[index] { try rewriter.replaceAll(matcher, content) }
    case .prepend(let prefix):
      if !range.isEmpty, !prefix.isEmpty { rewriter.replace(range.lowerBound..<range.lowerBound, with: prefix) }
    case .byteLevel: rewriter.encodeBytes()
    case .nmt: rewriter.applyNmt()
    case .characterMap(let map): map.normalizeGraphemes(&rewriter)
    case .sentencePiece(let normalizer): normalizer.normalize(&rewriter)
    }
    return rewriter.finish()
  }
}

extension TextRewriter {
  fileprivate mutating func lowercase() {
    var position = range.lowerBound
    while let (scalar, found) = ScalarFlags.changesInLowercase.firstScalar(
      in: text, from: position, to: range.upperBound)
    {
      position = found.upperBound
      if scalar < 0x80 {
        replace(found, with: CollectionOfOne(UInt8(scalar) | 0x20), keepsOffsets: true)
      } else if scalar == 0x130 {  // İ, the only scalar whose lowercase form is two scalars
        replace(found, with: [0x69, 0xCC, 0x87])
      } else {
        let table = UnicodeNormalization.lowercase
        let index = firstIndex(below: table.count) { UInt32(table[$0] >> 22 & 0x1F_FFFF) >= scalar }
        guard index < table.count else { continue }
        replace(found, with: UInt32(table[index] & 0x1F_FFFF) + scalar - UInt32(table[index] >> 43))
      }
    }
  }

  fileprivate mutating func strip(left: Bool, right: Bool) {
    let start = left ? endOfLeadingWhiteSpace(in: text, range) : range.lowerBound
    let end = right ? startOfTrailingWhiteSpace(in: text, start..<range.upperBound) : range.upperBound
    if start > range.lowerBound { replace(range.lowerBound..<start, with: EmptyCollection()) }
    if end < range.upperBound { replace(end..<range.upperBound, with: EmptyCollection()) }
  }

  fileprivate mutating func stripAccents() {
    var position = range.lowerBound
    while let (_, found) = ScalarFlags.combiningMark.firstScalar(in: text, from: position, to: range.upperBound) {
      replace(found, with: EmptyCollection())
      position = found.upperBound
    }
  }

  /// Replaces all matches. As in Oniguruma, an empty match is not accepted at the end of the match before it.
  ///
  /// - Parameter match: Returns the first match at a position or later.
  fileprivate mutating func replaceAll(with content: [UInt8], _ match: (_ position: Int) -> Range<Int>?) {
    guard !range.isEmpty else { return }
    var position = range.lowerBound
    var lastEnd = -1
    while position <= range.upperBound, let found = match(position) {
      if !found.isEmpty || found.lowerBound != lastEnd {
        replace(found, with: content)
        lastEnd = found.upperBound
      }
      position = found.upperBound
      guard found.isEmpty else { continue }
      guard position < range.upperBound else { break }
      position += decodeScalar(in: text, at: position, limit: range.upperBound).length
    }
  }

  fileprivate mutating func replaceAll(_ matcher: PatternMatcher, _ content: [UInt8]) throws(TextEncodingError) {
    matcher.reset(UnsafeBufferPointer(rebasing: text[range]))
    do {
      while let found = try matcher.next() {
        replace(range.lowerBound + found.lowerBound..<range.lowerBound + found.upperBound, with: content)
      }
    } catch {
      throw TextEncodingError(.slowPattern, offset: error.offset)
    }
  }

  fileprivate mutating func encodeBytes() {
    for index in range {
      let byte = text[index]
      if byte &- 0x21 < 0x5E { continue }
      replace(index..<index + 1, with: ByteLevelAlphabet.scalar(of: byte))
    }
  }

  fileprivate mutating func applyNmt() {
    var index = range.lowerBound
    while index < range.upperBound {
      let (value, length) = decodeScalar(in: text, at: index, limit: range.upperBound)
      let scalar = index..<index + length
      index += length
      guard let value else { continue }
      switch value {
      case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: replace(scalar, with: EmptyCollection())
      case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
        replace(scalar, with: 0x20)
      default: continue
      }
    }
  }
}

/// Returns the end of the white space at the start of `text[range]`, or its start if there is none.
func endOfLeadingWhiteSpace(in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
  var start = range.lowerBound
  while start < range.upperBound {
    let (scalarClass, length) = classifyScalar(in: text, at: start, limit: range.upperBound)
    guard scalarClass == .whiteSpace else { break }
    start += length
  }
  return start
}

/// Returns the start of the white space at the end of `text[range]`, or its end if there is none.
func startOfTrailingWhiteSpace(in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
  var end = range.upperBound
  while end > range.lowerBound {
    var start = end - 1
    // White space has at most three bytes in UTF-8
    while start > range.lowerBound, end - start < 3, text[start] & 0xC0 == 0x80 { start -= 1 }
    let (scalarClass, length) = classifyScalar(in: text, at: start, limit: end)
    guard scalarClass == .whiteSpace, start + length == end else { break }
    end = start
  }
  return end
}
