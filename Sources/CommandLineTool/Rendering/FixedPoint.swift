/// Returns a number that is not negative with a fixed number of decimals: `fixedPoint(0.19406, decimals: 4)` is
/// `0.1941`. Numbers of 10^12 and more are written as `>1e12`.
public func fixedPoint(_ number: Float, decimals: Int) -> String {
  guard number < 1e12 else { return ">1e12" }
  let scale = (0..<decimals).reduce(1) { scale, _ in 10 * scale }
  // The product is exact in float64 up to 2^53; as float32 it would be rounded twice.
  let scaled = Int((Double(max(number, 0)) * Double(scale)).rounded())
  guard decimals > 0 else { return "\(scaled)" }
  let digits = String(scaled % scale)
  return "\(scaled / scale).\(String(repeating: "0", count: decimals - digits.count))\(digits)"
}
