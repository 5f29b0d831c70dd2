import JSON

// What text belongs to some ids: to notice a text that no longer belongs to ids which were edited.

extension ByteLevelTokenizer {
  /// The text of the ids without special tokens and without an incomplete character at the end; nil if it is not UTF-8.
  public func text(of ids: [Int]) -> [UInt8]? {
    var text = ids.flatMap { isSpecial($0) ? [] : bytes(of: $0).map(Array.init) ?? [] }
    text.removeLast(text.withUnsafeBufferPointer { incompleteUTF8Suffix($0) })
    return text.withUnsafeBufferPointer { isUTF8($0) } ? text : nil
  }

  /// Whether the text is one that the ids can come from: with special tokens spelled out in it or left out, with or
  /// without the space of `--add-prefix-space`, before or after normalization, and without an incomplete character at the
  /// end.
  public func isText(_ text: [UInt8], of ids: [Int]) -> Bool {
    if spells(ids, text) { return true }
    guard settings.normalizesNFC else { return false }
    var form = NFC()
    let composed = text.withUnsafeBufferPointer { form.compose($0, 0..<$0.count)?.bytes }
    return composed.map { spells(ids, $0) } ?? false
  }

  private func spells(_ ids: [Int], _ text: [UInt8]) -> Bool {
    var ends: Set = [0]  // where in the text the ids so far can end; special tokens make several
    for (index, id) in ids.enumerated() {
      let token = bytes(of: id).map(Array.init) ?? []
      var next: Set<Int> = isSpecial(id) ? ends : []
      for end in ends {
        if text[end...].starts(with: token) { next.insert(end + token.count) }
        if end == 0, token.first == UInt8(ascii: " "), text.starts(with: token.dropFirst()) {
          next.insert(token.count - 1)
        }
      }
      guard !next.isEmpty else { return ends.contains { isIncomplete(ids[index...], after: text[$0...]) } }
      ends = next
    }
    return ends.contains(text.count)
  }

  /// Whether the ids stand for `rest` and after it for the beginning of one character.
  private func isIncomplete(_ ids: ArraySlice<Int>, after rest: ArraySlice<UInt8>) -> Bool {
    guard ids.count <= 4 else { return false }  // each of them has a byte of the character at least
    let bytes = ids.flatMap { self.bytes(of: $0).map(Array.init) ?? [] }
    guard bytes.starts(with: rest) else { return false }
    let tail = Array(bytes.dropFirst(rest.count))
    return tail.withUnsafeBufferPointer { incompleteUTF8Suffix($0) } == tail.count
  }
}
