/// Returns the number with thousands separators: `1234567` as `1,234,567`.
public func withThousandsSeparators(_ number: Int) -> String {
  let digits = String(number)
  var result = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, digit != "-", (digits.count - index) % 3 == 0, result != "-" { result.append(",") }
    result.append(digit)
  }
  return result
}

/// Returns the number with thousands separators if it is an integer: `10000.0` as `10,000`, and `0.5` as it is.
public func withThousandsSeparators(_ number: Double) -> String {
  Int(exactly: number).map { withThousandsSeparators($0) } ?? "\(number)"
}

/// Returns a byte count with one decimal and a decimal unit from kB to TB, rounded down: `98362432` as `98.3 MB`, and
/// `27` as `27 bytes`.
public func formattedByteCount(_ bytes: Int) -> String {
  if bytes < 1000 { return bytes == 1 ? "1 byte" : "\(bytes) bytes" }
  var tenths = bytes
  for unit in ["kB", "MB", "GB", "TB"] {
    tenths = unit == "kB" ? bytes / 100 : tenths / 1000
    if tenths < 10_000 || unit == "TB" { return "\(tenths / 10).\(tenths % 10) \(unit)" }
  }
  return "\(bytes) bytes"
}
