/// A text that consists of tokens, and its division into words.
///
/// Words are found in the bytes of the text, because a token may be a part of a character or of a word. White space is
/// that of Unicode (White_Space). Special tokens separate words and belong to none.
public struct TokenizedText: Sendable {
  /// The bytes of all tokens.
  public let bytes: [UInt8]
  /// The byte range of each token.
  public let ranges: [Range<Int>]
  public let isSpecial: [Bool]
  /// Whether each byte separates words: it is white space, or belongs to a special token.
  private let isSeparator: [Bool]

  public init(_ tokens: some Sequence<(bytes: [UInt8], isSpecial: Bool)>) {
    var (bytes, ranges, isSpecial): ([UInt8], [Range<Int>], [Bool]) = ([], [], [])
    for token in tokens {
      ranges.append(bytes.count..<bytes.count + token.bytes.count)
      bytes += token.bytes
      isSpecial.append(token.isSpecial)
    }
    var isSeparator = whiteSpace(in: bytes)
    for (range, isSpecial) in zip(ranges, isSpecial) where isSpecial {
      for index in range { isSeparator[index] = true }
    }
    (self.bytes, self.ranges, self.isSpecial, self.isSeparator) = (bytes, ranges, isSpecial, isSeparator)
  }

  /// A word, and the tokens that count for it.
  public struct Word: Equatable, Sendable {
    /// The range of the word in the bytes of the text, without white space around it.
    public let bytes: Range<Int>
    /// The tokens of the word: those whose first byte that is not white space is in the word, and tokens of white space
    /// only before it. Empty if the word lies within a token of the word before it.
    public let tokens: Range<Int>
  }

  /// An error in a list of words.
  public struct WordListError: Error, Equatable {
    /// The index of the word that the text does not continue with; nil if the text continues after the last word.
    public let index: Int?
    /// The offset in the bytes of the text.
    public let offset: Int

    public init(index: Int?, offset: Int) { (self.index, self.offset) = (index, offset) }
  }

  /// Returns the words, which white space separates. White space after the last word belongs to no word.
  public func words() -> [Word] {
    var ranges: [Range<Int>] = []
    var start: Int?
    for index in 0...bytes.count {
      if index < bytes.count, !isSeparator[index] {
        start = start ?? index
      } else if let first = start {
        ranges.append(first..<index)
        start = nil
      }
    }
    return words(at: ranges)
  }

  /// Returns the words of a list, such as the regions of an experiment, which may contain white space and need none
  /// between them.
  ///
  /// - Throws: `WordListError` if the text is not these words in this order, with any white space between them.
  public func words(_ list: [[UInt8]]) throws(WordListError) -> [Word] {
    var ranges: [Range<Int>] = []
    var position = 0
    func skipSeparators() { while position < bytes.count, isSeparator[position] { position += 1 } }
    for (index, entry) in list.enumerated() {
      let isSpace = whiteSpace(in: entry)
      let first = isSpace.firstIndex(of: false) ?? 0
      let word = entry[first..<(isSpace.lastIndex(of: false).map { $0 + 1 } ?? 0)]
      skipSeparators()
      guard !word.isEmpty, bytes[position...].starts(with: word) else {
        throw WordListError(index: index, offset: position)
      }
      ranges.append(position..<position + word.count)
      position += word.count
    }
    skipSeparators()
    guard position == bytes.count else { throw WordListError(index: nil, offset: position) }
    return words(at: ranges)
  }

  /// Assigns the tokens to words at byte ranges in ascending order.
  private func words(at wordRanges: [Range<Int>]) -> [Word] {
    var tokens = wordRanges.map { _ in 0..<0 }
    var word = 0
    var firstSpace: Int?  // the first of the tokens of white space before this token
    for (token, range) in ranges.enumerated() {
      guard !isSpecial[token] else {
        firstSpace = nil
        continue
      }
      guard let place = range.first(where: { !isSeparator[$0] }) else {
        firstSpace = firstSpace ?? token
        continue
      }
      while word < wordRanges.count, wordRanges[word].upperBound <= place { word += 1 }
      guard word < wordRanges.count else { break }
      let first = tokens[word].isEmpty ? firstSpace ?? token : tokens[word].lowerBound
      tokens[word] = first..<token + 1
      firstSpace = nil
    }
    return zip(wordRanges, tokens).map { Word(bytes: $0, tokens: $1) }
  }

  /// Returns the number of tokens that belong to `beginning`, without white space at its ends: special tokens before
  /// it, and tokens whose first byte that is not white space is in it. Nil if the text does not begin with it.
  public func tokenCount(ofBeginning beginning: [UInt8]) -> Int? {
    let first = isSpecial.firstIndex(of: false) ?? ranges.count
    guard first < ranges.count else { return beginning.isEmpty ? first : nil }
    var start = ranges[first].lowerBound
    let isSpace = whiteSpace(in: beginning)
    guard let from = isSpace.firstIndex(of: false), let last = isSpace.lastIndex(of: false) else { return first }
    while start < bytes.count, isSeparator[start] { start += 1 }
    guard bytes[start...].starts(with: beginning[from...last]) else { return nil }
    let end = start + last + 1 - from
    let next = (first..<ranges.count).first { token in
      (ranges[token].first { !isSeparator[$0] } ?? ranges[token].upperBound) >= end
    }
    return next ?? ranges.count
  }

  /// Returns the number of characters (Unicode scalars) that begin in a range. A byte that is not part of valid UTF-8
  /// counts as a character, unless it looks like the continuation of one.
  public func characterCount(in range: Range<Int>) -> Int {
    bytes[range].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }
}

/// Returns whether each byte is part of a character with the property White_Space (Unicode 16, PropList.txt).
private func whiteSpace(in bytes: [UInt8]) -> [Bool] {
  var result = [Bool](repeating: false, count: bytes.count)
  for index in bytes.indices {
    let length: Int
    switch bytes[index] {
    case 0x09...0x0D, 0x20: length = 1
    case 0xC2: length = [0x85, 0xA0].contains(byte(index + 1)) ? 2 : 0  // U+0085, U+00A0
    case 0xE1: length = byte(index + 1) == 0x9A && byte(index + 2) == 0x80 ? 3 : 0  // U+1680
    case 0xE2:
      let isSpace =
        switch byte(index + 1) {
        // U+2000 to U+200A, U+2028, U+2029, U+202F
        case 0x80: [0xA8, 0xA9, 0xAF].contains(byte(index + 2)) || 0x80...0x8A ~= byte(index + 2)
        case 0x81: byte(index + 2) == 0x9F  // U+205F
        default: false
        }
      length = isSpace ? 3 : 0
    case 0xE3: length = byte(index + 1) == 0x80 && byte(index + 2) == 0x80 ? 3 : 0  // U+3000
    default: length = 0
    }
    for offset in 0..<length { result[index + offset] = true }
  }
  return result

  func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
}
