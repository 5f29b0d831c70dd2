import CPlatform

/// A block of 64 bytes that are compared in parallel. Each comparison returns a mask with a bit for each byte, the
/// first byte's in the lowest bit, so that shifting a mask by one refers to the previous or next byte.
struct ByteBlock {
  static let size = 64
  private let lanes: lmpipe_block

  /// Loads the first 64 of `count` bytes. If there are fewer bytes, the block is filled with spaces.
  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>, count: Int) {
    lanes = count < Self.size ? lmpipe_block_load_part(bytes, count) : lmpipe_block_load(bytes)
  }

  /// Stores all `size` bytes.
  @inline(__always)
  func store(to bytes: UnsafeMutablePointer<UInt8>) { lmpipe_block_store(lanes, bytes) }

  /// The bytes that are equal to `byte`.
  @inline(__always)
  func equal(_ byte: UInt8) -> UInt64 { lmpipe_block_equal(lanes, byte) }

  /// The bytes that are less than `byte`.
  @inline(__always)
  func below(_ byte: UInt8) -> UInt64 { lmpipe_block_less(lanes, byte) }

  /// The bytes that are greater than or equal to `byte`.
  @inline(__always)
  func from(_ byte: UInt8) -> UInt64 { ~below(byte) }

  /// The bytes that must be escaped in a JSON string, or end it: control characters, quotation marks and backslashes.
  @inline(__always)
  var escapedInJSON: UInt64 { lmpipe_block_escaped_in_json(lanes) }

  /// The bytes that are DEL or begin a control character from U+0080 to U+009F. The bit of the last byte is also set
  /// for a C2 whose second byte is not in the block.
  @inline(__always)
  var controlsBeyondJSON: UInt64 {
    let seconds = from(0x80) & below(0xA0)
    return equal(0x7F) | equal(0xC2) & (seconds >> 1 | 1 << 63)
  }

  /// The bytes that are decimal digits.
  @inline(__always)
  var digits: UInt64 { lmpipe_block_digits(lanes) }
}
