/// A text after normalization.
package struct NormalizedText {
  /// The range of some bytes of the text, and the range of the bytes that replace them.
  struct Change {
    let old: Range<Int>
    let new: Range<Int>
  }

  package fileprivate(set) var bytes: [UInt8] = []
  /// The changes of each normalizer, in the order in which the normalizers were applied. Empty unless changes are
  /// recorded.
  fileprivate(set) var changes: [[Change]] = []

  /// Maps offsets in a normalized text, in ascending order, to offsets in the original text. Bytes within a change
  /// cannot be assigned to original bytes: all of them map to the start of the changed range. An offset at which text
  /// was removed maps to the end of the removed text.
  struct Offsets {
    private var steps: [Step]
    private let start: Int

    /// - Parameter start: Added to the results: the offset of the original text in its buffer.
    init(_ normalized: NormalizedText, start: Int) {
      steps = normalized.changes.reversed().map { Step(changes: $0) }
      self.start = start
    }

    mutating func offset(of position: Int) -> Int {
      var position = position
      for index in steps.indices { position = steps[index].offset(of: position) }
      return position + start
    }

    /// The changes of one normalizer.
    private struct Step {
      let changes: [Change]
      var next = 0
      var shift = 0

      mutating func offset(of position: Int) -> Int {
        while next < changes.count, changes[next].new.upperBound <= position {
          shift += changes[next].old.count - changes[next].new.count
          next += 1
        }
        guard next < changes.count, changes[next].new.contains(position) else { return position + shift }
        return changes[next].new.lowerBound + shift
      }
    }
  }

  /// Replaces the ends of tokens from index `first` on, which are offsets in `bytes`, by offsets in the original text,
  /// which begins at `start` of its buffer.
  package func mapEnds(of tokens: TokenBuffer, from first: Int, start: Int = 0) {
    guard tokens.recordsEnds else { return }
    var offsets = Offsets(self, start: start)
    tokens.changeEnds(from: first) { offsets.offset(of: $0) }
  }

  /// Adds what the next normalizer has made of this text.
  mutating func append(_ next: NormalizedText) {
    bytes = next.bytes
    changes += next.changes
  }
}

/// Builds the result of one normalizer: the text with some ranges replaced.
struct TextRewriter {
  let text: UnsafeBufferPointer<UInt8>
  let range: Range<Int>
  private let recordsChanges: Bool
  private var bytes: [UInt8] = []
  private var changes: [NormalizedText.Change] = []
  /// The end of the part of `range` that has been copied or replaced.
  private var copied: Int
  private var isChanged = false

  /// - Parameter recordsChanges: Records the changes that `NormalizedText.Offsets` needs. They may take many times the
  ///   memory of the text.
  init(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, recordsChanges: Bool) {
    self.text = text
    self.range = range
    self.recordsChanges = recordsChanges
    copied = range.lowerBound
  }

  /// Replaces a range, which must be after the ranges that have been replaced before. A replacement of the same length
  /// is recorded only if `keepsOffsets` is false: otherwise, offsets within it are kept.
  mutating func replace(_ old: Range<Int>, with new: some Collection<UInt8>, keepsOffsets: Bool = false) {
    if !isChanged { bytes.reserveCapacity(range.count + 16) }
    isChanged = true
    bytes.append(contentsOf: text[copied..<old.lowerBound])
    copied = old.upperBound
    let start = bytes.count
    bytes.append(contentsOf: new)
    guard recordsChanges, !keepsOffsets || old.count != bytes.count - start else { return }
    changes.append(
      NormalizedText.Change(
        old: old.lowerBound - range.lowerBound..<old.upperBound - range.lowerBound, new: start..<bytes.count))
  }

  /// Replaces a scalar by another one.
  mutating func replace(_ old: Range<Int>, with scalar: UInt32) {
    guard let scalar = Unicode.Scalar(scalar), let encoded = UTF8.encode(scalar) else { return }
    replace(old, with: encoded, keepsOffsets: true)
  }

  /// Copies the rest of the text, and removes `suffix` from its end as often as it is there. The end of the text then
  /// maps to the start of the part of the original text that was removed.
  mutating func finish(removing suffix: [UInt8]) {
    bytes.append(contentsOf: text[copied..<range.upperBound])
    copied = range.upperBound
    isChanged = true
    while !suffix.isEmpty, bytes.suffix(suffix.count).elementsEqual(suffix) { bytes.removeLast(suffix.count) }
    while let last = changes.last, last.new.upperBound > bytes.count {
      changes.removeLast()
      guard last.new.lowerBound < bytes.count else { continue }
      // A part of the last change is left
      changes.append(
        NormalizedText.Change(
          old: last.old.lowerBound..<last.old.lowerBound, new: last.new.lowerBound..<bytes.count))
      break
    }
  }

  /// Returns the text, also if nothing was replaced.
  consuming func result() -> NormalizedText {
    bytes.append(contentsOf: text[copied..<range.upperBound])
    return NormalizedText(bytes: bytes, changes: recordsChanges ? [changes] : [])
  }

  /// Returns the text, or nil if nothing was replaced.
  consuming func finish() -> NormalizedText? {
    isChanged ? result() : nil
  }
}
