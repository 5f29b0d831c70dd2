import JSON

/// The characters of JSON strings, lent without a copy where they stand in the text without escapes.
struct SpellingReader {
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
