/// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12). A syllable is a leading consonant, a vowel
/// and, usually, a trailing consonant.
enum Hangul {
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
