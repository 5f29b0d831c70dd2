import CPlatform

/// The merge that is expected next: in the vocabularies that are published, merges stand in the order of the ids of the
/// tokens that they make. Such a one is not read but recognized: the text is compared with the bytes of the token, which
/// must be simply spelled (see `SimpleSpelling`).
struct ExpectedMerge {
  /// How many bytes are looked at from where a half begins.
  static let reach = SimpleSpelling.reach

  /// 1 where the token begins with a space, `Ġ`; else 0.
  private let spaces: Int
  /// Of the token, behind the space.
  private let letters: UnsafeRawPointer
  private let letterCount: Int
  /// How many of the letters belong to the left half.
  private var cutLetters = 0

  /// Nil where the token, `bytes[..<count]`, is not simply spelled. Sixteen bytes may be read from each of its bytes.
  @inline(__always)
  init?(_ bytes: UnsafePointer<UInt8>, count: Int) {
    spaces = bytes.pointee == UInt8(ascii: " ") ? 1 : 0
    letters = UnsafeRawPointer(bytes + spaces)
    letterCount = count - spaces
    guard 1...16 ~= letterCount, Int(lmpipe_plain_characters(letters)) >= letterCount else { return nil }
  }

  /// Behind how many bytes the merge cuts the token, once the left half has been recognized.
  var cut: Int { spaces + cutLetters }

  /// Recognizes the left half: the length of its source text, which `separator` follows.
  ///
  /// - Parameter isJSON: `Ġ` may be written `\u0120`.
  @inline(__always)
  mutating func leftHalf(_ text: UnsafeRawPointer, before separator: UInt8, isJSON: Bool) -> Int? {
    var start = 0
    if spaces > 0 {
      let first = text.loadUnaligned(as: UInt64.self)
      if first & 0xFFFF == 0xA0C4 {
        start = 2
      } else if isJSON, first & 0xFFFF_FFFF_FFFF == 0x3032_3130_755C {
        start = 6
      } else {
        return nil
      }
    }
    cutLetters = Int(lmpipe_common_bytes(text + start, letters))
    let end = start + cutLetters
    guard cut > 0, cutLetters < letterCount, text.load(fromByteOffset: end, as: UInt8.self) == separator else {
      return nil
    }
    return end
  }

  /// Recognizes the right half, after the left one: the length of its source text, which `separator` follows.
  @inline(__always)
  func rightHalf(_ text: UnsafeRawPointer, before separator: UInt8) -> Int? {
    let count = letterCount - cutLetters
    guard Int(lmpipe_common_bytes(text, letters + cutLetters)) >= count,
      text.load(fromByteOffset: count, as: UInt8.self) == separator
    else { return nil }
    return count
  }
}
