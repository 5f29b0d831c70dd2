/// The ASCII text "00000000". Combined with eight digit values by OR, it gives their ASCII text.
let eightZeros: UInt64 = 0x3030_3030_3030_3030

/// Returns the eight digits of a number below 10^8, one per byte, the most significant digit in the lowest byte.
///
/// Splits the number into halves, and these into halves again, all parts at the same time: 12345678 → 1234|5678 →
/// 12|34|56|78 → 1|2|…|8. A part x is replaced by its quotient q = ⌊x / d⌋ and, n bits higher, its remainder x - q·d.
/// Both together are x·2^n - q·(d·2^n - 1). Each quotient is a multiplication and a shift: ⌈2^40 / 10^4⌉ = 109,951,163,
/// ⌈2^20 / 10^2⌉ = 10,486 and ⌈2^10 / 10⌉ = 103 give exact quotients for parts below 10^8, 10^4 and 10^2.
@inline(__always)
func digitValues(_ number: UInt64) -> UInt64 {
  let upper = (number &* 109_951_163) &>> 40
  let fours = number &<< 32 &- upper &* (10_000 << 32 - 1)
  let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007F_0000_007F
  let twos = fours &<< 16 &- hundreds &* (100 << 16 - 1)
  let tens = (twos &* 103) &>> 10 & 0x000F_000F_000F_000F
  return twos &<< 8 &- tens &* (10 << 8 - 1)
}

extension UnsafeMutablePointer<UInt8> {
  /// Stores the eight bytes of a word, the lowest byte first.
  @inline(__always)
  func storeEight(_ bytes: UInt64) {
    UnsafeMutableRawPointer(self).storeBytes(of: bytes.littleEndian, as: UInt64.self)
  }
}
