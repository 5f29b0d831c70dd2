import Numerics
import Testing

@Suite struct ReductionTests {
  /// The order of addition that every build must use, written out for each lane.
  private func formula(_ x: SIMD16<Float>) -> Float {
    func four(_ i: Int) -> Float { (x[i] + x[i + 8]) + (x[i + 4] + x[i + 12]) }
    return (four(0) + four(2)) + (four(1) + four(3))
  }

  @Test func addsHalvesThenQuartersThenPairs() {
    var state: UInt64 = 88_172_645_463_325_252  // xorshift64
    var differsFromLeftToRight = false
    for _ in 0..<2000 {
      var lanes = SIMD16<Float>()
      for lane in 0..<16 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        lanes[lane] = Float(Int64(bitPattern: state)) * 1e-15
      }
      #expect(lanes.horizontalSum.bitPattern == formula(lanes).bitPattern)
      let leftToRight = (0..<16).reduce(Float(0)) { $0 + lanes[$1] }
      if leftToRight != lanes.horizontalSum { differsFromLeftToRight = true }
    }
    #expect(differsFromLeftToRight, "the order of addition changes some results")
  }

  /// 2^24 + 1 rounds to 2^24, so the result shows which lanes are added first.
  @Test func addsInTheDocumentedOrder() {
    var lanes = SIMD16<Float>(repeating: 0)
    (lanes[0], lanes[8], lanes[4]) = (16_777_216, -16_777_216, 1)
    #expect(lanes.horizontalSum == 1, "lanes 0 and 8 cancel before lane 4 is added")
    (lanes[0], lanes[8], lanes[4], lanes[1]) = (16_777_216, 1, 0, -16_777_216)
    #expect(lanes.horizontalSum == 0, "lane 8 is lost in lane 0 before lane 1 is added")
  }

  @Test func addsDoublesInTheSameOrder() {
    var lanes = SIMD8<Double>(repeating: 0)
    let large = 9_007_199_254_740_992.0  // 2^53
    (lanes[0], lanes[4], lanes[2]) = (large, -large, 1)
    #expect(lanes.horizontalSum == 1, "lanes 0 and 4 cancel before lane 2 is added")
    (lanes[0], lanes[4], lanes[2], lanes[1]) = (large, 1, 0, -large)
    #expect(lanes.horizontalSum == 0, "lane 4 is lost in lane 0 before lane 1 is added")
    #expect(SIMD8<Double>(1, 2, 3, 4, 5, 6, 7, 8).horizontalSum == 36)
  }
}
