extension UnicodeNormalization {
  /// Returns true if the scalar is part of a word, for `single_word` of added tokens.
  static func isPartOfWord(_ scalar: UInt32) -> Bool {
    let index = firstIndex(below: words.count) { UInt32(words[$0] & 0x1F_FFFF) >= scalar }
    return index < words.count && UInt32(words[index] >> 21) <= scalar
  }
}

/// What the normalizers do with a scalar. The raw values are the bits in the tables of `UnicodeNormalization`.
struct ScalarFlags: OptionSet {
  let rawValue: UInt8

  /// The scalar is not in this normalization form.
  static let changesInNFD = ScalarFlags(rawValue: 1 << 0)
  static let changesInNFC = ScalarFlags(rawValue: 1 << 1)
  static let changesInNFKD = ScalarFlags(rawValue: 1 << 2)
  static let changesInNFKC = ScalarFlags(rawValue: 1 << 3)
  /// The first scalar of a decomposition has a canonical combining class other than 0, so it may be reordered with the
  /// scalars before it.
  static let reorders = ScalarFlags(rawValue: 1 << 4)
  /// The first scalar of a decomposition may compose with the scalars before it.
  static let composes = ScalarFlags(rawValue: 1 << 5)
  static let changesInLowercase = ScalarFlags(rawValue: 1 << 6)
  /// General category M*.
  static let combiningMark = ScalarFlags(rawValue: 1 << 7)

  @inline(__always)
  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Creates the flags of a scalar.
  @inline(__always)
  init(_ scalar: UInt32) {
    guard scalar < UnicodeNormalization.limit else {
      self = []
      return
    }
    let block = Int(UnicodeNormalization.blockOf[Int(scalar >> 7)])
    let word = UnicodeNormalization.flags[block << 4 | Int(scalar >> 3 & 15)]
    self.init(rawValue: UInt8(truncatingIfNeeded: word >> UInt64(8 * (scalar & 7))))
  }

  /// Creates the union of the flags of all scalars that begin with this byte in UTF-8.
  @inline(__always)
  init(leadByte: UInt8) { self.init(rawValue: UnicodeNormalization.leadFlags[Int(leadByte)]) }

  /// Returns the first scalar in `text[start..<limit]` that has one of the flags, or nil if no scalar has.
  @inline(__always)
  func firstScalar(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, to limit: Int
  ) -> (value: UInt32, range: Range<Int>)? {
    var index = start
    while index < limit {
      if isDisjoint(with: ScalarFlags(leadByte: text[index])) {
        index &+= 1
        continue
      }
      let (value, length) = decodeScalar(in: text, at: index, limit: limit)
      if let value, !isDisjoint(with: ScalarFlags(value)) { return (value, index..<index + length) }
      index += length
    }
    return nil
  }
}
