import Foundation
import Numerics
import Testing

@Suite struct TrigonometryTests {
  /// The largest difference from the C library.
  private func error(_ angles: some Sequence<Double>) -> Double {
    angles.reduce(0) { worst, angle in
      let (sine, cosine) = sineAndCosine(angle)
      return max(worst, abs(sine - sin(angle)), abs(cosine - cos(angle)))
    }
  }

  @Test func agreesWithTheCLibrary() {
    #expect(error((-100_000...100_000).map { Double($0) * 1e-4 }) < 1e-13)
    #expect(error((0...100_000).map { Double($0) * 1.3107 }) < 1e-13, "positions of long texts")
    // At the boundaries of the range reduction
    #expect(error((-1000...1000).map { (Double($0) + 0.5) * Double.pi / 2 }) < 1e-13)
  }

  /// Angles up to 2^26 quarter turns have a result; larger ones, infinity and NaN give NaN.
  @Test func givesNaNBeyondTheRange() {
    let limit = 0x1p26 * Double.pi / 2
    #expect(error([limit, -limit, limit.nextDown, 1e8, 104_857_600, -1e8]) < 1e-13)
    #expect(error([.leastNonzeroMagnitude, -0.0, .leastNormalMagnitude]) == 0)
    for angle in [limit + 1, 1e9, 0x1p62, 0x1p63, 1e19, 1e30, .greatestFiniteMagnitude, .infinity, .nan, .signalingNaN]
    {
      for angle in [angle, -angle] {
        let (sine, cosine) = sineAndCosine(angle)
        #expect(sine.isNaN && cosine.isNaN, "\(angle)")
      }
    }
  }

  @Test func isAccurateAtZeroAndRightAngle() {
    #expect(sineAndCosine(0) == (0, 1))
    #expect(abs(sineAndCosine(Double.pi / 2).sine - 1) < 1e-15)
  }
}
