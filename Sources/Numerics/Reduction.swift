extension SIMD16<Float> {
  /// The sum of the lanes, added in a fixed order: halves, quarters, pairs.
  @inlinable
  @inline(__always)
  public var horizontalSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}

/// Returns the horizontal sums of four vectors, with the same bits as `horizontalSum` of each.
@inlinable
@inline(__always)
public func horizontalSums(
  _ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>, _ d: SIMD16<Float>
) -> SIMD4<Float> {
  @inline(__always)
  func quarters(_ lanes: SIMD16<Float>) -> SIMD4<Float> {
    let eight = lanes.lowHalf + lanes.highHalf
    return eight.lowHalf + eight.highHalf
  }
  let (a, b, c, d) = (quarters(a), quarters(b), quarters(c), quarters(d))
  let ab = SIMD4(lowHalf: a.lowHalf, highHalf: b.lowHalf) + SIMD4(lowHalf: a.highHalf, highHalf: b.highHalf)
  let cd = SIMD4(lowHalf: c.lowHalf, highHalf: d.lowHalf) + SIMD4(lowHalf: c.highHalf, highHalf: d.highHalf)
  let pairs = SIMD8(lowHalf: ab, highHalf: cd)
  return pairs.evenHalf + pairs.oddHalf
}

extension SIMD8<Double> {
  /// The sum of the lanes, added in a fixed order: halves, quarters, pairs.
  @inlinable
  @inline(__always)
  public var horizontalSum: Double {
    let four = lowHalf + highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}
