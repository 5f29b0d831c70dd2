import JSON
import Platform

extension ByteLevelTokenizer {
  /// Opens the two files in which GPT-2 was published: vocab.json, an object of tokens and ids, and merges.txt, a merge
  /// on each line after a `#version` line. They say nothing about splitting or special tokens: the rule is GPT-2's, and
  /// `<|endoftext|>`, where there is one, is special.
  convenience init(vocabulary: MappedFile, merges: MappedFile) throws(TokenizerError) {
    var builder = VocabularyBuilder(size: vocabulary.bytes.count)
    do {
      try readVocabulary(vocabulary.characters, into: &builder)
    } catch {
      throw TokenizerError(.malformed, vocabulary.path, error.description)
    }
    do {
      try builder.indexTokens()
    } catch {
      throw TokenizerError(.malformed, vocabulary.path, error.reason)
    }
    try readMerges(merges, into: &builder)

    let tables = builder.build()
    let id = AddedTokens.endOfText.withUnsafeBufferPointer { text in
      text.baseAddress.map { tables.id(of: $0, count: text.count) } ?? -1
    }
    let special =
      id < 0
      ? [] : [AddedTokens.Token(content: AddedTokens.endOfText, id: Int(id), isSpecial: true, isNormalized: false)]
    self.init(tables, AddedTokens(special), Settings())
    withExtendedLifetime(vocabulary) {}
  }
}

private func readVocabulary(
  _ text: UnsafeBufferPointer<UInt8>, into builder: inout VocabularyBuilder
) throws(JSONError) {
  var scanner = JSONScanner(text)
  var spellings = SpellingReader()
  try scanner.object { (name, scanner) throws(JSONError) in
    let id = try scanner.integer()
    let isSpelled = try spellings.with(name, scanner) { (spelling) throws(VocabularyError) in
      try builder.define(id, spelling: spelling)
    }
    guard isSpelled else {
      throw scanner.failure("the token with id \(id) has characters outside the byte-level alphabet", at: name.range.lowerBound)
    }
  }
  try scanner.end()
}

private func readMerges(_ file: MappedFile, into builder: inout VocabularyBuilder) throws(TokenizerError) {
  let text = file.characters
  var start = 0
  var number = 0
  while start < text.count {
    let feed = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
    let end = feed > start && text[feed - 1] == UInt8(ascii: "\r") ? feed - 1 : feed
    let line = UnsafeBufferPointer(rebasing: text[start..<end])
    start = feed + 1
    number += 1
    if line.starts(with: "#version".utf8) { continue }
    guard let space = line.firstIndex(of: UInt8(ascii: " ")) else {
      throw TokenizerError(.malformed, file.path, "line \(number) is not a merge, two tokens with a space between them")
    }
    do {
      try builder.addMerge(
        UnsafeBufferPointer(rebasing: line[..<space]), UnsafeBufferPointer(rebasing: line[(space + 1)...]))
    } catch {
      throw TokenizerError(.malformed, file.path, "line \(number): \(error.reason)")
    }
  }
  withExtendedLifetime(file) {}
}
