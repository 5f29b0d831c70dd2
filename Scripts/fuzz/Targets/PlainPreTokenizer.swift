import Tokenizer

/// The pre-tokenizers in the simplest way: each alternative of the published pattern is tried as a backtracking regular
/// expression engine does, longest repetition first. The character classes are those of the standard library, not of
/// our table.
package enum PlainPreTokenizer {
  /// A scalar, or a byte that is not UTF-8.
  package struct Character {
    let scalar: Unicode.Scalar?
    package let bytes: [UInt8]
    let isLetter, isNumber, isSpace: Bool

    init(_ scalar: Unicode.Scalar) {
      self.scalar = scalar
      bytes = Array(String(scalar).utf8)
      let category = "\(scalar.properties.generalCategory)"
      isLetter = category.hasSuffix("Letter")
      isNumber = category.hasSuffix("Number")
      isSpace = scalar.properties.isWhitespace
    }

    init(strayByte: UInt8) {
      scalar = nil
      bytes = [strayByte]
      (isLetter, isNumber, isSpace) = (false, false, false)
    }

    /// True if the scalar is so new that tables of different Unicode versions may disagree on it.
    var isNew: Bool { (scalar?.properties.age).map { $0.major >= 16 } ?? (scalar != nil) }

    var isOther: Bool { !isLetter && !isNumber && !isSpace }
    var isLineEnd: Bool { scalar == "\r" || scalar == "\n" }
  }

  /// Splits a text into characters.
  static func characters(of text: some Collection<UInt8>) -> [Character] {
    var characters: [Character] = []
    var rest = text[...]
    while let first = rest.first {
      // A scalar is the shortest prefix that is UTF-8
      let scalar = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self)?.unicodeScalars.first }
        .first
      characters.append(scalar.map(Character.init) ?? Character(strayByte: first))
      rest = rest.dropFirst(characters[characters.count - 1].bytes.count)
    }
    return characters
  }

  /// Returns the pre-tokens of a text.
  static func preTokens(of text: [UInt8], _ preTokenizer: KnownPattern) -> [[UInt8]] {
    var rest = text[...]
    return lengths(characters(of: text), preTokenizer).map { length in
      defer { rest = rest.dropFirst(length) }
      return Array(rest.prefix(length))
    }
  }

  /// Returns the length in bytes of each pre-token.
  package static func lengths(_ text: [Character], _ preTokenizer: KnownPattern) -> [Int] {
    var rest = text[...]
    var lengths: [Int] = []
    while !rest.isEmpty {
      let count = preTokenizer == .gpt2 ? gpt2(rest) : llama3(rest, longestNumber: preTokenizer == .qwen2 ? 1 : 3)
      lengths.append(rest.prefix(count).reduce(0) { $0 + $1.bytes.count })
      rest = rest.dropFirst(count)
    }
    return lengths
  }

  // MARK: - Patterns

  private typealias Text = ArraySlice<Character>

  private static func gpt2(_ text: Text) -> Int {
    contraction(text, ignoringCase: false)
      ?? run(text, after: isSpaceCharacter, of: \.isLetter)
      ?? run(text, after: isSpaceCharacter, of: \.isNumber)
      ?? run(text, after: isSpaceCharacter, of: \.isOther)
      ?? spaceBeforeSpace(text)
      ?? repetition(text, of: \.isSpace)
  }

  private static func llama3(_ text: Text, longestNumber: Int) -> Int {
    contraction(text, ignoringCase: true)
      ?? run(text, after: { !$0.isLineEnd && !$0.isLetter && !$0.isNumber }, of: \.isLetter)
      ?? run(text, after: { _ in false }, of: \.isNumber).map { min($0, longestNumber) }
      ?? run(text, after: isSpaceCharacter, of: \.isOther).map { $0 + repetition(text.dropFirst($0), of: \.isLineEnd) }
      ?? linesEnd(text)
      ?? spaceBeforeSpace(text)
      ?? repetition(text, of: \.isSpace)
  }

  // MARK: - Alternatives

  /// `'s|'t|'re|'ve|'m|'ll|'d`
  private static func contraction(_ text: Text, ignoringCase: Bool) -> Int? {
    for contraction in ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"] {
      let letters = contraction.unicodeScalars
      guard text.count >= letters.count else { continue }
      let isEqual = zip(text, letters).allSatisfy { character, letter in
        guard let scalar = character.scalar else { return false }
        // Case folding, restricted to foldings to these letters
        let folded = ignoringCase ? (scalar == "ſ" ? "s" : scalar.properties.lowercaseMapping) : String(scalar)
        return folded == String(letter)
      }
      if isEqual { return letters.count }
    }
    return nil
  }

  /// `p?c+`
  private static func run(
    _ text: Text, after isPrefix: (Character) -> Bool, of isMember: (Character) -> Bool
  ) -> Int? {
    for prefix in text.first.map(isPrefix) == true ? [1, 0] : [0] {
      let count = repetition(text.dropFirst(prefix), of: isMember)
      if count > 0 { return prefix + count }
    }
    return nil
  }

  /// `\s*[\r\n]+`
  private static func linesEnd(_ text: Text) -> Int? {
    for spaces in stride(from: repetition(text, of: \.isSpace), through: 0, by: -1) {
      let ends = repetition(text.dropFirst(spaces), of: \.isLineEnd)
      if ends > 0 { return spaces + ends }
    }
    return nil
  }

  /// `\s+(?!\S)`
  private static func spaceBeforeSpace(_ text: Text) -> Int? {
    for spaces in stride(from: repetition(text, of: \.isSpace), to: 0, by: -1) {
      if text.dropFirst(spaces).first.map(\.isSpace) ?? true { return spaces }
    }
    return nil
  }

  private static func isSpaceCharacter(_ character: Character) -> Bool { character.scalar == " " }

  private static func repetition(_ text: Text, of isMember: (Character) -> Bool) -> Int {
    text.prefix(while: isMember).count
  }

  // MARK: - Random texts

  /// All of them are the same in every version of Unicode.
  private static let characters =
    ("''''''sSſştTdDmMlLrReEvVKaéßǅ東ა𝒜0189²٣Ⅳ〇𝟘       \t\r\r\n\n\u{B}\u{85}\u{A0}\u{1680}\u{2003}\u{2028}\u{3000}"
    + "!?_-\u{301}\u{93F}👍\u{FE0F}\u{200B}\u{200D}\u{FEFF}\u{0}\u{1F}\u{7F}\u{AD}\u{E000}\u{10FFFF}")
    .unicodeScalars.map(Character.init)
    // Neither byte completes a scalar, whatever precedes it
    + [0xFF, 0x80].map(Character.init(strayByte:))

  package static func randomCharacters(using generator: inout some RandomNumberGenerator) -> [Character] {
    (0..<Int.random(in: 0...16, using: &generator)).map { _ in characters.randomElement(using: &generator)! }
  }
}
