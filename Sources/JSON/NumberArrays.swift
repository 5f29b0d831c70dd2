extension JSONScanner {
  /// The numbers of an array.
  public mutating func floats() throws(JSONError) -> [Float] {
    try numbers(plain: plainFloat) { (scanner) throws(JSONError) in try scanner.float() }
  }

  /// The numbers of an array of integers.
  public mutating func integers() throws(JSONError) -> [Int] {
    try numbers(plain: plainInteger) { (scanner) throws(JSONError) in try scanner.integer() }
  }

  /// - Parameter plain: reads a plain number; nil for one that is left to `any`.
  @inline(__always)
  private mutating func numbers<Number>(
    plain: (_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Number?,
    any: (inout JSONScanner) throws(JSONError) -> Number
  ) throws(JSONError) -> [Number] {
    guard try beginArray() else { return [] }
    var failure: JSONError?
    // As many as can be in the rest of the text: a number has a byte at least, and another stands behind it.
    let numbers = [Number](unsafeUninitializedCapacity: (bytes.count - position) / 2 + 1) { numbers, initializedCount in
      var count = 0
      defer { initializedCount = count }
      do throws(JSONError) {
        repeat {
          takePlainNumbers { text, point, length in
            guard let number = plain(text, point, length) else { return false }
            numbers.initializeElement(at: count, to: number)
            count &+= 1
            return true
          }
          numbers.initializeElement(at: count, to: try any(&self))
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

/// The value of a plain number without fraction; nil for others and for the few that take more than this.
@inline(__always)
private func plainInteger(_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Int? {
  let isNegative = text.pointee == UInt8(ascii: "-")
  let count = length &- (isNegative ? 1 : 0)
  guard point == length, count <= 8 else { return nil }
  let magnitude = Int(truncatingIfNeeded: numberOfDigits(text + (length &- count), count))
  return isNegative ? 0 &- magnitude : magnitude
}

/// The nearest `Float` of a plain number; nil for the few that take more than this.
@inline(__always)
private func plainFloat(_ text: UnsafePointer<UInt8>, _ point: Int, _ length: Int) -> Float? {
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

/// The number that the first 0 to 8 of eight bytes are the digits of.
@inline(__always)
private func numberOfDigits(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self))
  // Zeros in front push out what stands behind; then digits are put together to pairs, these to fours, these to eight.
  let digits = (word & 0x0F0F_0F0F_0F0F_0F0F) << UInt64(truncatingIfNeeded: 64 &- 8 &* count)
  let pairs = digits &* 10 &+ digits &>> 8
  let fours = ((pairs & 0x00FF_00FF_00FF_00FF) &* (100 << 16 + 1)) &>> 16
  return ((fours & 0x0000_FFFF_0000_FFFF) &* (10_000 << 32 + 1)) &>> 32
}

private let powersOfTen: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
