import JSON

/// Reads the tokens and the merges of a vocabulary from JSON. Nearly all of them are read by the fast path
/// (VocabularyFastPath.swift), which stops before an element that it cannot read, valid or not; the general reader
/// below then reads this element or reports the error.
struct VocabularyReader {
  var builder: VocabularyBuilder
  private var spellings = SpellingReader()

  /// - Parameter size: The size of the file in bytes. The tokens together are not longer than the file, which has about
  ///   one token per 16 bytes.
  init(size: Int, _ purpose: Tokenizer.Purpose) {
    builder = VocabularyBuilder(tokens: min(size / 16, 1 << 16), bytes: min(size, 1 << 19), purpose)
  }

  /// Reads an object of tokens and ids.
  ///
  /// - Parameter visitForeign: Called for each token that is not spelled in the byte-level alphabet, with its id and
  ///   the offset of its spelling, after the quotation mark.
  mutating func readTokens(
    _ scanner: inout JSONScanner, _ visitForeign: (_ id: Int32, _ offset: Int) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard try scanner.beginObject() else { return }
    repeat {
      readFastPathTokens(&scanner)
      let name = try scanner.memberName()
      let id = try scanner.integer()
      let isSpelled = try spellings.withSpelling(name, scanner) { (spelling) throws(VocabularyError) in
        try builder.define(id, spelling: spelling)
      }
      if !isSpelled { try visitForeign(Int32(truncatingIfNeeded: id), name.range.lowerBound) }
    } while try scanner.another(closing: UInt8(ascii: "}"))
  }

  /// Reads an array of merges: pairs of strings, or, in older files, strings with a space between the two tokens.
  mutating func readMerges(_ scanner: inout JSONScanner) throws(JSONError) {
    guard try scanner.beginArray() else { return }
    repeat {
      readExpectedMerges(&scanner)
      if try scanner.kind() == .array {
        let offset = scanner.position
        guard try scanner.beginArray() else { throw scanner.failure("expected a merge of two tokens", at: offset) }
        let left = try scanner.string()
        guard try scanner.another(closing: UInt8(ascii: "]")) else {
          throw scanner.failure("expected a merge of two tokens", at: offset)
        }
        let right = try scanner.string()
        guard try !scanner.another(closing: UInt8(ascii: "]")) else {
          throw scanner.failure("expected a merge of two tokens", at: offset)
        }
        try spellings.withSpellings(left, right, scanner) { (left, right) throws(VocabularyError) in
          try builder.addMerge(left, right)
        }
      } else {
        let text = try scanner.string()
        try spellings.withSpelling(text, scanner) { (spelling) throws(VocabularyError) in
          guard let space = spelling.firstIndex(of: UInt8(ascii: " ")) else {
            throw VocabularyError(reason: "no space; a merge is two tokens with a space between them")
          }
          try builder.addMerge(
            UnsafeBufferPointer(rebasing: spelling[..<space]), UnsafeBufferPointer(rebasing: spelling[(space + 1)...]))
        }
      }
    } while try scanner.another(closing: UInt8(ascii: "]"))
  }

  // MARK: - Fast path

  /// Reads members as long as the fast path can. The scanner must be before a member, and is before a member
  /// afterwards, because the last member of an object is never read here.
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

  /// Reads merges as long as they are the expected merges. The scanner is before a merge, and afterwards again, as for
  /// members.
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

/// Gives access to the characters of JSON strings, without a copy if they have no escapes.
private struct SpellingReader {
  private var first: [UInt8] = []
  private var second: [UInt8] = []

  /// Calls `body` with a string. Its error becomes a JSON error at the string.
  @inline(__always)
  mutating func withSpelling<Result>(
    _ text: JSONScanner.Text, _ scanner: JSONScanner,
    _ body: (UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Result
  ) throws(JSONError) -> Result {
    do throws(VocabularyError) {
      return try Self.decode(text, scanner, &first, body)
    } catch {
      throw scanner.failure(error.reason, at: text.range.lowerBound)
    }
  }

  /// Calls `body` with two strings. Its error becomes a JSON error at the first one.
  @inline(__always)
  mutating func withSpellings(
    _ left: JSONScanner.Text, _ right: JSONScanner.Text, _ scanner: JSONScanner,
    _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Void
  ) throws(JSONError) {
    do throws(VocabularyError) {
      try Self.decode(left, scanner, &first) { (left) throws(VocabularyError) in
        try Self.decode(right, scanner, &second) { (right) throws(VocabularyError) in try body(left, right) }
      }
    } catch {
      throw scanner.failure(error.reason, at: left.range.lowerBound)
    }
  }

  @inline(__always)
  private static func decode<Result>(
    _ text: JSONScanner.Text, _ scanner: JSONScanner, _ scratch: inout [UInt8],
    _ body: (UnsafeBufferPointer<UInt8>) throws(VocabularyError) -> Result
  ) throws(VocabularyError) -> Result {
    guard text.hasEscapes else { return try body(UnsafeBufferPointer(rebasing: scanner.bytes[text.range])) }
    scratch.removeAll(keepingCapacity: true)
    guard scanner.decode(text, into: &scratch) else {
      throw VocabularyError(reason: "unpaired surrogate in an escape sequence")
    }
    return try scratch.withUnsafeBufferPointer { (scratch) throws(VocabularyError) in try body(scratch) }
  }
}
