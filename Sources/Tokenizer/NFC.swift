/// Unicode's normalization form C (UAX #15): letters and the marks behind them become one scalar where there is one, and
/// marks stand in their canonical order. Nearly all text is in this form already, so the work is to see that.
///
/// Bytes that are not UTF-8 stay as they are, and nothing is composed across them.
struct NFC {
  /// What a scalar can do to the form of a text. The raw values are those of the table in `UnicodeComposition`.
  enum Kind: UInt8 {
    /// Neither it nor what stands before it changes because of it.
    case stable
    /// It may change places with another mark.
    case mark
    /// It is not of the form, or may become one scalar with what stands before it.
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

  /// A text that was brought into the form.
  struct Normalized {
    fileprivate(set) var bytes: [UInt8] = []
    /// Empty unless they were asked for.
    fileprivate(set) var changes: [Change] = []

    /// Some scalars of the text, and the bytes that they have become.
    struct Change {
      let old: Range<Int>
      let new: Range<Int>
    }
  }

  /// From offsets in a composed text, which must be asked for in rising order, to offsets in the text that it was. Within
  /// what has changed there is nothing to tell which byte comes from where: all of it counts as where it begins.
  struct Offsets {
    private let changes: [Normalized.Change]
    private var next = 0
    private var shift: Int

