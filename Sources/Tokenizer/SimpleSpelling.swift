import CPlatform

/// A token's spelling as nearly all are: `Ġ` or not, then at most sixteen printable ASCII characters, none of which JSON
/// escapes. Such a one is read and stored a word at a time, without a loop.
struct SimpleSpelling {
  /// How many bytes are looked at from where the spelling begins.
  static let reach = 22

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
  static let storeLimit = 17
}
