/// Where the numbers are that a block of an array's text begins with: plain ones, without exponent, each with a comma and
/// at most one space behind it.
struct PlainNumbers {
  /// How many bytes they are, up to and including the last comma in the block. 0 where anything else stands before that,
  /// or there is none.
  let length: Int
  let beginnings: UInt64
  let points: UInt64
  let commas: UInt64

  /// The block begins where an element of an array does, or with a space in front of one.
  ///
  /// This is the grammar of RFC 8259 for all bytes at once: what may stand behind what is seen by moving on a set of bytes
  /// by one.
  @inline(__always)
  init(_ block: ByteBlock) {
    commas = block.equal(UInt8(ascii: ","))
    let spaces = block.equal(UInt8(ascii: " "))
    points = block.equal(UInt8(ascii: "."))
    let minuses = block.equal(UInt8(ascii: "-"))
    let digits = block.digits
    let separators = commas | spaces
    beginnings = (separators << 1 | 1) & ~separators
    let firstDigits = beginnings & digits | (beginnings & minuses) << 1
    let leadingZeros = firstDigits & block.equal(UInt8(ascii: "0"))

    var wrong = ~(digits | minuses | points | separators)
    wrong |= spaces & ~(commas << 1 | 1)
    wrong |= beginnings & ~(digits | minuses)
    wrong |= minuses & ~beginnings
    wrong |= (minuses | points) << 1 & ~digits
    wrong |= (points | commas) & ~(digits << 1)
    wrong |= leadingZeros << 1 & digits
    // A number is a run of ones among the bytes that are no commas. Its point added to it leaves zeros from there on, up
    // to the comma, which takes up the carry; a second point would be a one again.
    wrong |= (~commas &+ points) & points

    let upToComma = 64 - commas.leadingZeroBitCount
    length = wrong << UInt64(64 - upToComma) == 0 ? upToComma : 0  // what stands behind the comma is pushed out
  }
}

extension JSONScanner {
  /// Passes over plain numbers, from the beginning of an array's element to that of another. What comes then, it leaves to
  /// be looked at one by one.
  mutating func skipPlainNumbers() {
    guard let base = bytes.baseAddress else { return }
    while bytes.count - position >= ByteBlock.size {
      let length = PlainNumbers(ByteBlock(base + position, count: ByteBlock.size)).length
      guard length > 0 else { return }
      position += length
    }
  }

  /// Gives `take` each of the numbers that `skipPlainNumbers` would pass over, with the offset of the byte behind its whole
  /// part and its length, until that answers that it did not take one.
  ///
  /// From each number's beginning `roomBehindNumber` bytes and more can be read.
  @inline(__always)
  mutating func takePlainNumbers(_ take: (_ number: UnsafePointer<UInt8>, _ point: Int, _ count: Int) -> Bool) {
    guard let base = bytes.baseAddress else { return }
    while bytes.count - position >= ByteBlock.size + Self.roomBehindNumber {
      let start = base + position
      let numbers = PlainNumbers(ByteBlock(start, count: ByteBlock.size))
      guard numbers.length > 0 else { return }
      var (beginnings, commas) = (numbers.beginnings, numbers.commas)
      while commas != 0 {
        let beginning = beginnings.trailingZeroBitCount
        let count = commas.trailingZeroBitCount &- beginning
        let point = (numbers.points &>> UInt64(truncatingIfNeeded: beginning)).trailingZeroBitCount
        guard take(start + beginning, min(point, count), count) else {
          position += beginning
          return
        }
        beginnings &= beginnings &- 1
        commas &= commas &- 1
      }
      position += numbers.length
    }
  }

  static let roomBehindNumber = 32
}