    /// - Parameter start: of the text, in what the offsets are of.
    init(_ composed: Normalized, start: Int) {
      changes = composed.changes
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

  /// The scalars of a stretch of text, taken apart: each in the lower 21 bits of its word, above it which one it is, and
  /// in the upper eight bits its canonical combining class, so that marks are put in order by sorting the words.
  private var parts: [UInt64] = []
  /// The memory of more is given back.
  private static let maxPartsKept = 1 << 12

  /// A part of a text in form C; nil where it is that already.
  ///
  /// - Parameter recordsChanges: for `Offsets`, whose memory may be many times the text's.
  mutating func compose(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, recordsChanges: Bool = false
  ) -> Normalized? {
    var result = Normalized()
    var isChanged = false
    defer { if parts.capacity > Self.maxPartsKept { parts = [] } }
    var copied = range.lowerBound
    var position = copied
    while let run = Self.nextRun(in: text, from: position, to: range.upperBound) {
      position = run.end
      if run.isOneMark { continue }
      let start = Self.start(ofScalarBefore: run.start, in: text, from: copied)
      result.bytes.append(contentsOf: text[copied..<start])
      copied = run.end
      let newStart = result.bytes.count
      compose(text, start..<run.end, into: &result.bytes)
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

  // MARK: where something may change

  /// A run of scalars that are not stable.
  private struct Run {
    let start: Int
    var end: Int
    var isOneMark: Bool
  }

  /// The first run that begins at `start` or behind.
  private static func nextRun(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Run? {
    var index = start
    while index < limit {
      switch text[index] {
      // What begins scalars below U+0300, or from U+4000 to U+9FFF, which are stable; and what begins none
      case ..<0xCC, 0xE4...0xE9: index &+= 1
      default:
        let (kind, length) = item(in: text, at: index, limit: limit)
        if kind != .stable { return run(in: text, from: index, to: limit) }
        index &+= length
      }
    }
    return nil
  }

  private static func run(in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int) -> Run {
    var run = Run(start: start, end: start, isOneMark: false)
    while run.end < limit {
      let (kind, length) = item(in: text, at: run.end, limit: limit)
      if kind == .stable { break }
      run.isOneMark = run.end == start && kind == .mark
      run.end += length
    }
    return run
  }

  private static func item(
    in text: UnsafeBufferPointer<UInt8>, at index: Int, limit: Int
  ) -> (kind: Kind, length: Int) {
    let (value, length) = scalar(in: text, at: index, limit: limit)
    return (value.map(Kind.init) ?? .stable, length)
  }

  /// Where the scalar begins that ends at `end`; `end`, where there is none behind `limit`.
  private static func start(
    ofScalarBefore end: Int, in text: UnsafeBufferPointer<UInt8>, from limit: Int
  ) -> Int {
    var start = end - 1
    while start > limit, end - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    guard start >= limit else { return end }
    let (value, length) = scalar(in: text, at: start, limit: end)
    return value != nil && start + length == end ? start : end
  }

  // MARK: the form itself

  /// Appends a stretch of well-formed text in form C.
  private mutating func compose(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into bytes: inout [UInt8]
  ) {
    parts.removeAll(keepingCapacity: true)
    // What is not stable has two bytes at least.
    if range.count > Self.maxPartsKept { parts.reserveCapacity(range.count / 2 + 1) }
    var index = range.lowerBound
    while index < range.upperBound {
      let (value, length) = scalar(in: text, at: index, limit: range.upperBound)
      if let value { decompose(value) }
      index += length
    }
    orderMarks()
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
      if second > 0 { append(second) }  // of no composition is the second part one itself
    } else {
      append(scalar)
    }
  }

  private mutating func append(_ scalar: UInt32) {
    parts.append(UInt64(Self.order(of: scalar)) << 56 | UInt64(parts.count) << 21 | UInt64(scalar))
  }

  /// Sorts each run of marks by their classes; those of one class stay as they are.
  private mutating func orderMarks() {
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

  /// Leaves in `parts` the scalars of the form: a scalar becomes one with the last scalar of class 0, unless one between
  /// them is in its way.
  private mutating func composeParts() {
    var count = 0
    var starter: Int?
    var lastOrder = -1  // of what stands behind the starter
    for index in parts.indices {
      let part = parts[index]
      let (scalar, order) = (UInt32(part & 0x1F_FFFF), Int(part >> 56))
      if let starter, lastOrder < order, let composite = Self.composite(of: UInt32(parts[starter]), scalar) {
        parts[starter] = UInt64(composite)
        continue
      }
      if order == 0 { starter = count }
      lastOrder = order == 0 ? -1 : order
      parts[count] = UInt64(scalar)
      count += 1
    }
    parts.removeLast(parts.count - count)
  }

  // MARK: the tables

  /// The scalar's canonical combining class.
  private static func order(of scalar: UInt32) -> UInt8 {
    guard Kind(scalar) != .stable else { return 0 }
    let classes = UnicodeComposition.classes
    let index = firstIndex(below: classes.count) { UInt32(classes[$0] >> 8 & 0x1F_FFFF) >= scalar }
    guard index < classes.count, UInt32(classes[index] >> 29) <= scalar else { return 0 }
    return UInt8(truncatingIfNeeded: classes[index])
  }

  /// What a scalar other than a Hangul syllable is made of; the second is 0 where it is one only.
  private static func parts(of scalar: UInt32) -> (UInt32, UInt32)? {
    let pairs = UnicodeComposition.pairs
    let index = firstIndex(below: pairs.count) { UInt32(pairs[$0] >> 43) >= scalar }
    guard index < pairs.count, UInt32(pairs[index] >> 43) == scalar else { return nil }
    return (UInt32(pairs[index] >> 22 & 0x1F_FFFF), UInt32(pairs[index] >> 1 & 0x1F_FFFF))
  }

  private static func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
    if let syllable = Hangul.syllable(of: first, second) { return syllable }
    let (pairs, compositions) = (UnicodeComposition.pairs, UnicodeComposition.compositions)
    let wanted = UInt64(first) << 21 | UInt64(second)
    @inline(__always) func parts(_ index: Int) -> UInt64 { pairs[Int(compositions[index])] >> 1 & 0x3FF_FFFF_FFFF }
    let index = firstIndex(below: compositions.count) { parts($0) >= wanted }
    guard index < compositions.count, parts(index) == wanted else { return nil }
    return UInt32(pairs[Int(compositions[index])] >> 43)
  }

  /// The first index for which `isBehind` holds, as it does for all that follow; `count` where there is none.
  @inline(__always)
  private static func firstIndex(below count: Int, where isBehind: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12): a leading consonant, a vowel and, in most, a
/// trailing consonant.
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
