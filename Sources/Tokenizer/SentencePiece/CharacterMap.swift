import JSON

/// A table of character sequences and their replacements, such as the rules of NFKC: the `precompiled_charsmap` of
/// tokenizer.model, which is also the normalizer `Precompiled` of tokenizer.json.
///
/// The table is a double array (Aoe, IEEE Transactions on Software Engineering 15, 1989), as the library Darts-clone
/// stores it: four bytes with the size of the array, an array of 32-bit units, and the replacements, each of which ends
/// with a zero byte. All numbers are little-endian. A unit contains the offset to its children, the byte that leads to
/// it, and whether a sequence ends there; the index of the replacement is in another unit.
package struct CharacterMap: Sendable {
  /// The whole table.
  let table: [UInt8]
  private let units: [UInt32]
  private let replacements: [UInt8]
  /// True for a byte with which some sequence begins.
  private let isFirstByte: [Bool]

  /// In bytes. Longer sequences are not found, which bounds the time if the table is not a tree. The sequences of the
  /// rules that come with SentencePiece have at most 40 bytes.
  private static let longestSequence = 256

  package init(_ table: [UInt8]) throws(VocabularyError) {
    func number(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(table[index + $1]) << UInt32(8 * $1) }
    }
    guard table.count > 4 else {
      throw VocabularyError(reason: "the character map has \(table.count) bytes; it has a header of 4 bytes")
    }
    let size = Int(number(0))
    guard size < table.count - 4 else {
      throw VocabularyError(
        reason: "the array of the character map has \(size) bytes, but only \(table.count - 4) follow its size")
    }
    guard size % 4 == 0, size > 0 else {
      throw VocabularyError(reason: "the array of the character map has \(size) bytes, which is not a multiple of 4")
    }
    self.table = table
    units = (0..<size / 4).map { number(4 + 4 * $0) }
    replacements = Array(table[(4 + size)...])
    let units = units
    isFirstByte = (0..<256).map { byte in
      byte > 0 && Self.child(of: Self.offset(units[0]), UInt8(byte), units) != nil
    }
  }

  /// The length of the longest replacement, an upper bound of the bytes per byte of a text that it makes.
  var growth: Int {
    max(1, replacements.split(separator: 0, omittingEmptySubsequences: true).map(\.count).max() ?? 1)
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

  /// Returns the unit that a byte leads to from a node, or nil if there is none.
  @inline(__always)
  private static func child(of node: Int, _ byte: UInt8, _ units: [UInt32]) -> Int? {
    let index = node ^ Int(byte)
    // The uppermost bit is set in a unit that contains a value
    return index < units.count && units[index] & 0x8000_00FF == UInt32(byte) ? index : nil
  }

  /// Returns true if no sequence begins with this byte.
  @inline(__always)
  func isUnaffected(_ byte: UInt8) -> Bool { !isFirstByte[Int(byte)] }

  /// A sequence at the start of a text: its length, and the range of its replacement in the table.
  struct Match {
    let length: Int
    fileprivate let replacement: Range<Int>
  }

  /// Returns the shortest or the longest sequence with which `text[range]` begins, or nil if there is none.
  func match(
    in text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, isLongest: Bool
  ) -> Match? {
    var node = Self.offset(units[0])
    var found: (length: Int, value: Int)?
    for index in range.prefix(Self.longestSequence) {
      guard text[index] > 0, let child = Self.child(of: node, text[index], units) else { break }
      node = child ^ Self.offset(units[child])
      guard units[child] >> 8 & 1 == 1, node < units.count else { continue }
      found = (index + 1 - range.lowerBound, Int(units[node] & 0x7FFF_FFFF))
      if !isLongest { break }
    }
    guard let (length, value) = found, value < replacements.count else { return nil }
    let end = replacements[value...].firstIndex(of: 0) ?? replacements.count
    return Match(length: length, replacement: value..<end)
  }

  func replacement(of match: Match) -> ArraySlice<UInt8> { replacements[match.replacement] }

  // MARK: - Normalizing as tokenizers does

  /// Returns `text[range]` after the normalizer `Precompiled` of `tokenizers`, or nil if nothing changes.
  ///
  /// A grapheme of fewer than six bytes that begins with a sequence is replaced as a whole, by the replacement of the
  /// shortest sequence; the characters of other graphemes are replaced one by one, by the same rule. (SentencePiece
  /// itself replaces the longest sequence, without regard to graphemes: see `SentencePieceNormalizer`.) Bytes that are
  /// not UTF-8 are kept.
  package func normalizeGraphemes(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, recordsChanges: Bool = false
  ) -> NormalizedText? {
    var rewriter = TextRewriter(text, range, recordsChanges: recordsChanges)
    normalizeGraphemes(&rewriter)
    return rewriter.finish()
  }

  func normalizeGraphemes(_ rewriter: inout TextRewriter) {
    let (text, range) = (rewriter.text, rewriter.range)

    func replace(_ part: Range<Int>, _ rewriter: inout TextRewriter) -> Bool {
      guard isFirstByte[Int(text[part.lowerBound])], let match = match(in: text, part, isLongest: false) else {
        return false
      }
      rewriter.replace(part, with: replacement(of: match))
      return true
    }

    var start = range.lowerBound
    while start < range.upperBound {
      let end = Self.graphemeEnd(in: text, from: start, to: range.upperBound)
      if end - start >= 6 || !replace(start..<end, &rewriter) {
        var index = start
        while index < end {
          let length = decodeScalar(in: text, at: index, limit: end).length
          if length < end - start || end - start >= 6 { _ = replace(index..<index + length, &rewriter) }
          index += length
        }
      }
      start = end
    }
  }

  /// Returns the end of the extended grapheme cluster (Unicode Standard Annex #29) that begins at `start`.
  private static func graphemeEnd(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Int {
    if text[start] < 0x80, start + 1 == limit || text[start + 1] < 0x80 {
      let isPair = text[start] == 0x0D && start + 1 < limit && text[start + 1] == 0x0A
      return start + (isPair ? 2 : 1)
    }
    var recognizer = Unicode._CharacterRecognizer()
    var index = start
    while index < limit {
      let (value, length) = decodeScalar(in: text, at: index, limit: limit)
      guard let value, let scalar = Unicode.Scalar(value) else { return index > start ? index : start + 1 }
      if recognizer.hasBreak(before: scalar), index > start { return index }
      index += length
    }
    return limit
  }
}
