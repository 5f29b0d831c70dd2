/// Normalization to Unicode's Normalization Form C (UAX #15). Most text is in NFC already, so the fast path only
/// verifies that it is; text is copied only if it changes. Bytes that are not UTF-8 are kept, and nothing is composed
/// across them.
///
/// The standard library has no public normalizer without Foundation, and the tables must be those of the `tokenizers`
/// library, which follows a different version of Unicode.
struct NFC {
  /// How a scalar affects normalization. The raw values are the values in the table of `UnicodeComposition`.
  enum Kind: UInt8 {
    /// A starter that never changes and never composes with the scalars before it.
    case stable
    /// A mark that may be reordered with another mark.
    case mark
    /// Not in NFC, or may be composed with the scalars before it.
    case unstable

    @inline(__always)
    init(_ scalar: UInt32) {
      guard scalar < UnicodeComposition.limit else {
        self = .stable
        return
      }
      let block = Int(UnicodeComposition.blockOf[Int(scalar >> 7)])
      let word = UnicodeComposition.kinds[block << 2 | Int(scalar >> 5 & 3)]
      self = Kind(rawValue: UInt8(truncatingIfNeeded: word >> UInt64(2 * (scalar & 31))) & 3) ?? .stable
    }
  }

  /// A text after normalization.
  struct Normalized {
    fileprivate(set) var bytes: [UInt8] = []
    /// Empty unless `recordsChanges` was true.
    fileprivate(set) var changes: [Change] = []

    /// The range of some scalars of the text, and the range of the bytes that replace them.
    struct Change {
      let old: Range<Int>
      let new: Range<Int>
    }
  }

  /// Maps offsets in a normalized text, in ascending order, to offsets in the original text. Bytes within a change
  /// cannot be assigned to original bytes: all of them map to the start of the changed range.
  struct Offsets {
    private let changes: [Normalized.Change]
    private var next = 0
    private var shift: Int

    /// - Parameter start: Added to the results: the offset of the original text in its buffer.
    init(_ normalized: Normalized, start: Int) {
      changes = normalized.changes
      shift = start
    }

    mutating func offset(of position: Int) -> Int {
      while next < changes.count, changes[next].new.upperBound <= position {
        shift += changes[next].old.count - changes[next].new.count
        next += 1
      }
      guard next < changes.count, changes[next].new.contains(position) else { return position + shift }
      return changes[next].new.lowerBound + shift
    }
  }

  /// The decomposed scalars of a range of text. A word has the scalar in its lower 21 bits, its index above, and the
  /// canonical combining class in the upper eight bits, so that sorting the words puts marks in canonical order.
  private var parts: [UInt64] = []
  /// The capacity of `parts` that is kept for the next call.
  private static let maxPartsKept = 1 << 12

