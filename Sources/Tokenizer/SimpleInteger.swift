/// A JSON number of one to seven digits, read a word at a time.
struct SimpleInteger {
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
