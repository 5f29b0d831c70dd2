/// Returns the error of a function of 16 lanes at one argument, in units of the last place of the correct result. The
/// error of a result that is too small to be normal is in units of the smallest normal numbers.
func errorInUlp(
  _ function: (SIMD16<Float>) -> SIMD16<Float>, at x: Float, of correct: (Double) -> Double
) -> Double {
  let expected = correct(Double(x))
  let ulp = max(Double(Float(expected).ulp), Double(Float.leastNormalMagnitude.ulp))
  let difference = abs(Double(function(SIMD16(repeating: x))[7]) - expected)
  return difference.isNaN ? .infinity : difference / ulp
}

/// Returns true if the lanes of a function have the same bits as each alone, in each lane, and in reverse order.
///
/// - Parameter step: arguments are the multiples of it from -8 to 7.
func hasIndependentLanes(_ function: (SIMD16<Float>) -> SIMD16<Float>, step: Float) -> Bool {
  var (arguments, reversed) = (SIMD16<Float>(), SIMD16<Float>())
  for lane in 0..<16 {
    arguments[lane] = Float(lane - 8) * step
    reversed[15 - lane] = arguments[lane]
  }
  let (together, backwards) = (function(arguments), function(reversed))
  return (0..<16).allSatisfy { lane in
    let alone = function(SIMD16(repeating: arguments[lane]))
    return backwards[15 - lane].bitPattern == together[lane].bitPattern
      && (0..<16).allSatisfy { alone[$0].bitPattern == together[lane].bitPattern }
  }
}
