import Foundation
import Numerics
import Testing

@Suite struct HyperbolicTangentTests {
  /// The largest error in units of the last place of the correct result.
  private func error(_ numbers: [Float]) -> Double {
    numbers.map { errorInUlp(hyperbolicTangent, at: $0, of: tanh) }.max() ?? .infinity
  }

  @Test func isWithinTwoUlp() {
    #expect(error((-60_000...60_000).map { Float($0) * 2e-4 }) <= 2)
    #expect(error((-2000...2000).map { Float($0) * 1e-7 }) <= 2, "around zero")
    #expect(error((-125...127).map { Float(sign: .plus, exponent: $0, significand: 1.37) }) <= 2, "all exponents")
    let boundary: Float = 0.625
    #expect(error([boundary.nextDown, boundary, boundary.nextUp].flatMap { [$0, -$0] }) <= 2)
  }

  @Test func isOddAndSaturates() {
    for x: Float in [9.1, 43, 45, 89, 1e10, .greatestFiniteMagnitude, .infinity] {
      #expect(hyperbolicTangent(.init(repeating: x)) == .init(repeating: 1))
      #expect(hyperbolicTangent(.init(repeating: -x)) == .init(repeating: -1))
    }
    for x: Float in [.leastNonzeroMagnitude, 1e-20, 0.3, 0.625, 0.7, 8] {
      let (positive, negative) = (hyperbolicTangent(.init(repeating: x))[3], hyperbolicTangent(.init(repeating: -x))[3])
      #expect(positive.bitPattern == negative.bitPattern ^ 1 << 31)
    }
    #expect(hyperbolicTangent(.init(repeating: 0)) == .init(repeating: 0))
    #expect(hyperbolicTangent(.init(repeating: .nan))[0].isNaN)
  }

  /// The result of a lane must not depend on its index or on other lanes.
  @Test func lanesAreIndependent() { #expect(hasIndependentLanes(hyperbolicTangent, step: 0.13)) }
}
