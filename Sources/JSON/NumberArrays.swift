extension JSONScanner {
  /// Reads an array of numbers and returns the nearest `Float` of each.
  public mutating func floats() throws(JSONError) -> [Float] {
    try numbers(fast: fastFloat, general: { (scanner) throws(JSONError) in try scanner.float() })
  }

  /// Reads an array of integers.
  public mutating func integers() throws(JSONError) -> [Int] {
    try numbers(fast: fastInteger, general: { (scanner) throws(JSONError) in try scanner.integer() })
  }

  /// Reads an array of numbers.
  ///
  /// - Parameters:
  ///   - fast: converts a number that the fast path has found; nil if it cannot.
  ///   - general: reads any number.
  @inline(__always)
  private mutating func numbers<Number>(
    fast: (_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Number?,
    general: (inout JSONScanner) throws(JSONError) -> Number
  ) throws(JSONError) -> [Number] {
    guard try beginArray() else { return [] }
    var failure: JSONError?
    // An upper bound of the number of elements: each takes at least one byte, followed by a comma or bracket.
    let numbers = [Number](unsafeUninitializedCapacity: (bytes.count - position) / 2 + 1) { numbers, initializedCount in
      var count = 0
      defer { initializedCount = count }
      do throws(JSONError) {
        repeat {
          takeNumbersOnFastPath { text, point, length in
            guard let number = fast(text, point, length) else { return false }
            numbers.initializeElement(at: count, to: number)
            count &+= 1
            return true
          }
          numbers.initializeElement(at: count, to: try general(&self))
          count += 1
        } while try another(closing: UInt8(ascii: "]"))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return numbers
  }
}

/// Converts an integer of at most eight digits; nil for other numbers.
@inline(__always)
private func fastInteger(_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Int? {
  let isNegative = text.pointee == UInt8(ascii: "-")
  let count = length &- (isNegative ? 1 : 0)
  guard point == length, count <= 8 else { return nil }
  let magnitude = Int(truncatingIfNeeded: numberOfDigits(text + (length &- count), count))
  return isNegative ? 0 &- magnitude : magnitude
}

/// Returns the nearest `Float` of a number with at most eight integer digits and 18 digits in all; nil for other
/// numbers and for the few numbers that need more precision (see `Decimal.nearestFloat`).
@inline(__always)
private func fastFloat(_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Float? {
  let isNegative = text.pointee == UInt8(ascii: "-")
  let wholeCount = point &- (isNegative ? 1 : 0)
  let fractionCount = length &- point &- (point < length ? 1 : 0)
  guard wholeCount <= 8, wholeCount &+ fractionCount <= 18 else { return nil }
  var significand = numberOfDigits(text + (point &- wholeCount), wholeCount)
  var (digits, rest) = (text + (point &+ 1), fractionCount)
  while rest > 8 {
    significand = significand &* 100_000_000 &+ numberOfDigits(digits, 8)
    digits += 8
    rest &-= 8
  }
  significand = significand &* powersOfTen[rest] &+ numberOfDigits(digits, rest)
  return Decimal(
    isNegative: isNegative, significand: Int64(truncatingIfNeeded: significand), exponent: 0 &- fractionCount
  ).nearestFloat
}

/// Returns the value of `count` digits, 0 to 8. Reads eight bytes.
@inline(__always)
private func numberOfDigits(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
  // The shift puts zeros before the digits and removes the bytes after them. Then digits are combined into pairs, pairs
  // into groups of four, and these groups into eight digits: each step is x·10^n + y for all groups at once.
  let digits = (word & 0x0F0F_0F0F_0F0F_0F0F) << UInt64(truncatingIfNeeded: 64 &- 8 &* count)
  let pairs = digits &* 10 &+ digits &>> 8
  let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* (100 << 16 + 1)) &>> 16
  return ((fours & 0x0000_FFFF_0000_FFFF) &* (10_000 << 32 + 1)) &>> 32
}

private let powersOfTen: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
