import Scoring

extension FuzzTarget {
  /// Any division of any bytes into tokens: words have bytes, tokens belong to at most one word, in order, and a list
  /// of the words gives the same words.
  ///
  /// The input is the tokens, each followed by a byte 0 or, after a special token, 1.
  static let wordDivision = FuzzTarget("words", longestInput: 200) { input in
    var tokens: [(bytes: [UInt8], isSpecial: Bool)] = []
    var token: [UInt8] = []
    for byte in input {
      guard byte < 2 else {
        token.append(byte)
        continue
      }
      tokens.append((token, byte == 1))
      token = []
    }
    let text = TokenizedText(tokens)
    let words = text.words()
    var (end, next) = (0, 0)
    for word in words {
      try expect(!word.bytes.isEmpty && word.bytes.lowerBound >= end, "the word \(word) begins before \(end)")
      end = word.bytes.upperBound
      guard !word.tokens.isEmpty else { continue }
      try expect(word.tokens.lowerBound >= next, "token \(word.tokens.lowerBound) belongs to two words")
      next = word.tokens.upperBound
      try expect(next <= tokens.count, "token \(next)")
      try expect(!word.tokens.contains { text.isSpecial[$0] }, "a special token belongs to a word")
    }
    try expect(end <= text.bytes.count, "a word ends at \(end) of \(text.bytes.count)")
    // Special tokens separate words like white space, so a list of the words is always the text.
    let listed = try text.words(words.map { Array(text.bytes[$0.bytes]) })
    try expect(listed == words, "the listed words are \(listed), not \(words)")
    for count in 0...tokens.count {
      let beginning = tokens.drop { $0.isSpecial }.prefix(count)
      guard !beginning.contains(where: \.isSpecial) else { break }
      try expect(
        text.tokenCount(ofBeginning: beginning.flatMap(\.bytes)) != nil, "\(count) tokens are not the beginning")
    }
  }
}
