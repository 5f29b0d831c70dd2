/// "00000000": what makes ASCII of eight digits.
let eightZeros: UInt64 = 0x3030_3030_3030_3030

/// The eight digits of a number below 10^8, a byte for each, the first one lowest.
///
/// Halves the number and its parts, all parts at once: 12345678 is 1234|5678, is 12|34|56|78. A part x becomes q, its
/// quotient by d, and x - q·d one place of n bits higher: x·2^n - q·(d·2^n - 1). Quotients by multiplication are exact for
/// parts so small.
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
  /// Stores eight bytes, the lowest first.
  @inline(__always)
  func storeEight(_ bytes: UInt64) {
    UnsafeMutableRawPointer(self).storeBytes(of: bytes.littleEndian, as: UInt64.self)
  }
}
