import CPlatform
import JSON

/// A place in a JSON text, from which tokens and merges are read that are simple: simply spelled strings and short
/// integers. Where something else stands, or something wrong, the answer is nil or false, and a `JSONScanner` must read
/// it, from where the element began.
///
/// Unsafe pointers: `skipWhiteSpace` must have answered true before anything else is read, and what is read before the
/// next time must not be longer than `reach`.
struct FastPathCursor {
  static let padding = 64

  private let start: UnsafeRawPointer
  private let last: UnsafeRawPointer
  private var next: UnsafeRawPointer

  /// Nil where the text is too short for it.
  init?(_ scanner: JSONScanner) {
    guard let text = scanner.bytes.baseAddress, scanner.bytes.count >= Self.padding else { return nil }
    start = UnsafeRawPointer(text)
    last = start + (scanner.bytes.count - Self.padding)
    next = start + scanner.position
  }

  /// In the text.
  var position: Int { next - start }

  /// Passes over white space. False where too little of the text is left.
  @inline(__always)
  mutating func skipWhiteSpace() -> Bool {
    while next <= last {
      switch next.load(as: UInt8.self) {
      case 0x20:
        let differences = next.loadUnaligned(as: UInt64.self) ^ 0x2020_2020_2020_2020
        next += differences.trailingZeroBitCount >> 3
      case 0x09, 0x0A, 0x0D: next += 1
      default: return true
      }
    }
    return false
  }

  /// Passes over the byte. False where another stands.
  @inline(__always)
  mutating func skip(_ byte: UInt8) -> Bool {
    guard next.load(as: UInt8.self) == byte else { return false }
    next += 1
    return true
  }

  /// Passes over a spelling and the quotation mark behind it.
  @inline(__always)
  mutating func spelling() -> FastPathSpelling? {
    let spelling = FastPathSpelling(next)
    next += spelling.sourceCount
    return skip(UInt8(ascii: "\"")) ? spelling : nil
  }

  /// Passes over the left half of a merge and the byte behind it. False where it is not that.
  @inline(__always)
  mutating func skipLeftHalf(of merge: inout ExpectedMerge, before separator: UInt8) -> Bool {
    guard let count = merge.leftHalf(next, before: separator, isJSON: true) else { return false }
    next += count + 1
    return true
  }

  /// Passes over the right half of a merge and the quotation mark behind it. False where it is not that.
  @inline(__always)
  mutating func skipRightHalf(of merge: ExpectedMerge) -> Bool {
    guard let count = merge.rightHalf(next, before: UInt8(ascii: "\"")) else { return false }
    next += count + 1
    return true
  }

  @inline(__always)
  mutating func integer() -> Int? {
    guard let integer = FastPathInteger(next) else { return nil }
    next += integer.count
    return integer.value
  }
}

/// A token's spelling as nearly all are: `Ġ` or not, then at most sixteen printable ASCII characters, none of which JSON
/// escapes. Such a one is read and stored a word at a time, without a loop.
struct FastPathSpelling {
  /// How many bytes are looked at from where the spelling begins.
  static let padding = 22

  /// 1 where it begins with `Ġ`, a space; else 0.
  private let spaces: Int
  /// The characters behind, and what follows them.
  private let letters: (UInt64, UInt64)
  private let letterCount: Int
  /// Of its source text, in bytes. The spelling ends there or could not be read any further: the caller knows which
  /// character must follow one that is complete.
  let sourceCount: Int

