import Foundation
import Platform
import Testing
import Tokenizer

/// Pre-tokenizers of tokenizer.json, on a vocabulary of single bytes: the ids are the bytes, so the test looks at where
/// tokens are joined. Expected values are those of `tokenizers` 0.23.3 (`pre_tokenize_str`).
@Suite struct PreTokenizationTests {
  /// All names in `GGUFPreTokenizer` have patterns that compile.
  @Test func everyNameOfGGUFHasAPreTokenizer() {
    for name in GGUFPreTokenizer.names { #expect(GGUFPreTokenizer(name) != nil, "\(name)") }
    #expect(GGUFPreTokenizer("afmoe") == nil)
  }
}
