/// `1234567` as `1,234,567`.
public func withThousandsSeparators(_ number: Int) -> String {
  let digits = String(number)
  var result = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, digit != "-", (digits.count - index) % 3 == 0, result != "-" { result.append(",") }
    result.append(digit)
  }
  return result
}
