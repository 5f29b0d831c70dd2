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
