/// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): random numbers as a function
/// of a key and a counter, without state.
enum Philox {
  /// Returns four numbers of 32 random bits.
  static func numbers(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var (key, counter) = (key, counter)
    for _ in 0..<10 {
      let first = multipliers[0].multipliedFullWidth(by: counter[0])
      let second = multipliers[1].multipliedFullWidth(by: counter[2])
      counter = SIMD4(second.high ^ counter[1] ^ key[0], second.low, first.high ^ counter[3] ^ key[1], first.low)
      key &+= keySteps
    }
    return counter
  }

  private static let multipliers = SIMD2<UInt32>(0xD251_1F53, 0xCD9E_8D57)
  private static let keySteps = SIMD2<UInt32>(0x9E37_79B9, 0xBB67_AE85)  // the golden ratio, √3 - 1
}

/// Returns the number in 0..<1, a multiple of 2⁻⁵³, that selects the token at a position (from 0) of a sequence.
///
/// Computed by Philox with the seed as key and the position as counter, low words first. The first two numbers are the
/// upper and lower 32 bits, of which the upper 53 are used.
public func uniformNumber(seed: UInt64, position: Int) -> Double {
  func words(_ number: UInt64) -> SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32))
  }
  let counter = SIMD4(lowHalf: words(UInt64(position)), highHalf: .zero)
  let numbers = Philox.numbers(key: words(seed), counter: counter)
  return Double((UInt64(numbers[0]) << 32 | UInt64(numbers[1])) >> 11) * 0x1p-53
}
