import JSON
import TestSupport
import Testing

@Suite struct NumberWritingTests {
  private func text(_ value: Float) -> String { written { $0.append(json: value) } }

  @Test(
    arguments: [
      (0, "0"), (-0.0, "-0"), (1, "1"), (33, "33"), (-33.25, "-33.25"), (-0.0125, "-0.0125"), (0.1, "0.1"),
      (0.001, "0.001"), (0.0001, "0.0001"),
      (1e-5, "0.00001"), (1.5e-5, "0.000015"), (9.9999e-6, "9.9999e-6"), (1e-6, "1e-6"), (1e-7, "1e-7"),
      (1.25e-7, "1.25e-7"), (100, "100"),
      (16_777_216, "16777216"), (123456.79, "123456.79"), (1e15, "1000000000000000"), (1e16, "1e16"),
      (9.999999e15, "9999999000000000"),
      (1e17, "1e17"), (1.5e17, "1.5e17"), (3.4028235e38, "3.4028235e38"), (-3.4028235e38, "-3.4028235e38"),
      (Float(bitPattern: 1), "1e-45"),
      (1.1754944e-38, "1.1754944e-38"), (Float(bitPattern: 0x7F_FFFF), "1.1754942e-38"),
      (-146.7777862548828, "-146.77779"), (0.33333334, "0.33333334"),
      (8.589934592e9, "8589935000"), (Float(bitPattern: 14), "2e-44"), (Float(bitPattern: 7), "1e-44"),
    ] as [(Float, String)])
  func writesShortestNotation(_ value: Float, _ expected: String) {
    #expect(text(value) == expected)
  }

  @Test(arguments: [0, 1, -1, 9, 10, 99, 100, -100, 50256, 1_234_567_890, Int.max, Int.min])
  func writesIntegers(_ value: Int) {
    #expect(written { $0.append(json: value) } == String(value))
  }

  /// The significant digits and exponent of a number in any notation.
  private struct Decimal: Equatable {
    var digits: UInt64 = 0
    var exponent = 0
    var isNegative = false

    init(_ text: some Sequence<UInt8>) {
      var (seenPoint, seenE, exponentIsNegative, written) = (false, false, false, 0)
      for byte in text {
        switch byte {
        case UInt8(ascii: "-"): if seenE { exponentIsNegative = true } else { isNegative = true }
        case UInt8(ascii: "+"): break
        case UInt8(ascii: "."): seenPoint = true
        case UInt8(ascii: "e"): seenE = true
        case let digit where seenE: written = 10 * written + Int(digit - UInt8(ascii: "0"))
        case let digit:
          digits = 10 * digits + UInt64(digit - UInt8(ascii: "0"))
          if seenPoint { exponent -= 1 }
        }
      }
      exponent += exponentIsNegative ? -written : written
      while digits > 0, digits % 10 == 0 {
        digits /= 10
        exponent += 1
      }
      if digits == 0 { exponent = 0 }
    }
  }

  /// The bits of the numbers that are written differently from `description`, which is also the shortest decimal, but
  /// by another algorithm.
  private func differing(_ bits: some Sequence<UInt32>) -> [UInt32] {
    let buffer = ByteBuffer()
    return bits.filter { bits in
      let value = Float(bitPattern: bits)
      guard value.isFinite else { return false }
      buffer.removeAll()
      buffer.append(json: value)
      return Decimal(buffer.bytes) != Decimal(value.description.utf8)
    }
  }

  @Test func writesEdgesOfEveryExponent() {
    let fractions: [UInt32] = [
      0, 1, 2, 3, 4, 5, 0x2A_AAAA, 0x3F_FFFF, 0x40_0000, 0x40_0001, 0x55_5555, 0x7F_FFFB, 0x7F_FFFC, 0x7F_FFFD,
      0x7F_FFFE, 0x7F_FFFF,
    ]
    let bits = (0..<255 as Range<UInt32>).flatMap { exponent in fractions.map { exponent << 23 | $0 } }
    #expect(differing(bits).isEmpty)
    #expect(differing(bits.map { $0 | 0x8000_0000 }).isEmpty)
    #expect(differing(0..<3000).isEmpty, "the smallest subnormal numbers")
  }

  @Test func writesNeighborsOfPowersOfTen() {
    var bits: [UInt32] = []
    var power: Double = 1e-45
    while power < 1e39 {
      let float = Float(power)
      for delta in -3...3 { bits.append(UInt32(max(1, Int(float.bitPattern) + delta))) }
      power *= 10
    }
    #expect(differing(bits).isEmpty)
  }

  @Test func writesRandomNumbersAndReadsThemBack() throws {
    var generator = SeededGenerator(5)
    let bits = (0..<1_000_000).map { _ in UInt32.random(in: 0..<0x7F80_0000, using: &generator) }
    #expect(differing(bits).isEmpty)
    for bits in bits[..<20_000] {
      let value = Float(bitPattern: bits)
      let back = try scan(text(value)) { try $0.float() }
      if back != value { Issue.record("\(value) is written as \(text(value))") }
    }
  }

  /// The range of logits, small integers and halves, and thousandths.
  @Test func writesOrdinaryNumbers() {
    var generator = SeededGenerator(6)
    #expect(differing((0..<100_000).map { _ in Float.random(in: -200..<200, using: &generator).bitPattern }).isEmpty)
    #expect(differing((0..<20_000).map { (Float($0) / 2).bitPattern }).isEmpty)
    #expect(differing((0..<20_000).map { (Float($0) / 1000).bitPattern }).isEmpty)
  }
}
