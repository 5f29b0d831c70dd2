/// A text after a change of its characters, with the changes, so that offsets can be mapped to the original text.
package struct NormalizedText {
  package private(set) var bytes: [UInt8] = []
  /// In ascending order. Empty unless they are recorded.
  private(set) var changes: [NFC.Normalized.Change] = []
  private let recordsChanges: Bool

  init(recordsChanges: Bool) { self.recordsChanges = recordsChanges }

  mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }

  /// Appends bytes of the original text.
  @inline(__always)
  mutating func append(unchanged bytes: Slice<UnsafeBufferPointer<UInt8>>) { self.bytes.append(contentsOf: bytes) }

  @inline(__always)
  mutating func append(unchanged byte: UInt8) { bytes.append(byte) }

  /// Appends bytes that replace the range `old` of the original text.
  @inline(__always)
  mutating func append(_ new: some Collection<UInt8>, for old: Range<Int>) {
    let start = bytes.count
    bytes.append(contentsOf: new)
    if recordsChanges { changes.append(NFC.Normalized.Change(old: old, new: start..<bytes.count)) }
  }

  /// Removes the last `amount` bytes, which are then no part of any change. The end of the text maps to the start of
  /// the part of the original text that was removed.
  mutating func removeLast(_ amount: Int) {
    bytes.removeLast(amount)
    while let last = changes.last, last.new.upperBound > bytes.count {
      changes.removeLast()
      guard last.new.lowerBound < bytes.count else { continue }
      // A part of the last change is left
      changes.append(
        NFC.Normalized.Change(old: last.old.lowerBound..<last.old.lowerBound, new: last.new.lowerBound..<bytes.count))
      break
    }
  }

  /// Replaces the ends of tokens from index `first` on, which are offsets in `bytes`, by offsets in the original text,
  /// which begins at `start` of its buffer.
  package func mapEnds(of tokens: TokenBuffer, from first: Int, start: Int = 0) {
    var offsets = makeOffsets(start: start)
    tokens.changeEnds(from: first) { offsets.offset(of: $0) }
  }

  /// Returns a function that maps ascending offsets in `bytes` to offsets in the original text, which begins at `start`
  /// of its buffer.
  func makeOffsets(start: Int = 0) -> NFC.Offsets { NFC.Offsets(changes: changes, start: start) }
}