  /// Returns `text[range]` in NFC, or nil if it is in NFC already.
  ///
  /// - Parameter recordsChanges: Records the changes that `Offsets` needs. They may take many times the memory of the
  ///   text.
  mutating func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, recordsChanges: Bool = false
  ) -> Normalized? {
    var result = Normalized()
    var isChanged = false
    defer { if parts.capacity > Self.maxPartsKept { parts = [] } }
    var copied = range.lowerBound
    var position = copied
    while let run = Self.nextRun(in: text, from: position, to: range.upperBound) {
      position = run.end
      if run.isSingleMark { continue }
      let start = Self.start(ofScalarBefore: run.start, in: text, from: copied)
      result.bytes.append(contentsOf: text[copied..<start])
      copied = run.end
      let newStart = result.bytes.count
      normalize(text, start..<run.end, into: &result.bytes)
      if result.bytes[newStart...].elementsEqual(text[start..<run.end]) { continue }
      isChanged = true
      guard recordsChanges else { continue }
      result.changes.append(
        Normalized.Change(
          old: start - range.lowerBound..<run.end - range.lowerBound, new: newStart..<result.bytes.count))
    }
    guard isChanged else { return nil }
    result.bytes.append(contentsOf: text[copied..<range.upperBound])
    return result
  }

  // MARK: - Finding ranges that may change

  /// A run of scalars that are not stable.
  private struct Run {
    let start: Int
    var end: Int
    var isSingleMark: Bool
  }

  /// Returns the first run that begins at `start` or later.
  private static func nextRun(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Run? {
    var index = start
    while index < limit {
      switch text[index] {
      // Lead bytes of scalars below U+0300 or from U+4000 to U+9FFF, which are stable, and continuation bytes
      case ..<0xCC, 0xE4...0xE9: index &+= 1
      default:
        let (kind, length) = kindOfScalar(in: text, at: index, limit: limit)
        if kind != .stable { return run(in: text, from: index, to: limit) }
        index &+= length
      }
    }
    return nil
  }

  private static func run(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Run {
    var run = Run(start: start, end: start, isSingleMark: false)
    while run.end < limit {
      let (kind, length) = kindOfScalar(in: text, at: run.end, limit: limit)
      if kind == .stable { break }
      run.isSingleMark = run.end == start && kind == .mark
      run.end += length
    }
    return run
  }

  private static func kindOfScalar(
    in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int
  ) -> (kind: Kind, length: Int) {
    let (value, length) = decodeScalar(in: text, at: index, limit: limit)
    return (value.map(Kind.init) ?? .stable, length)
  }

  /// Returns the start of the scalar that ends at `end`, or `end` if no scalar begins at or after `limit`.
  private static func start(
    ofScalarBefore end: Int, in text: UnsafeBufferPointer<UInt8>, from limit: Int
  ) -> Int {
    var start = end - 1
    while start > limit, end - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    guard start >= limit else { return end }
    let (value, length) = decodeScalar(in: text, at: start, limit: end)
    return value != nil && start + length == end ? start : end
  }

  // MARK: - Normalizing

  /// Appends the NFC form of a range of the text.
  private mutating func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into bytes: inout [UInt8]
  ) {
    parts.removeAll(keepingCapacity: true)
    // Scalars that are not stable have at least two bytes
    if range.count > Self.maxPartsKept { parts.reserveCapacity(range.count / 2 + 1) }
    var index = range.lowerBound
    while index < range.upperBound {
      let (value, length) = decodeScalar(in: text, at: index, limit: range.upperBound)
      if let value { decompose(value) }
      index += length
    }
    sortMarks()
    composeParts()
    for scalar in parts.lazy.compactMap({ Unicode.Scalar(UInt32($0)) }) {
      if let encoded = UTF8.encode(scalar) { bytes.append(contentsOf: encoded) }
    }
  }

  private mutating func decompose(_ scalar: UInt32) {
    if let parts = Hangul.parts(of: scalar) {
      for part in parts { append(part) }
    } else if let (first, second) = Self.parts(of: scalar) {
      decompose(first)
      if second > 0 { append(second) }  // the second part never decomposes further
    } else {
      append(scalar)
    }
  }

  private mutating func append(_ scalar: UInt32) {
    parts.append(UInt64(Self.combiningClass(of: scalar)) << 56 | UInt64(parts.count) << 21 | UInt64(scalar))
  }

  /// Sorts each run of marks by combining class. The sort is stable, because the words contain the index.
  private mutating func sortMarks() {
    parts.withUnsafeMutableBufferPointer { parts in
      var start = 0
      for index in 0...parts.count where index == parts.count || parts[index] >> 56 == 0 {
        if index - start > 1 {
          var marks = UnsafeMutableBufferPointer(rebasing: parts[start..<index])
          marks.sort()
        }
        start = index + 1
      }
    }
  }

  /// Composes `parts` in place: a scalar is combined with the last starter (class 0) before it, unless a scalar between
  /// them blocks it.
  private mutating func composeParts() {
    var count = 0
    var starter: Int?
    var lastClass = -1  // the combining class of the last scalar after the starter
    for index in parts.indices {
      let part = parts[index]
      let (scalar, combiningClass) = (UInt32(part & 0x1F_FFFF), Int(part >> 56))
      if let starter, lastClass < combiningClass, let composite = Self.composite(of: UInt32(parts[starter]), scalar) {
        parts[starter] = UInt64(composite)
        continue
      }
      if combiningClass == 0 { starter = count }
      lastClass = combiningClass == 0 ? -1 : combiningClass
      parts[count] = UInt64(scalar)
      count += 1
    }
    parts.removeLast(parts.count - count)
  }

  // MARK: - Tables

  /// Returns the canonical combining class of a scalar.
  private static func combiningClass(of scalar: UInt32) -> UInt8 {
    guard Kind(scalar) != .stable else { return 0 }
    let classes = UnicodeComposition.classes
    let index = firstIndex(below: classes.count) { UInt32(classes[$0] >> 8 & 0x1F_FFFF) >= scalar }
    guard index < classes.count, UInt32(classes[index] >> 29) <= scalar else { return 0 }
    return UInt8(truncatingIfNeeded: classes[index])
  }

  /// Returns the decomposition of a scalar other than a Hangul syllable, or nil if it does not decompose. The second
  /// scalar is 0 if the decomposition is a single scalar.
  private static func parts(of scalar: UInt32) -> (UInt32, UInt32)? {
    let pairs = UnicodeComposition.pairs
    let index = firstIndex(below: pairs.count) { UInt32(pairs[$0] >> 43) >= scalar }
    guard index < pairs.count, UInt32(pairs[index] >> 43) == scalar else { return nil }
    return (UInt32(pairs[index] >> 22 & 0x1F_FFFF), UInt32(pairs[index] >> 1 & 0x1F_FFFF))
  }

  /// Returns the scalar that two scalars are composed to, or nil if they do not compose.
  private static func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
    if let syllable = Hangul.syllable(of: first, second) { return syllable }
    let (pairs, compositions) = (UnicodeComposition.pairs, UnicodeComposition.compositions)
    let pair = UInt64(first) << 21 | UInt64(second)
    @inline(__always) func parts(_ index: Int) -> UInt64 { pairs[Int(compositions[index])] >> 1 & 0x3FF_FFFF_FFFF }
    let index = firstIndex(below: compositions.count) { parts($0) >= pair }
    guard index < compositions.count, parts(index) == pair else { return nil }
    return UInt32(pairs[Int(compositions[index])] >> 43)
  }
}

/// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12). A syllable is a leading consonant, a vowel
/// and, usually, a trailing consonant.
private enum Hangul {
  private static let (leading, vowel, trailing, syllable): (UInt32, UInt32, UInt32, UInt32) =
    (0x1100, 0x1161, 0x11A7, 0xAC00)
  private static let (leadingCount, vowelCount, trailingCount): (UInt32, UInt32, UInt32) = (19, 21, 28)

  static func parts(of scalar: UInt32) -> [UInt32]? {
    let index = scalar &- syllable
    guard index < leadingCount * vowelCount * trailingCount else { return nil }
    let (open, last) = index.quotientAndRemainder(dividingBy: trailingCount)
    let parts = [leading + open / vowelCount, vowel + open % vowelCount]
    return last == 0 ? parts : parts + [trailing + last]
  }

  static func syllable(of first: UInt32, _ second: UInt32) -> UInt32? {
    if first &- leading < leadingCount, second &- vowel < vowelCount {
      return syllable + ((first - leading) * vowelCount + second - vowel) * trailingCount
    }
    let index = first &- syllable
    guard index < leadingCount * vowelCount * trailingCount, index % trailingCount == 0,
      second &- trailing < trailingCount, second > trailing
    else { return nil }
    return first + second - trailing
  }
}
