import CPlatform
import JSON

// The fast path for vocabularies: tokens and merges in the form that nearly all files use are read a word at a time,
// without a loop over bytes. The fast path only ever accepts: it returns nil or false for anything else, valid or not,
// and the caller reads the element with a `JSONScanner` from its start.

/// A position in a JSON text.
///
/// Unsafe pointers: `skipWhiteSpace` must have returned true before anything else is read, and at most `padding` bytes
/// are read until the next call (see "Padding" in Slab.swift).
struct FastPathCursor {
  static let padding = 64

  private let start: UnsafeRawPointer
  private let last: UnsafeRawPointer
  private var next: UnsafeRawPointer

  /// Nil if the text is shorter than `padding`.
  init?(_ scanner: JSONScanner) {
    guard let text = scanner.bytes.baseAddress, scanner.bytes.count >= Self.padding else { return nil }
    start = UnsafeRawPointer(text)
    last = start + (scanner.bytes.count - Self.padding)
    next = start + scanner.position
  }

  /// The offset in the text.
  var position: Int { next - start }

  /// Skips white space. Returns false if fewer than `padding` bytes are left.
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

  /// Skips the byte. Returns false if the next byte is a different one.
  @inline(__always)
  mutating func skip(_ byte: UInt8) -> Bool {
    guard next.load(as: UInt8.self) == byte else { return false }
    next += 1
    return true
  }

  /// Reads a spelling and the quotation mark after it.
  @inline(__always)
  mutating func spelling() -> FastPathSpelling? {
    let spelling = FastPathSpelling(next)
    next += spelling.sourceCount
    return skip(UInt8(ascii: "\"")) ? spelling : nil
  }

  /// Skips the left half of a merge and the byte after it. Returns false if something else is next.
  @inline(__always)
  mutating func skipLeftHalf(of merge: inout ExpectedMerge, before separator: UInt8) -> Bool {
    guard let count = merge.leftHalf(next, before: separator, isJSON: true) else { return false }
    next += count + 1
    return true
  }

  /// Skips the right half of a merge and the quotation mark after it. Returns false if something else is next.
  @inline(__always)
  mutating func skipRightHalf(of merge: ExpectedMerge) -> Bool {
    guard let count = merge.rightHalf(next, before: UInt8(ascii: "\"")) else { return false }
    next += count + 1
    return true
  }

  /// Reads a number of one to seven digits.
  @inline(__always)
  mutating func integer() -> Int? {
    guard let integer = FastPathInteger(next) else { return nil }
    next += integer.count
    return integer.value
  }
}

/// A token's spelling of the usual kind: an optional `Ġ`, then at most 16 printable ASCII characters that JSON does not
/// escape. It is read and stored a word at a time, without a loop.
struct FastPathSpelling {
  /// The maximum number of bytes that are read: 6 for an escaped `Ġ`, and 16 characters.
  static let padding = 22

  /// 1 if the spelling begins with `Ġ`, a space; else 0.
  private let spaces: Int
  /// The 16 source bytes after the `Ġ`: the letters and any bytes after them.
  private let letters: (UInt64, UInt64)
  private let letterCount: Int
  /// The length of the source text in bytes. The spelling ends there, or could not be read further: the caller checks
  /// the character that must follow a complete spelling.
  let sourceCount: Int

  /// Reads the spelling at `text`, where `padding` bytes must be readable. `Ġ` may be written `\u0120`.
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

  /// The length of the token in bytes.
  @inline(__always)
  var count: Int { spaces + letterCount }

  /// Stores the token's bytes, `count` of them; up to `storePadding` bytes are written.
  @inline(__always)
  func store(to target: UnsafeMutablePointer<UInt8>) {
    target.pointee = UInt8(ascii: " ")
    let target = UnsafeMutableRawPointer(target) + spaces
    target.storeBytes(of: letters.0, as: UInt64.self)
    target.storeBytes(of: letters.1, toByteOffset: 8, as: UInt64.self)
  }

  /// At most this many bytes are written by `store`.
  static let storePadding = 17
}

/// A JSON number of one to seven digits, read as one word.
struct FastPathInteger {
  let value: Int
  /// The number of digits.
  let count: Int

  /// Reads the number at `text`, where eight bytes must be readable. Nil if there is no number or a longer number. The
  /// character after the number is not checked: it may begin a fraction.
  @inline(__always)
  init?(_ text: UnsafeRawPointer) {
    // Assumes a little-endian processor, as all supported processors are
    let digits = text.loadUnaligned(as: UInt64.self) ^ 0x3030_3030_3030_3030
    let others = ((digits & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
    count = others.trailingZeroBitCount >> 3
    guard 1...7 ~= count, digits & 0xFF != 0 || count == 1 else { return nil }
    // Pad with zeros to eight digits, then combine neighboring digits, pairs and fours, each in all lanes at once
    var sum = digits << UInt64(64 - 8 * count)
    sum = (sum &* (10 << 8 | 1)) >> 8 & 0x00FF_00FF_00FF_00FF
    sum = (sum &* (100 << 16 | 1)) >> 16 & 0x0000_FFFF_0000_FFFF
    value = Int((sum &* (10_000 << 32 | 1)) >> 32)
  }
}

/// The merge that is expected next: in published vocabularies, the merges are in the order of the ids of the tokens
/// that they make. An expected merge is not parsed but recognized: its text is compared with the bytes of the token,
/// whose spelling must be of the kind of `FastPathSpelling`.
struct ExpectedMerge {
  /// At most this many bytes are read from the start of a half.
  static let padding = FastPathSpelling.padding

  /// 1 if the token begins with a space, `Ġ`; else 0.
  private let spaces: Int
  /// The bytes of the token after the space.
  private let letters: UnsafeRawPointer
  private let letterCount: Int
  /// The number of letters in the left half.
  private var leftLetterCount = 0

  /// Nil if the spelling of the token `bytes[..<count]` is not of this kind. `bytes` must have a `SlabArray`'s padding.
  @inline(__always)
  init?(_ bytes: UnsafePointer<UInt8>, count: Int) {
    spaces = bytes.pointee == UInt8(ascii: " ") ? 1 : 0
    letters = UnsafeRawPointer(bytes + spaces)
    letterCount = count - spaces
    guard 1...16 ~= letterCount, Int(lmpipe_plain_characters(letters)) >= letterCount else { return nil }
  }

  /// The offset at which the merge splits the token, after the left half was recognized.
  var split: Int { spaces + leftLetterCount }

  /// Recognizes the left half and returns the length of its source text, which `separator` must follow; nil for other
  /// text.
  ///
  /// - Parameter isJSON: If true, `Ġ` may be written `\u0120`.
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

  /// Recognizes the right half, after the left one, and returns the length of its source text, which `separator` must
  /// follow; nil for other text.
  @inline(__always)
  func rightHalf(_ text: UnsafeRawPointer, before separator: UInt8) -> Int? {
    let count = letterCount - leftLetterCount
    guard Int(lmpipe_common_bytes(text, letters + leftLetterCount)) >= count,
      text.load(fromByteOffset: count, as: UInt8.self) == separator
    else { return nil }
    return count
  }
}
