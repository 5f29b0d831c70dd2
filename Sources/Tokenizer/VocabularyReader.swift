import JSON

/// Reads the tokens and the merges of a vocabulary from JSON. Nearly all of them are simple, and are read by fast ways of
/// their own; each of these stops before what is not simple, or not right, and leaves it to the general way.
struct VocabularyReader {
  var builder: VocabularyBuilder
  private var spellings = SpellingReader()

  /// - Parameter size: of the file. Its tokens cannot be longer, nor many more than one in 16 bytes.
  init(size: Int, _ purpose: ByteLevelTokenizer.Purpose) {
    builder = VocabularyBuilder(tokens: min(size / 16, 1 << 16), bytes: min(size, 1 << 19), purpose)
  }

  /// Reads an object of tokens and ids.
  ///
  /// - Parameter visitForeign: is called for a token that is not spelled in the byte-level alphabet, with its id and with
  ///   the offset of its spelling, after the quotation mark.
  mutating func readTokens(
    _ scanner: inout JSONScanner, _ visitForeign: (_ id: Int32, _ offset: Int) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard try scanner.beginObject() else { return }
    repeat {
      readFastPathTokens(&scanner)
      let name = try scanner.memberName()
      let id = try scanner.integer()
      let isSpelled = try spellings.with(name, scanner) { (spelling) throws(VocabularyError) in
        try builder.define(id, spelling: spelling)
      }
      if !isSpelled { try visitForeign(Int32(truncatingIfNeeded: id), name.range.lowerBound) }
    } while try scanner.another(closing: UInt8(ascii: "}"))
  }

  /// Reads an array of merges: pairs, or, in older files, strings with a space between the two.
  mutating func readMerges(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.beginArray() else { return }
    repeat {
      readExpectedMerges(&scanner)
      if try scanner.kind() == .array {
        let offset = scanner.position
        guard try scanner.beginArray() else { throw scanner.failure("a merge is not of two tokens", at: offset) }
        let left = try scanner.string()
        guard try scanner.another(closing: UInt8(ascii: "]")) else {
          throw scanner.failure("a merge is not of two tokens", at: offset)
        }
        let right = try scanner.string()
        guard try !scanner.another(closing: UInt8(ascii: "]")) else {
          throw scanner.failure("a merge is not of two tokens", at: offset)
        }
        try spellings.with(left, right, scanner) { (left, right) throws(VocabularyError) in
          try builder.addMerge(left, right)
        }
      } else {
        let text = try scanner.string()
        try spellings.with(text, scanner) { (spelling) throws(VocabularyError) in
          guard let space = spelling.firstIndex(of: UInt8(ascii: " ")) else {
            throw VocabularyError(reason: "a merge is two tokens with a space between them")
          }
          try builder.addMerge(
            UnsafeBufferPointer(rebasing: spelling[..<space]), UnsafeBufferPointer(rebasing: spelling[(space + 1)...]))
        }
      }
    } while try scanner.another(closing: UInt8(ascii: "]"))
  }

  // MARK: the fast ways

  /// Reads members as long as they are simple. The scanner stands before a member, and does so afterwards: the last one
  /// of an object is never read.
  private mutating func readFastPathTokens(_ scanner: inout JSONScanner) {
    guard var cursor = FastPathCursor(scanner) else { return }
    var end = scanner.position
    while cursor.skipWhiteSpace(), cursor.skip(UInt8(ascii: "\"")), let spelling = cursor.spelling(),
      cursor.skip(UInt8(ascii: ":")), cursor.skipWhiteSpace(), let id = cursor.integer(),
      cursor.skip(UInt8(ascii: ",")),
      builder.define(id, spelling: spelling)
    {
      end = cursor.position
    }
    scanner = JSONScanner(scanner.bytes, position: end)
  }

  /// Reads merges as long as they are those expected, in the same way.
  private mutating func readExpectedMerges(_ scanner: inout JSONScanner) {
    guard var cursor = FastPathCursor(scanner) else { return }
    var end = scanner.position
    while cursor.skipWhiteSpace(), var merge = builder.expectedMerge, skip(&merge, &cursor),
      cursor.skip(UInt8(ascii: ","))
    {
      builder.add(merge)
      end = cursor.position
    }
    scanner = JSONScanner(scanner.bytes, position: end)
  }

  @inline(__always)
  private func skip(_ merge: inout ExpectedMerge, _ cursor: inout FastPathCursor) -> Bool {
    let quote = UInt8(ascii: "\"")
    if cursor.skip(quote) {
      return cursor.skipLeftHalf(of: &merge, before: UInt8(ascii: " ")) && cursor.skipRightHalf(of: merge)
    }
    return cursor.skip(UInt8(ascii: "[")) && cursor.skipWhiteSpace() && cursor.skip(quote)
      && cursor.skipLeftHalf(of: &merge, before: quote) && cursor.skip(UInt8(ascii: ","))
      && cursor.skipWhiteSpace() && cursor.skip(quote) && cursor.skipRightHalf(of: merge)
      && cursor.skipWhiteSpace() && cursor.skip(UInt8(ascii: "]"))
  }
}

/// The characters of JSON strings, lent without a copy where they stand in the text without escapes.
private struct SpellingReader {
  private var first: [UInt8] = []
  private var second: [UInt8] = []

  /// Lends one string to `body`, whose complaint becomes an error at the string's place.
  @inline(__always)
  mutating func with<Result>(
    _ text: JSONScanner.Text, _ scanner: JSONScanner,
    _ body: (UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Result
  ) throws(JSONError) -> Result {
    do throws(VocabularyError) {
      return try Self.lend(text, scanner, &first, body)
    } catch {
      throw scanner.failure(error.reason, at: text.range.lowerBound)
    }
  }

  /// Lends two strings to `body`, whose complaint becomes an error at the first one's place.
  @inline(__always)
  mutating func with(
    _ left: JSONScanner.Text, _ right: JSONScanner.Text, _ scanner: JSONScanner,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Void
  ) throws(JSONError) {
    do throws(VocabularyError) {
      try Self.lend(left, scanner, &first) { (left) throws(VocabularyError) in
        try Self.lend(right, scanner, &second) { (right) throws(VocabularyError) in try body(left, right) }
      }
    } catch {
      throw scanner.failure(error.reason, at: left.range.lowerBound)
    }
  }

  @inline(__always)
  private static func lend<Result>(
    _ text: JSONScanner.Text, _ scanner: JSONScanner, _ scratch: inout [UInt8],
    _ body: (UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Result
  ) throws(VocabularyError) -> Result {
    guard text.hasEscapes else { return try body(UnsafeBufferPointer(rebasing: scanner.bytes[text.range])) }
    scratch.removeAll(keepingCapacity: true)
    guard scanner.decode(text, into: &scratch) else {
      throw VocabularyError(reason: "half of a surrogate pair is no character")
    }
    return try scratch.withUnsafeBufferPointer { (scratch) throws(VocabularyError) in try body(scratch) }
  }
}
