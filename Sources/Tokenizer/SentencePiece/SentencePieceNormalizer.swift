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
    var result = NormalizedText(recordsChanges: recordsChanges)
    let space = UInt8(ascii: " ")
    let mark = escapesWhitespace ? SafeSplitting.mark : [space]
    var index = 0
    if removesExtraWhitespace {
      while index < text.count {
        let (length, replacement) = prefix(of: text, at: index)
        guard replacement.map({ $0.elementsEqual([space]) }) ?? (length == 1 && text[index] == space) else { break }
        index += length
      }
      if index > 0 { result.append([], for: 0..<index) }
    }
    guard index < text.count else { return NormalizedText(recordsChanges: recordsChanges) }
    result.reserveCapacity(text.count + text.count / 2)
    if addsDummyPrefix, !treatsWhitespaceAsSuffix { result.append(mark, for: index..<index) }
    var isAfterSpace = removesExtraWhitespace
    let isPlainSpace = userDefined == nil && map?.isUnaffected(space) ?? true
    while index < text.count {
      let byte = text[index]
      if byte == space, isPlainSpace {
        result.append(isAfterSpace ? [] : mark, for: index..<index + 1)
        isAfterSpace = removesExtraWhitespace
        index += 1
        continue
      }
      if byte != space, byte < 0x80, userDefined == nil, map?.isUnaffected(byte) ?? true {  // most characters
        result.append(unchanged: byte)
        isAfterSpace = false
        index += 1
        continue
      }
      let (length, replacement) = prefix(of: text, at: index)
      let old = index..<index + length
      index += length
      if replacement == nil, !(length == 1 && byte == space), !text[old].contains(space) {
        result.append(unchanged: text[old])
        isAfterSpace = false
        continue
      }
      var characters = replacement ?? ArraySlice(text[old])
      if isAfterSpace { characters = characters.drop { $0 == space } }
      let new = escapesWhitespace ? characters.flatMap { $0 == space ? mark : [$0] } : Array(characters)
      result.append(new, for: old)
      if let last = characters.last { isAfterSpace = removesExtraWhitespace && last == space }
    }
    if removesExtraWhitespace {
      while result.bytes.suffix(mark.count).elementsEqual(mark) { result.removeLast(mark.count) }
    }
    if addsDummyPrefix, treatsWhitespaceAsSuffix { result.append(mark, for: index..<index) }
    return result
  }

  /// Returns the length of what the normalizer replaces at `index`, and its replacement; nil if it is kept.
  private func prefix(
    of text: UnsafeBufferPointer<UInt8>, at index: Int
  ) -> (length: Int, replacement: ArraySlice<UInt8>?) {
    if let piece = userDefined?.longestPiece(in: text, from: index) { return (piece.length, nil) }
    if let map, let match = map.match(in: text, index..<text.count, isLongest: true) {
      return (match.length, map.replacement(of: match))
    }
    return (decodeScalar(in: text, at: index, limit: text.count).length, nil)
  }
}
