import CPlatform

/// Sixty-four bytes that are asked about all at once. An answer has a bit for each byte, the first byte's the lowest,
/// so that what stands before or behind a byte is one shift away.
struct ByteBlock {
  static let size = 64
  private let lanes: lmpipe_block

  /// The first of `count` bytes; where they are fewer than a block, spaces stand behind them.
  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>, count: Int) {
    lanes = count < Self.size ? lmpipe_block_load_part(bytes, count) : lmpipe_block_load(bytes)
  }

  /// Writes `size` bytes.
  @inline(__always)
  func store(to bytes: UnsafeMutablePointer<UInt8>) { lmpipe_block_store(lanes, bytes) }

  /// Which bytes are this one.
  @inline(__always)
  func equal(_ byte: UInt8) -> UInt64 { lmpipe_block_equal(lanes, byte) }

  /// Which bytes are less.
  @inline(__always)
  func below(_ byte: UInt8) -> UInt64 { lmpipe_block_less(lanes, byte) }

  /// Which bytes are this one or greater.
  @inline(__always)
  func from(_ byte: UInt8) -> UInt64 { ~below(byte) }

  /// Which bytes JSON has only escaped in strings, but for a quotation mark that ends one: control characters, quotation
  /// marks and backslashes.
  @inline(__always)
  var escapedInJSON: UInt64 { lmpipe_block_escaped_in_json(lanes) }

  /// Which bytes are DEL, or begin one of the control characters U+0080 to U+009F. The last byte may only seem to.
  @inline(__always)
  var controlsBeyondJSON: UInt64 {
    let seconds = from(0x80) & below(0xA0)
    return equal(0x7F) | equal(0xC2) & (seconds >> 1 | 1 << 63)
  }

  /// Which bytes are decimal digits.
  @inline(__always)
  var digits: UInt64 { lmpipe_block_digits(lanes) }
}
