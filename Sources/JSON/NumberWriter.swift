extension ByteBuffer {
  public func append(json value: Int) {
    append(upTo: 20) { target in
      var start = 0
      if value < 0 {
        target[0] = UInt8(ascii: "-")
        start = 1
      }
      return start + writeDigits(value.magnitude, to: target + start)
    }
  }

  /// Appends the shortest decimal number that reads back to the same bits. `value` must be finite: JSON has no others.
  public func append(json value: Float) {
    precondition(value.isFinite)
    append(upTo: 32) { target in writeShortest(value, to: target) }
  }
}

/// Writes the digits of `value` and returns how many there are.
@inline(__always)
private func writeDigits(_ value: UInt, to target: UnsafeMutablePointer<UInt8>) -> Int {
  var length = 1
  var rest = value
  while rest >= 10 {
    rest /= 10
    length += 1
  }
  rest = value
  var index = length
  repeat {
    index -= 1
    target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
    rest /= 10
  } while index > 0
  return length
}

/// Plain notation from 10^-5 up to 10^16, as Python and JavaScript print, and an exponent beyond: `33`, `-0.0125`, `1e-7`.
@inline(__always)
private func writeShortest(_ value: Float, to target: UnsafeMutablePointer<UInt8>) -> Int {
  var end = target
  if value.sign == .minus {
    end.pointee = UInt8(ascii: "-")
    end += 1
  }
  guard value != 0 else {
    end.pointee = UInt8(ascii: "0")
    return end - target + 1
  }
  var (digits, exponent) = shortestDecimal(value.magnitude)
  while digits % 10 == 0 {
    digits /= 10
    exponent += 1
  }
  let count = writeDigits(UInt(digits), to: end)
  let pointPosition = count + exponent  // of the decimal point, in digits from the first
  switch pointPosition {
  case count...16:  // an integer
    (end + count).update(repeating: UInt8(ascii: "0"), count: exponent)
    end += pointPosition
  case 1..<count:  // the point is among the digits
    for index in (pointPosition..<count).reversed() { end[index + 1] = end[index] }
    end[pointPosition] = UInt8(ascii: ".")
    end += count + 1
  case -4...0:  // 0.000123
    let zeros = 2 - pointPosition
    for index in (0..<count).reversed() { end[index + zeros] = end[index] }
    end.update(repeating: UInt8(ascii: "0"), count: zeros)
    end[1] = UInt8(ascii: ".")
    end += count + zeros
  default:  // 1.23e-7
    if count > 1 {
      for index in (1..<count).reversed() { end[index + 1] = end[index] }
      end[1] = UInt8(ascii: ".")
      end += 1
    }
    end += count
    end.pointee = UInt8(ascii: "e")
    end += 1
    if pointPosition < 1 {
      end.pointee = UInt8(ascii: "-")
      end += 1
    }
    end += writeDigits((pointPosition - 1).magnitude, to: end)
  }
  return end - target
}

/// The decimal `digits` × 10^`exponent` that lies in the interval of numbers that round to `value` and has the fewest
/// digits there, and among those is the nearest to `value` (trailing zeros may remain). `value` is positive and finite.
///
/// Raffaello Giulietti, "The Schubfach way to render doubles" (2020), for single precision.
private func shortestDecimal(_ value: Float) -> (digits: UInt32, exponent: Int) {
  let bits = value.bitPattern
  let fraction = bits & 0x7F_FFFF
  let biased = Int(bits >> 23)
  let (c, q) = biased == 0 ? (fraction, -149) : (fraction | 0x80_0000, biased - 150)  // value = c · 2^q
  let isEven = c & 1 == 0  // then the interval's ends belong to it
  let lowerIsCloser = fraction == 0 && biased > 1

  // Four times the interval's lower end, the value and its upper end, in units of 2^(q-2)
  let lower4 = 4 * c - 2 + (lowerIsCloser ? 1 : 0)
  let value4 = 4 * c
  let upper4 = 4 * c + 2

  // k = floor(log10(2^q)), or of ¾·2^q; then scale everything by 10^-k
  let k = (q * 1_262_611 - (lowerIsCloser ? 524_031 : 0)) >> 22
  let shift = q + ((-k * 1_741_647) >> 19) + 1
  let power = powerOfTenSignificands[-k + 31]
  var low = multiplyRoundingToOdd(power, lower4 << UInt32(shift))
  let middle = multiplyRoundingToOdd(power, value4 << UInt32(shift))
  var high = multiplyRoundingToOdd(power, upper4 << UInt32(shift))
  if !isEven {
    low += 1
    high -= 1
  }

  let s = middle / 4
  if s >= 10 {  // one digit fewer, if just one such number is inside
    let shorter = s / 10
    let belowIsInside = low <= 40 * shorter
    let aboveIsInside = 40 * shorter + 40 <= high
    if belowIsInside != aboveIsInside { return (shorter + (aboveIsInside ? 1 : 0), k + 1) }
  }
  let belowIsInside = low <= 4 * s
  let aboveIsInside = 4 * s + 4 <= high
  if belowIsInside != aboveIsInside { return (s + (aboveIsInside ? 1 : 0), k) }
  let half = 4 * s + 2
  return (s + (middle > half || (middle == half && s & 1 == 1) ? 1 : 0), k)
}

/// The upper part of the product, its last bit set where anything was cut off.
@inline(__always)
private func multiplyRoundingToOdd(_ power: UInt64, _ factor: UInt32) -> UInt32 {
  let (high, low) = power.multipliedFullWidth(by: UInt64(factor))
  return UInt32(truncatingIfNeeded: high) | (low >> 32 > 1 ? 1 : 0)
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
