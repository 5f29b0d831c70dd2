import CKernels
import Numerics
import Testing

@Suite struct HorizontalSumTests {
  @Test func sixteenSumsEqualSingleSums() {
    let numbers = (0..<16 * 16).map { 1 / Float($0 + 1) - 0.03 }
    // Groups of four vectors are 100 numbers apart
    var spread = [Float](repeating: .nan, count: 3 * 100 + 64)
    for (index, number) in numbers.enumerated() { spread[index / 64 * 100 + index % 64] = number }
    let sums = lmpipe_horizontal_sums(spread, 100)
    for vector in 0..<16 {
      var lanes = SIMD16<Float>()
      for lane in 0..<16 { lanes[lane] = numbers[vector * 16 + lane] }
      #expect(sums[vector].bitPattern == lanes.horizontalSum.bitPattern)
    }
  }
}
