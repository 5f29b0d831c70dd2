/// The shortest decimal that rounds to a given `Float`; if there are several, the nearest to it: `digits` ×
/// 10^`exponent`.
///
/// Raffaello Giulietti, "The Schubfach way to render doubles" (2020), sections 9.3 (choice of the decimal) and 9.9
/// (rounding to odd), adapted to single precision. The paper's v_bl, v_b and v_br are `low`, `middle` and `high` here.
///
/// `Float.description` gives the same digits (the tests compare the two), but as a `String` and with branches on the
/// value. Arrays of logits are most of the tools' output, and this type keeps digits and exponent separate, so that
/// `FloatWriter` can store the text without branches: 13 ns per number in an array of random numbers, against 63 ns for
/// `description` and a copy of its text.
struct ShortestDecimal {
  /// Less than 2·10^8; may end with zeros.
  private(set) var digits: UInt32
  private(set) var exponent: Int32

  /// Converts the magnitude of a finite number. Zero becomes 0·10^1, for which `DecimalText` finds one digit before the
  /// point, as for 5·10^0.
  @inline(__always)
  init(_ value: Float) {
    let biased = UInt32(value.exponentBitPattern)
    let fraction = value.significandBitPattern
    if biased &- 1 < 254, fraction > 0 {
      self.init(fraction | 0x80_0000, Int(biased) &- 150, lowerIsCloser: false)
    } else {
      self = Self.special(value)
    }
  }

  /// Converts zero, a power of two (the spacing of floats below it is half of the spacing above), or a subnormal
  /// number.
  @inline(never)
  private static func special(_ value: Float) -> Self {
    precondition(value.isFinite)
    guard value != 0 else { return Self(digits: 0, exponent: 1) }
    return value.isNormal
      ? Self(0x80_0000, Int(value.exponent) - 23, lowerIsCloser: value.magnitude > .leastNormalMagnitude)
      : Self(value.significandBitPattern, -149, lowerIsCloser: false)
  }

  private init(digits: UInt32, exponent: Int32) {
    self.digits = digits
    self.exponent = exponent
  }

  /// Converts c · 2^q with c < 2^24.
  ///
  /// - Parameter lowerIsCloser: whether the next float below is at half the distance of the next float above.
  @inline(__always)
  private init(_ c: UInt32, _ q: Int, lowerIsCloser: Bool) {
    // k = ⌊log10(2^q)⌋, or ⌊log10(¾·2^q)⌋ if the interval of numbers that round to the value is only ¾ as long. In
    // fixed point: 1,262,611 = ⌊log10(2) · 2^22⌋ and 524,031 = ⌊-log10(¾) · 2^22⌋, exact for all q of a Float
    // (-149…104).
    let k = (q &* 1_262_611 &- (lowerIsCloser ? 524_031 : 0)) &>> 22
    // Four times the value and the ends of its interval are multiplied by 10^-k = g · 2^(l - 63), with g from the table
    // and l = ⌊log2(10^-k)⌋. The factor is shifted by q + l + 1 (1 to 4), so that the upper word of the product is the
    // integer part. 1,741,647 = ⌊log2(10) · 2^19⌋, exact for |k| ≤ 45.
    let shift = UInt64(truncatingIfNeeded: q &+ (k &* -1_741_647) &>> 19 &+ 1)
    let power = powerOfTenSignificands[31 &- k]
    let four = UInt64(c) &<< 2
    let odd = Int(truncatingIfNeeded: c & 1)  // an odd c excludes the ends of the interval: ties round to even
    let low = multiplyRoundingToOdd(power, (four &- (lowerIsCloser ? 1 : 2)) &<< shift) &+ odd
    let middle = multiplyRoundingToOdd(power, four &<< shift)
    let high = multiplyRoundingToOdd(power, (four &+ 2) &<< shift) &- odd

    // Section 9.3: if exactly one of the two multiples of 10 around s is in the interval, it is the result. Otherwise
    // the result is s or s + 1, at least one of which is in the interval: the nearer one, except that s may be nearer
    // but outside if `lowerIsCloser`. Which case applies varies unpredictably from number to number, so all candidates
    // are computed and the result is selected with masks instead of branches.
    let s = middle &>> 2  // less than 10·c
    let shorter = Int(UInt32(truncatingIfNeeded: s) / 10 &* 10)
    let shorterIsOutside = lessMask(4 &* shorter, low)
    let nextShorterIsOutside = lessMask(high, 4 &* shorter &+ 40)
    let isShorter = (shorterIsOutside ^ nextShorterIsOutside) & lessMask(9, s)
    let isAbove = lessMask(4 &* s &+ 2, middle &+ s & 1) | lessMask(4 &* s, low)
    let chosen = isShorter & (shorter &+ 10 & ~nextShorterIsOutside) | ~isShorter & (s &- isAbove)
    digits = UInt32(truncatingIfNeeded: chosen)
    exponent = Int32(truncatingIfNeeded: k)
  }
}

