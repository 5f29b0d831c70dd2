import Foundation
import Numerics
import Testing

@Suite struct ErrorFunctionTests {
  /// The largest error in units of the last place of the correct result.
  private func error(_ numbers: [Float]) -> Double {
    numbers.map { errorInUlp(errorFunction, at: $0, of: erf) }.max() ?? .infinity
  }

  @Test func isWithinTwoUlp() {
    #expect(error((-60_000...60_000).map { Float($0) * 1e-4 }) <= 1.5)
    #expect(error((-2000...2000).map { Float($0) * 1e-7 }) <= 1.5, "around zero")
    #expect(error((-125...127).map { Float(sign: .plus, exponent: $0, significand: 1.37) }) <= 1.5, "all exponents")
    // At the boundaries between the polynomials, and after the last
    let boundaries: [Float] = [1, 4]
    #expect(error(boundaries.flatMap { [$0.nextDown, $0, $0.nextUp] }.flatMap { [$0, -$0] }) <= 1.5)
  }

  @Test func isOddAndSaturates() {
    for x: Float in [4, 5.5, 1e10, .greatestFiniteMagnitude, .infinity] {
      #expect(errorFunction(.init(repeating: x)) == .init(repeating: 1))
      #expect(errorFunction(.init(repeating: -x)) == .init(repeating: -1))
    }
    for x: Float in [0, .leastNonzeroMagnitude, 1e-20, 0.3, 1, 1.5, 3.9] {
      let (positive, negative) = (errorFunction(.init(repeating: x))[3], errorFunction(.init(repeating: -x))[3])
      #expect(positive.bitPattern == negative.bitPattern ^ 1 << 31)
    }
    #expect(errorFunction(.init(repeating: .nan))[0].isNaN)
  }

  /// The result of a lane must not depend on its index or on other lanes.
  @Test func lanesAreIndependent() { #expect(hasIndependentLanes(errorFunction, step: 0.47)) }
}