  /// Reads at `text`, where `reach` bytes may be read. `Ġ` may be written `\u0120`.
  @inline(__always)
  init(_ text: UnsafeRawPointer) {
    let first = text.loadUnaligned(as: UInt64.self)
    let isPlainSpace = first & 0xFFFF == 0xA0C4
    let isEscapedSpace = first & 0xFFFF_FFFF_FFFF == 0x3032_3130_755C
    spaces = isPlainSpace || isEscapedSpace ? 1 : 0
    let start = isEscapedSpace ? 6 : isPlainSpace ? 2 : 0
    letters = (
      text.loadUnaligned(fromByteOffset: start, as: UInt64.self),
      text.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self)
    )
    letterCount = Int(lmpipe_plain_characters(text + start))
    sourceCount = start + letterCount
  }

  /// In bytes, of the token.
  @inline(__always)
  var count: Int { spaces + letterCount }

  /// Stores the bytes that are spelled, `count` of them, and whatever behind: at most 17 bytes in all.
  @inline(__always)
  func store(to target: UnsafeMutablePointer<UInt8>) {
    target.pointee = UInt8(ascii: " ")
    let target = UnsafeMutableRawPointer(target) + spaces
    target.storeBytes(of: letters.0, as: UInt64.self)
    target.storeBytes(of: letters.1, toByteOffset: 8, as: UInt64.self)
  }

  /// How many bytes `store` may write.
  static let storePadding = 17
}

/// A JSON number of one to seven digits, read a word at a time.
struct FastPathInteger {
  let value: Int
  /// Of its digits.
  let count: Int

  /// Reads at `text`, where eight bytes may be read. Nil for another number, or for none. What follows has not been
  /// looked at: it may be a fraction.
  @inline(__always)
  init?(_ text: UnsafeRawPointer) {
    // Little-endian, as every processor here is
    let digits = text.loadUnaligned(as: UInt64.self) ^ 0x3030_3030_3030_3030
    let others = ((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
    count = others.trailingZeroBitCount >> 3
    guard 1...7 ~= count, digits & 0xFF != 0 || count == 1 else { return nil }
    // Zeros in front make eight digits; then pairs, fours and all eight are joined, side by side
    var sum = digits << UInt64(64 - 8 * count)
    sum = (sum &* (10 << 8 | 1)) >> 8 & 0x00FF_00FF_00FF_00FF
    sum = (sum &* (100 << 16 | 1)) >> 16 & 0x0000_FFFF_0000_FFFF
    value = Int((sum &* (10_000 << 32 | 1)) >> 32)
  }
}

/// The merge that is expected next: in the vocabularies that are published, merges stand in the order of the ids of the
/// tokens that they make. Such a one is not read but recognized: the text is compared with the bytes of the token, which
/// must be simply spelled (see `FastPathSpelling`).
struct ExpectedMerge {
  /// How many bytes are looked at from where a half begins.
  static let padding = FastPathSpelling.padding

  /// 1 where the token begins with a space, `Ġ`; else 0.
  private let spaces: Int
  /// Of the token, behind the space.
  private let letters: UnsafeRawPointer
  private let letterCount: Int
  /// How many of the letters belong to the left half.
  private var leftLetterCount = 0

  /// Nil where the token, `bytes[..<count]`, is not simply spelled. Sixteen bytes may be read from each of its bytes.
  @inline(__always)
  init?(_ bytes: UnsafePointer<UInt8>, count: Int) {
    spaces = bytes.pointee == UInt8(ascii: " ") ? 1 : 0
    letters = UnsafeRawPointer(bytes + spaces)
    letterCount = count - spaces
    guard 1...16 ~= letterCount, Int(lmpipe_plain_characters(letters)) >= letterCount else { return nil }
  }

  /// Behind how many bytes the merge cuts the token, once the left half has been recognized.
  var split: Int { spaces + leftLetterCount }

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
    leftLetterCount = Int(lmpipe_common_bytes(text + start, letters))
    let end = start + leftLetterCount
    guard split > 0, leftLetterCount < letterCount, text.load(fromByteOffset: end, as: UInt8.self) == separator else {
      return nil
    }
    return end
  }

  /// Recognizes the right half, after the left one: the length of its source text, which `separator` follows.
  @inline(__always)
  func rightHalf(_ text: UnsafeRawPointer, before separator: UInt8) -> Int? {
    let count = letterCount - leftLetterCount
    guard Int(lmpipe_common_bytes(text, letters + leftLetterCount)) >= count,
      text.load(fromByteOffset: count, as: UInt8.self) == separator
    else { return nil }
    return count
  }
}
