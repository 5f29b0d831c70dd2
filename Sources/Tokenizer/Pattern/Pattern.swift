/// A compiled regular expression, which can be shared by threads. A `PatternMatcher` searches a text for it.
///
/// Supported: literals and escapes, classes with ranges, nesting and `&&`, `\p{…}` with general categories and scripts,
/// POSIX brackets, groups, `(?i)` with simple case folding, greedy, lazy and possessive repetitions, look-ahead,
/// lookbehind of fixed length, atomic groups, `^ $ \A \z \Z \b \B \G`, `\R`, and `\1` directly after a group of one
/// scalar. The Unicode version is that of `UnicodeProperties`. Any other construct is an error that names it.
package struct Pattern: Sendable {
  let program: PatternProgram
  let source: String
  let dialect: PatternDialect

  /// - Throws: `PatternError` with the place in `source` and the construct.
  package init(_ source: String, dialect: PatternDialect = .oniguruma) throws(PatternError) {
    (self.source, self.dialect) = (source, dialect)
    program = try PatternProgram(try PatternParser.parse(source, dialect), dialect)
  }

  /// Returns the first match that begins at or after `start`.
  package func firstMatch(
    in text: UnsafeBufferPointer<UInt8>, from start: Int = 0
  ) throws(PatternError) -> Range<Int>? {
    let matcher = PatternMatcher(self)
    matcher.reset(text, from: start)
    return try matcher.next()
  }
}
