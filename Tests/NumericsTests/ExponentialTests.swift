import Foundation
import Numerics
import Testing

@Suite struct ExponentialTests {
  private typealias Lanes = SIMD16<Float>

  /// Computes e^x of 16 numbers at a time.
  private func exponentials(_ numbers: [Float]) -> [Float] {
    stride(from: 0, to: numbers.count, by: 16).flatMap { start in
      var lanes = Lanes()
      for lane in 0..<16 where start + lane < numbers.count { lanes[lane] = numbers[start + lane] }
      let results = exponential(lanes)
      return (0..<min(16, numbers.count - start)).map { results[$0] }
    }
  }

  /// The largest error in units of the last place of the correct result.
  private func error(_ numbers: [Float]) -> Double {
    zip(numbers, exponentials(numbers)).reduce(0) { worst, pair in
      let correct = exp(Double(pair.0))
      return max(worst, abs(Double(pair.1) - correct) / Double(Float(correct).ulp))
    }
  }

  @Test func floatsAreWithinTwoUlp() {
    #expect(error((0...200_000).map { -87 + 175 * Float($0) / 200_000 }) <= 2)
    #expect(error((-20_000...20_000).map { Float($0) * 1e-4 }) <= 2, "around zero")
    #expect(error((-1000...1000).map { Float($0) * 1e-9 }) <= 2, "very near zero")
    // At the boundaries of the range reduction, halfway between multiples of ln 2
    let boundaries = (-125...126).flatMap { n in
      let boundary = Float((Double(n) + 0.5) * M_LN2)
      return [boundary.nextDown, boundary, boundary.nextUp]
    }
    #expect(error(boundaries.filter { (-87...88).contains($0) }) <= 2)
  }

  @Test func floatsAreExactAtZero() {
    #expect(exponentials([0, -0.0]) == [1, 1])
  }

  @Test func floatsAreClampedToTheRange() {
    let ends = exponentials([-87, 88])
    #expect(
      exponentials([-87.5, -1000, -.greatestFiniteMagnitude, -.infinity]) == [Float](repeating: ends[0], count: 4))
    #expect(exponentials([88.5, 1000, .greatestFiniteMagnitude, .infinity]) == [Float](repeating: ends[1], count: 4))
    #expect(ends[0] > 0 && ends[1].isFinite)
  }

  /// The result of a lane must not depend on its index or on other lanes.
  @Test func lanesAreIndependent() {
    let numbers = (0..<16).map { Float($0) * 1.37 - 11 }
    let together = exponentials(numbers)
    for (number, expected) in zip(numbers, together) {
      let alone = exponential(Lanes(repeating: number))
      #expect((0..<16).allSatisfy { alone[$0].bitPattern == expected.bitPattern })
    }
    #expect(exponentials(numbers.reversed()) == together.reversed())
  }

  @Test func doublesAreWithinTwoUlp() {
    var worst = 0.0
    for step in 0...100_000 {
      for x in [
        -707.9 + 1416.9 * Double(step) / 100_000, (Double(step) - 50_000) * 1e-5, (Double(step) - 50_000) * 1e-14,
      ] {
        let correct = exp(x)
        worst = max(worst, abs(exponential(x) - correct) / correct.ulp)
      }
    }
    #expect(worst <= 2)
    #expect(exponential(0.0) == 1 && exponential(-0.0) == 1)
    #expect(exponential(709.0).isFinite)
  }

  @Test func lanesOfDoublesEqualSingleNumbers() {
    for start in stride(from: -760.0, to: 700, by: 3.7) {
      var lanes = SIMD8<Double>()
      for lane in 0..<8 { lanes[lane] = start + Double(lane * lane) }
      let results = exponential(lanes)
      for lane in 0..<8 { #expect(results[lane].bitPattern == exponential(lanes[lane]).bitPattern) }
    }
    #expect(exponential(Double.nan) == 0)
  }

  @Test func smallDoublesAreZero() {
    #expect(exponential(-708.0) == 0 && exponential(-1e6) == 0 && exponential(-Double.infinity) == 0)
    #expect(exponential(-707.0) > 0)
  }

  @Test func logarithmsAreWithinThreeUlp() {
    var worst = 0.0
    func check(_ x: Double) {
      let correct = log(x)
      worst = max(
        worst, correct == 0 ? abs(naturalLogarithm(x)) * 1e300 : abs(naturalLogarithm(x) - correct) / correct.ulp)
    }
    for step in 1...50_000 {
      check(Double(step) * 1e-3)  // past 1, √½, √2 and the powers of two
      check(1 + Double(step) * 1e-13)
      check(1 - Double(step) * 1e-13)
      check(0.7 + Double(step) * 1e-5)
      check(Double(step) * 1e300)
      check(Double(step) * 1e-300)
    }
    for exponent in -1022...1023 {
      let power = Double(sign: .plus, exponent: exponent, significand: 1)
      check(power)
      check(power.nextUp)
      if power.nextDown.isNormal { check(power.nextDown) }
    }
    check(.leastNormalMagnitude)
    check(.greatestFiniteMagnitude)
    #expect(worst <= 3)  // 3 for a few numbers between ½ and √2; 2^-29 of the precision of a Float
    #expect(naturalLogarithm(1) == 0)
  }
}
