/// A step of pre-tokenization: it splits each part of a text that the steps before it have made, and some steps change
/// the text.
enum PreTokenizerStep: Sendable {
  /// `Split` with a pattern that is implemented by hand, and behavior `Isolated`.
  case known(KnownPattern)
  /// `Split`, and the pre-tokenizers that are a `Split` with a fixed pattern.
  case split(SplitRule)
  /// `Digits`
  case digits(DigitSplitting)
  /// Replaces spaces by a visible character, adds one before the text, and splits before each.
  case metaspace(Metaspace)
  /// `add_prefix_space` of `ByteLevel`: a part that does not begin with a space is encoded as if it did.
  case prefixSpace
  /// The characters that `ByteLevel` makes of bytes, for the steps after it. The tokens of the vocabulary are bytes.
  case byteAlphabet
}

/// A rule that splits a text at the matches of a pattern.
struct SplitRule: Sendable {
  enum Delimiter: Sendable {
    case pattern(Pattern)
    case literal(LiteralSearch)
  }

  /// What becomes of the delimiters (`tokenizers`, `SplitDelimiterBehavior`).
  enum Behavior: String, Sendable {
    case isolated = "Isolated"
    case removed = "Removed"
    /// Adjacent delimiters are one part.
    case contiguous = "Contiguous"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
  }

  var delimiter: Delimiter
  var behavior: Behavior
  /// The text between the matches is the delimiter.
  var isInverted = false
}

/// Splits texts by a rule. Used by one thread at a time.
final class Splitter {
  /// A match of the pattern, or the text between two matches. Either may be empty.
  private struct Element {
    let range: Range<Int>
    let isDelimiter: Bool
  }

  private enum Search {
    case pattern(PatternMatcher)
    case literal(LiteralSearch)
  }

  private let search: Search
  private let behavior: SplitRule.Behavior
  private let isInverted: Bool
  private var text = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// The end of the elements so far.
  private var position = 0
  /// A match that has been found, but not returned.
  private var match: Range<Int>?
  private var lookahead: Element?
  private var isAtEnd = false

  init(_ rule: SplitRule) {
    switch rule.delimiter {
    case .pattern(let pattern): search = .pattern(PatternMatcher(pattern))
    case .literal(let literal): search = .literal(literal)
    }
    behavior = rule.behavior
    isInverted = rule.isInverted
  }

  /// True if the parts are the whole text.
  var keepsAll: Bool { behavior != .removed }

  /// Starts to split a text, which must stay valid until the last call of `next()`.
  func reset(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    position = 0
    match = nil
    lookahead = nil
    isAtEnd = false
    if case .pattern(let matcher) = search { matcher.reset(text) }
  }

  /// Returns the next part that is not empty.
  func next() throws(PatternError) -> Range<Int>? {
    while let part = try nextPart() { if !part.isEmpty { return part } }
    return nil
  }

  private func nextPart() throws(PatternError) -> Range<Int>? {
    guard let element = try nextElement() else { return nil }
    switch behavior {
    case .isolated: return element.range
    case .removed: return element.isDelimiter ? element.range.upperBound..<element.range.upperBound : element.range
    case .contiguous:
      var end = element.range.upperBound
      while let next = try peek(), next.isDelimiter == element.isDelimiter {
        end = next.range.upperBound
        lookahead = nil
      }
      return element.range.lowerBound..<end
    case .mergedWithPrevious, .mergedWithNext:
      guard element.isDelimiter == (behavior == .mergedWithNext), let next = try peek(),
        next.isDelimiter != element.isDelimiter
      else { return element.range }
      lookahead = nil
      return element.range.lowerBound..<next.range.upperBound
    }
  }

  private func peek() throws(PatternError) -> Element? {
    if lookahead == nil { lookahead = try nextElement() }
    return lookahead
  }

  private func nextElement() throws(PatternError) -> Element? {
    if let element = lookahead {
      lookahead = nil
      return element
    }
    if let match {
      self.match = nil
      position = match.upperBound
      return Element(range: match, isDelimiter: !isInverted)
    }
    guard !isAtEnd else { return nil }
    let start = position
    guard let found = try nextMatch() else {
      isAtEnd = true
      position = text.count
      return start < text.count ? Element(range: start..<text.count, isDelimiter: isInverted) : nil
    }
    guard found.lowerBound > start else {
      position = found.upperBound
      return Element(range: found, isDelimiter: !isInverted)
    }
    match = found
    return Element(range: start..<found.lowerBound, isDelimiter: isInverted)
  }

  private func nextMatch() throws(PatternError) -> Range<Int>? {
    switch search {
    case .pattern(let matcher): try matcher.next()
    case .literal(let search):
      search.pattern.isEmpty ? nil : search.firstMatch(in: text, from: position, to: text.count)
    }
  }
}
