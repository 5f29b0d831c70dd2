import JSON
import Platform

extension Tokenizer {
  /// Opens the two files in which GPT-2 was published: vocab.json, an object of tokens and ids, and merges.txt, one
  /// merge per line after a `#version` line. These files have no settings: the class determines the rule, and the files
  /// beside them the added tokens.
  convenience init(
    vocabulary: MappedFile, merges: MappedFile, _ tokenizerClass: TokenizerClass, _ files: TokenizerFiles,
    for purpose: Purpose
  ) throws(TokenizerError) {
    var reader = VocabularyReader(size: vocabulary.bytes.count, purpose)
    let added = Set(files.addedTokens.map(\.content))
    var foreign: [[UInt8]: Int] = [:]
    do {
      var scanner = JSONScanner(vocabulary.characters)
      try reader.readTokens(&scanner) { (id, offset) throws(JSONError) in
        var spelling = JSONScanner(vocabulary.characters, position: offset - 1)  // the opening quotation mark
        let content = Array(try spelling.swiftString().utf8)
        guard added.contains(content) else {
          throw JSONError(
            offset: offset, reason: "token \(id) has characters outside the byte-level alphabet")
        }
        foreign[content] = Int(id)
      }
      try scanner.end()
    } catch {
      throw TokenizerError(.malformed, vocabulary.path, error.description)
    }
    do {
      try reader.builder.finishTokens()
    } catch {
      throw TokenizerError(.malformed, vocabulary.path, error.reason)
    }
    if purpose == .encoding { try readMerges(merges, into: &reader.builder) }

    do {
      let defaults = tokenizerClass.specialTokens.map {
        AddedTokenDefinition(content: Array($0.utf8), id: nil, isSpecial: true, isNormalized: false)
      }.filter { !reader.builder.modelTokens(matching: [$0.content]).isEmpty }
      let (added, warnings) = try reader.builder.define(defaults + files.addedTokens, foreign: foreign)
      let tables = reader.builder.build()
      var settings = tokenizerClass.settings(addsPrefixSpace: files.addsPrefixSpace ?? false)
      settings.warnings = warnings
      try self.init(
        .byteLevel(tables, ignoresMerges: false), tables, added, files.applied(to: settings, of: tables, added), purpose
      )
    } catch {
      throw TokenizerError(.malformed, vocabulary.path, error.reason)
    }
    withExtendedLifetime(vocabulary) {}
  }
}

private func readMerges(_ file: MappedFile, into builder: inout VocabularyBuilder) throws(TokenizerError) {
  var rest = file.characters[...]
  if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }  // a byte-order mark
  var number = 0
  while !rest.isEmpty {
    if let end = expectedMergeEnd(rest, into: &builder) {
      rest = rest[end...]
      number += 1
      continue
    }
    let feed = position(of: UInt8(ascii: "\n"), in: rest) ?? rest.endIndex
    let end = feed > rest.startIndex && rest[feed - 1] == UInt8(ascii: "\r") ? feed - 1 : feed
    let line = UnsafeBufferPointer(rebasing: rest[rest.startIndex..<end])
    rest = rest[min(feed + 1, rest.endIndex)...]
    number += 1
    if line.isEmpty { continue }
    if line.first == UInt8(ascii: "#"), line.starts(with: "#version".utf8) { continue }
    guard let space = position(of: UInt8(ascii: " "), in: line[...]) else {
      throw TokenizerError(
        .malformed, file.path, "line \(number): no space; a merge is two tokens with a space between them")
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

/// Adds the merge on the first line of `text` if it is the expected merge, and returns the start of the next line;
/// otherwise returns nil.
@inline(__always)
private func expectedMergeEnd(
  _ text: Slice<UnsafeBufferPointer<UInt8>>, into builder: inout VocabularyBuilder
) -> Int? {
  guard text.count >= 2 * (ExpectedMerge.padding + 1), text.first != UInt8(ascii: "#"),  // possibly the `#version` line
    let base = text.base.baseAddress, var merge = builder.expectedMerge
  else { return nil }
  let start = UnsafeRawPointer(base + text.startIndex)
  guard let left = merge.leftHalf(start, before: UInt8(ascii: " "), isJSON: false),
    let right = merge.rightHalf(start + left + 1, before: UInt8(ascii: "\n"))
  else { return nil }
  builder.add(merge)
  return text.startIndex + left + right + 2
}

private func position(of byte: UInt8, in text: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
  let bytes = UnsafeBufferPointer(rebasing: text)
  guard let base = bytes.baseAddress, let found = memchr(base, Int32(byte), bytes.count) else { return nil }
  return text.startIndex + (UnsafeRawPointer(found) - UnsafeRawPointer(base))
}