/// Returns all ones if a < b, else 0.
@inline(__always)
private func lessMask(_ a: Int, _ b: Int) -> Int { (a &- b) &>> 63 }

/// Returns the upper word of the product, rounded to odd: its last bit is also set if the lower word is not zero (`rop`
/// in section 9.9). The table entry is rounded up by less than 1, so the product is too large by less than `factor`,
/// which is below 2^32; the lower half of the lower word is therefore ignored.
@inline(__always)
private func multiplyRoundingToOdd(_ power: UInt64, _ factor: UInt64) -> Int {
  let (high, low) = power.multipliedFullWidth(by: factor)
  return Int(truncatingIfNeeded: high) | (low &>> 32 > 1 ? 1 : 0)
}

/// 10^k as 64 significant bits, rounded up, for k from -31 to 45: ceil(10^k · 2^(63 - floor(log2(10^k)))).
private let powerOfTenSignificands: [UInt64] = [
  0x81CE_B32C_4B43_FCF5, 0xA242_5FF7_5E14_FC32, 0xCAD2_F7F5_359A_3B3F, 0xFD87_B5F2_8300_CA0E,
  0x9E74_D1B7_91E0_7E49, 0xC612_0625_7658_9DDB, 0xF796_87AE_D3EE_C552, 0x9ABE_14CD_4475_3B53,
  0xC16D_9A00_9592_8A28, 0xF1C9_0080_BAF7_2CB2, 0x971D_A050_74DA_7BEF, 0xBCE5_0864_9211_1AEB,
  0xEC1E_4A7D_B695_61A6, 0x9392_EE8E_921D_5D08, 0xB877_AA32_36A4_B44A, 0xE695_94BE_C44D_E15C,
  0x901D_7CF7_3AB0_ACDA, 0xB424_DC35_095C_D810, 0xE12E_1342_4BB4_0E14, 0x8CBC_CC09_6F50_88CC,
  0xAFEB_FF0B_CB24_AAFF, 0xDBE6_FECE_BDED_D5BF, 0x8970_5F41_36B4_A598, 0xABCC_7711_8461_CEFD,
  0xD6BF_94D5_E57A_42BD, 0x8637_BD05_AF6C_69B6, 0xA7C5_AC47_1B47_8424, 0xD1B7_1758_E219_652C,
  0x8312_6E97_8D4F_DF3C, 0xA3D7_0A3D_70A3_D70B, 0xCCCC_CCCC_CCCC_CCCD, 0x8000_0000_0000_0000,
  0xA000_0000_0000_0000, 0xC800_0000_0000_0000, 0xFA00_0000_0000_0000, 0x9C40_0000_0000_0000,
  0xC350_0000_0000_0000, 0xF424_0000_0000_0000, 0x9896_8000_0000_0000, 0xBEBC_2000_0000_0000,
  0xEE6B_2800_0000_0000, 0x9502_F900_0000_0000, 0xBA43_B740_0000_0000, 0xE8D4_A510_0000_0000,
  0x9184_E72A_0000_0000, 0xB5E6_20F4_8000_0000, 0xE35F_A931_A000_0000, 0x8E1B_C9BF_0400_0000,
  0xB1A2_BC2E_C500_0000, 0xDE0B_6B3A_7640_0000, 0x8AC7_2304_89E8_0000, 0xAD78_EBC5_AC62_0000,
  0xD8D7_26B7_177A_8000, 0x8786_7832_6EAC_9000, 0xA968_163F_0A57_B400, 0xD3C2_1BCE_CCED_A100,
  0x8459_5161_4014_84A0, 0xA56F_A5B9_9019_A5C8, 0xCECB_8F27_F420_0F3A, 0x813F_3978_F894_0985,
  0xA18F_07D7_36B9_0BE6, 0xC9F2_C9CD_0467_4EDF, 0xFC6F_7C40_4581_2297, 0x9DC5_ADA8_2B70_B59E,
  0xC537_1912_364C_E306, 0xF684_DF56_C3E0_1BC7, 0x9A13_0B96_3A6C_115D, 0xC097_CE7B_C907_15B4,
  0xF0BD_C21A_BB48_DB21, 0x9676_9950_B50D_88F5, 0xBC14_3FA4_E250_EB32, 0xEB19_4F8E_1AE5_25FE,
  0x92EF_D1B8_D0CF_37BF, 0xB7AB_C627_0503_05AE, 0xE596_B7B0_C643_C71A, 0x8F7E_32CE_7BEA_5C70,
  0xB35D_BF82_1AE4_F38C,
]
