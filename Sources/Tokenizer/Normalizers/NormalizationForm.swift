/// A normalization form of Unicode (UAX #15). The tables are those of the `tokenizers` library, whose normalization
/// forms follow Unicode 9.0.
enum NormalizationForm {
  case nfd, nfc, nfkd, nfkc

  fileprivate var composes: Bool { self == .nfc || self == .nfkc }
  fileprivate var isCompatibility: Bool { self == .nfkd || self == .nfkc }

  /// The flags of scalars that may attach to the scalars before them.
  fileprivate var attaching: ScalarFlags { composes ? [.reorders, .composes] : .reorders }

  fileprivate var changing: ScalarFlags {
    switch self {
    case .nfd: .changesInNFD
    case .nfc: .changesInNFC
    case .nfkd: .changesInNFKD
    case .nfkc: .changesInNFKC
    }
  }
}

/// Applies normalization forms. Most text is normalized already, so the fast path only verifies that it is. Bytes that
/// are not UTF-8 are kept, and nothing is composed or reordered across them.
///
/// The standard library has no public normalizer without Foundation, and the tables must be those of the `tokenizers`
/// library, which follows a different version of Unicode.
struct FormNormalizer {
  /// The decomposed scalars of a segment of text. A word has the scalar in its lower 21 bits, its index above, and the
  /// canonical combining class in the upper eight bits, so that sorting the words puts marks in canonical order.
  private var parts: [UInt64] = []
  private var segment: [UInt8] = []
  /// The capacity of `parts` that is kept for the next call.
  private static let maxPartsKept = 1 << 12

  /// Replaces the segments of the text that are not in the form. A segment is a scalar and the scalars after it that
  /// may be reordered or composed with it.
  mutating func normalize(_ rewriter: inout TextRewriter, to form: NormalizationForm) {
    let (text, limit) = (rewriter.text, rewriter.range.upperBound)
    let flags = form.attaching.union(form.changing)
    defer {
      if parts.capacity > Self.maxPartsKept { parts = [] }
      if segment.capacity > Self.maxPartsKept { segment = [] }
    }
    var position = rewriter.range.lowerBound
    while let (scalar, found) = flags.firstScalar(in: text, from: position, to: limit) {
      let scalarFlags = ScalarFlags(scalar).intersection(flags)
      var start = found.lowerBound
      if !scalarFlags.isDisjoint(with: form.attaching) {
        start = Self.start(ofScalarBefore: start, in: text, from: position)
      }
      let end = Self.endOfAttached(from: found.upperBound, in: text, to: limit, form.attaching)
      position = end
      // A mark that is alone cannot be reordered
      if scalarFlags == .reorders, end == found.upperBound { continue }
      normalize(text, start..<end, to: form)
      if !segment.elementsEqual(text[start..<end]) { rewriter.replace(start..<end, with: segment) }
    }
  }

  /// Returns the end of the scalars that attach to the text before `start`.
  private static func endOfAttached(
    from start: Int, in text: UnsafeBufferPointer<UInt8>, to limit: Int, _ attaching: ScalarFlags
  ) -> Int {
    var end = start
    while end < limit, !attaching.isDisjoint(with: ScalarFlags(leadByte: text[end])) {
      let (value, length) = decodeScalar(in: text, at: end, limit: limit)
      guard let value, !attaching.isDisjoint(with: ScalarFlags(value)) else { break }
      end += length
    }
    return end
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

  /// Sets `segment` to the normalized form of a range of the text.
  private mutating func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, to form: NormalizationForm
  ) {
    parts.removeAll(keepingCapacity: true)
    segment.removeAll(keepingCapacity: true)
    var index = range.lowerBound
    while index < range.upperBound {
      let (value, length) = decodeScalar(in: text, at: index, limit: range.upperBound)
      if let value { decompose(value, form) }
      index += length
    }
    sortMarks()
    if form.composes { composeParts() }
    for part in parts {
      guard let scalar = Unicode.Scalar(UInt32(part & 0x1F_FFFF)), let encoded = UTF8.encode(scalar) else { continue }
      segment.append(contentsOf: encoded)
    }
  }

  private mutating func decompose(_ scalar: UInt32, _ form: NormalizationForm) {
    let flags = ScalarFlags(scalar)
    if flags.isDisjoint(with: [.changesInNFD, .changesInNFKD]) {
      append(scalar, mayBeMark: flags.contains(.reorders))
    } else if form.isCompatibility, let range = Self.compatibilityDecomposition(of: scalar) {
      for part in UnicodeNormalization.decompositions[range] { append(part) }
    } else if let parts = Hangul.parts(of: scalar) {
      for part in parts { append(part, mayBeMark: false) }
    } else if let (first, second) = Self.parts(of: scalar) {
      decompose(first, form)
      if second > 0 { append(second) }  // the second part never decomposes further
    } else {
      append(scalar)
    }
  }

  private mutating func append(_ scalar: UInt32, mayBeMark: Bool = true) {
    let combiningClass = mayBeMark ? Self.combiningClass(of: scalar) : 0
    parts.append(UInt64(combiningClass) << 56 | UInt64(parts.count) << 21 | UInt64(scalar))
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
    guard ScalarFlags(scalar).contains(.reorders) else { return 0 }
    let classes = UnicodeNormalization.classes
    let index = firstIndex(below: classes.count) { UInt32(classes[$0] >> 8 & 0x1F_FFFF) >= scalar }
    guard index < classes.count, UInt32(classes[index] >> 29) <= scalar else { return 0 }
    return UInt8(truncatingIfNeeded: classes[index])
  }

  /// Returns the range in `UnicodeNormalization.decompositions` of the compatibility decomposition of a scalar, or nil
  /// if it does not differ from the canonical one.
  private static func compatibilityDecomposition(of scalar: UInt32) -> Range<Int>? {
    let table = UnicodeNormalization.compatibility
    let index = firstIndex(below: table.count) { UInt32(table[$0] >> 21) >= scalar }
    guard index < table.count, UInt32(table[index] >> 21) == scalar else { return nil }
    let start = Int(table[index] >> 5 & 0xFFFF)
    return start..<start + Int(table[index] & 0x1F)
  }

  /// Returns the canonical decomposition of a scalar other than a Hangul syllable, or nil if it does not decompose. The
  /// second scalar is 0 if the decomposition is a single scalar.
  private static func parts(of scalar: UInt32) -> (UInt32, UInt32)? {
    let pairs = UnicodeNormalization.pairs
    let index = firstIndex(below: pairs.count) { UInt32(pairs[$0] >> 43) >= scalar }
    guard index < pairs.count, UInt32(pairs[index] >> 43) == scalar else { return nil }
    return (UInt32(pairs[index] >> 22 & 0x1F_FFFF), UInt32(pairs[index] >> 1 & 0x1F_FFFF))
  }

  /// Returns the scalar that two scalars are composed to, or nil if they do not compose.
  private static func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
    if let syllable = Hangul.syllable(of: first, second) { return syllable }
    guard ScalarFlags(second).contains(.composes) else { return nil }
    let (pairs, compositions) = (UnicodeNormalization.pairs, UnicodeNormalization.compositions)
    let pair = UInt64(first) << 21 | UInt64(second)
    @inline(__always) func parts(_ index: Int) -> UInt64 { pairs[Int(compositions[index])] >> 1 & 0x3FF_FFFF_FFFF }
    let index = firstIndex(below: compositions.count) { parts($0) >= pair }
    guard index < compositions.count, parts(index) == pair else { return nil }
    return UInt32(pairs[Int(compositions[index])] >> 43)
  }
}
