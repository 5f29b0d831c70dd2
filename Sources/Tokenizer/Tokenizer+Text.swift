import JSON

// Compares text with token ids, to detect a `text` that no longer matches edited `ids`.

extension Tokenizer {
  /// Returns the text of the ids without special tokens and without an incomplete UTF-8 sequence at the end, or nil if
  /// it is not UTF-8.
  public func text(of ids: [Int]) -> [UInt8]? {
    var text = decode(ids, omitsSpecial: true)
    text.removeLast(incompleteUTF8Suffix(text.span))
    return isUTF8(text.span) ? text : nil
  }

  /// Returns true if `ids` can be an encoding of `text`: with special tokens spelled out or left out, with or without
  /// the space of `--add-prefix-space`, before or after normalization, and without an incomplete UTF-8 sequence at the
  /// end. The unknown token stands for any text.
  public func isText(_ text: [UInt8], of ids: [Int]) -> Bool {
    if spells(ids, text) { return true }
    guard !settings.normalizers.isEmpty else { return false }
    var normalizer = TextNormalizer(settings.normalizers)
    var normalized = normalizer.normalize(text)
    if tokens is DecodedTokens {
      var spaces = TextNormalizer([.replace(LiteralSearch(SafeSplitting.mark), content: [UInt8(ascii: " ")])])
      normalized = spaces.normalize(normalized)
    }
    return normalized != text && spells(ids, normalized)
  }

  private func spells(_ ids: [Int], _ text: [UInt8]) -> Bool {
    var ends: Set = [0]  // offsets where the ids so far can end: several, because special tokens may be left out
    var firstEnd: Int?  // after an unknown token: the first of the offsets where the ids so far can end
    var work = 16 * (text.count + ids.count + 65_536)  // a limit for unknown tokens and repetitive texts
    for (index, id) in ids.enumerated() {
      guard id != unknownID else {
        firstEnd = firstEnd ?? ends.min()
        ends = []
        continue
      }
      let token = bytes(of: id).map(Array.init) ?? []
      var next: Set<Int> = isSpecial(id) ? ends : []
      func match(at end: Int) {
        if text[end...].starts(with: token) { next.insert(end + token.count) }
        if end == 0, token.first == UInt8(ascii: " "), text.starts(with: token.dropFirst()) {
          next.insert(token.count - 1)
        }
      }
      if firstEnd != nil, isSpecial(id) { continue }
      work -= firstEnd.map { text.count - $0 } ?? ends.count
      guard work > 0 else { return false }
      if let first = firstEnd {
        for end in first...text.count { match(at: end) }
        firstEnd = nil
      } else {
        for end in ends { match(at: end) }
      }
      guard !next.isEmpty else { return ends.contains { isIncomplete(ids[index...], after: text[$0...]) } }
      ends = next
    }
    return firstEnd != nil || ends.contains(text.count)
  }

  /// Returns true if the bytes of `ids` are `rest` followed by the beginning of one UTF-8 sequence.
  private func isIncomplete(_ ids: ArraySlice<Int>, after rest: ArraySlice<UInt8>) -> Bool {
    guard ids.count <= 4 else { return false }  // each has at least one byte of the sequence
    let bytes = ids.flatMap { self.bytes(of: $0).map(Array.init) ?? [] }
    guard bytes.starts(with: rest) else { return false }
    let tail = Array(bytes.dropFirst(rest.count))
    return incompleteUTF8Suffix(tail.span) == tail.count
  }
}
