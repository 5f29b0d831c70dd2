/// The normalization of SentencePiece (`sentencepiece`, normalizer.cc): a character map, the removal of extra spaces, a
/// space before the text, and `▁` in place of spaces.
package struct SentencePieceNormalizer: Sendable {
  var map: CharacterMap?
  /// Pieces that the user defined; the map does not change them.
  var userDefined: PieceTrie?
  /// Adds a space before the text (after it if `treatsWhitespaceAsSuffix`).
  var addsDummyPrefix = true
  /// Removes spaces at both ends, and all but one of adjacent spaces.
  var removesExtraWhitespace = true
  /// Replaces each space by U+2581.
  var escapesWhitespace = true
  var treatsWhitespaceAsSuffix = false

  /// Returns the normalized text. A byte that is not part of well-formed UTF-8 is kept, so that the byte fallback can
  /// encode it. (The reference replaces it by U+FFFD.)
  package func normalize(_ text: UnsafeBufferPointer<UInt8>, recordsChanges: Bool = false) -> NormalizedText {
    var rewriter = TextRewriter(text, 0..<text.count, recordsChanges: recordsChanges)
    normalize(&rewriter)
    return rewriter.result()
  }

  func normalize(_ rewriter: inout TextRewriter) {
    let (text, range) = (rewriter.text, rewriter.range)
    let limit = range.upperBound
    let space = UInt8(ascii: " ")
    let mark = escapesWhitespace ? SafeSplitting.mark : [space]
    var index = range.lowerBound
    if removesExtraWhitespace {
      while index < limit {
        let (length, replacement) = prefix(of: text, at: index, limit)
        guard replacement.map({ $0.elementsEqual([space]) }) ?? (length == 1 && text[index] == space) else { break }
        index += length
      }
      if index > range.lowerBound { rewriter.replace(range.lowerBound..<index, with: EmptyCollection()) }
    }
    guard index < limit else { return }
    if addsDummyPrefix, !treatsWhitespaceAsSuffix { rewriter.replace(index..<index, with: mark) }
    var isAfterSpace = removesExtraWhitespace
    let isPlainSpace = userDefined == nil && map?.isUnaffected(space) ?? true
    while index < limit {
      let byte = text[index]
      if byte == space, isPlainSpace {
        rewriter.replace(index..<index + 1, with: isAfterSpace ? [] : mark)
        isAfterSpace = removesExtraWhitespace
        index += 1
        continue
      }
      if byte != space, byte < 0x80, userDefined == nil, map?.isUnaffected(byte) ?? true {  // most characters
        isAfterSpace = false
        index += 1
        continue
      }
      let (length, replacement) = prefix(of: text, at: index, limit)
      let old = index..<index + length
      index += length
      if replacement == nil, !(length == 1 && byte == space), !text[old].contains(space) {
        isAfterSpace = false
        continue
      }
      var characters = replacement ?? ArraySlice(text[old])
      if isAfterSpace { characters = characters.drop { $0 == space } }
      let new = escapesWhitespace ? characters.flatMap { $0 == space ? mark : [$0] } : Array(characters)
      rewriter.replace(old, with: new)
      if let last = characters.last { isAfterSpace = removesExtraWhitespace && last == space }
    }
    if removesExtraWhitespace { rewriter.finish(removing: mark) }
    if addsDummyPrefix, treatsWhitespaceAsSuffix { rewriter.replace(limit..<limit, with: mark) }
  }

  /// Returns the length of what the normalizer replaces at `index`, and its replacement; nil if it is kept.
  private func prefix(
    of text: UnsafeBufferPointer<UInt8>, at index: Int, _ limit: Int
  ) -> (length: Int, replacement: ArraySlice<UInt8>?) {
    if let piece = userDefined?.longestPiece(in: UnsafeBufferPointer(rebasing: text[..<limit]), from: index) {
      return (piece.length, nil)
    }
    if let map, let match = map.match(in: text, index..<limit, isLongest: true) {
      return (match.length, map.replacement(of: match))
    }
    return (decodeScalar(in: text, at: index, limit: limit).length, nil)
  }
}
