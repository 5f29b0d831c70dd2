import Platform
import Tokenizer

extension FuzzTarget {
  /// A pattern and a text, separated by a NUL byte: the matches are in order and inside of the text, and a pattern that
  /// is too slow is an error in a short time.
  static let pattern = FuzzTarget("pattern", longestInput: 300) { input in
    let separator = input.firstIndex(of: 0) ?? input.count
    let source = String(decoding: input[..<separator], as: UTF8.self)
    let text = UnsafeBufferPointer(rebasing: input[min(separator + 1, input.count)...])
    for dialect in [PatternDialect.oniguruma, .fancyRegex] {
      let start = processorSeconds()
      do {
        let matcher = PatternMatcher(try Pattern(source, dialect: dialect))
        matcher.reset(text)
        var end = 0
        var count = 0
        while let range = try matcher.next() {
          try expect(range.lowerBound >= end && range.upperBound <= text.count, "a match at \(range) after \(end)")
          end = range.upperBound
          count += 1
          try expect(count <= text.count + 1, "\(count) matches in \(text.count) bytes")
        }
      } catch let error as PatternError {
        try expect(error.offset <= max(source.utf8.count, text.count), "an error at \(error.offset)")
      }
      let seconds = processorSeconds() - start
      try expect(seconds < 2, "\(seconds) seconds")
    }
  }
}
