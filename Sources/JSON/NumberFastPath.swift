/// The fast path for arrays of numbers: finds all numbers in a block of 64 bytes with bit masks, as simdjson does for
/// structural characters.
///
/// It accepts numbers without exponent, each followed by a comma and at most one space, and checks the grammar of RFC
/// 8259 for them. Each mask has a bit for each byte, so shifting a mask by one tests the next byte. An example, with
/// the first byte on the left and dots for zeros:
///
///     text        -1.5, 20,
///     minuses     1........
///     digits      .1.1..11.
///     points      ..1......
///     commas      ....1...1
///     spaces      .....1...
///     beginnings  1.....1..     (separators << 1 | 1) & ~separators
///     firstDigits .1....1..     a digit at a beginning, or the byte after a minus there
///
/// A number is a run of ones in `~commas`. Adding its point to it clears the run from the point on, and the carry sets
/// the bit of the comma. A second point sets a bit in the cleared part again, which is how `1.5.2` is found:
///
///     text               1.5,    1.5.2,
///     ~commas            111.    11111.
///     points             .1..    .1.1..
///     ~commas + points   1..1    1..1.1
///     … & points         ....    ...1..    not zero: two points
struct NumberBlock {
  /// The length of the numbers in bytes, up to and including the last comma in the block. 0 if anything else comes
  /// before that comma, or if there is no comma.
  let length: Int
  let beginnings: UInt64
  let points: UInt64
  let commas: UInt64

  /// - Parameter block: begins with an element of an array, or with a space before one.
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
    wrong |= spaces & ~(commas << 1 | 1)  // a space follows a comma, or begins the block
    wrong |= beginnings & ~(digits | minuses)
    wrong |= minuses & ~beginnings
    wrong |= (minuses | points) << 1 & ~digits  // a digit follows a minus or a point
    wrong |= (points | commas) & ~(digits << 1)  // a digit precedes a point or a comma
    wrong |= leadingZeros << 1 & digits
    wrong |= (~commas &+ points) & points  // two points in one number

    let upToComma = 64 - commas.leadingZeroBitCount
    length = wrong << UInt64(64 - upToComma) == 0 ? upToComma : 0  // the shift removes the bits after the comma
  }
}

extension JSONScanner {
  /// Skips the numbers that the fast path accepts, from the beginning of one array element to the beginning of another.
  /// The caller parses the next element with the general path.
  mutating func skipNumbersOnFastPath() {
    guard let base = bytes.baseAddress else { return }
    while bytes.count - position >= ByteBlock.size {
      let length = NumberBlock(ByteBlock(base + position, count: ByteBlock.size)).length
      guard length > 0 else { return }
      position += length
    }
  }

  /// Calls `take` with each of the numbers that the fast path accepts: its address, the offset of the byte after its
  /// integer part, and its length. Stops at the first number for which `take` returns false; the position is then at
  /// its beginning.
  ///
  /// At least `padding` bytes can be read from the beginning of each number.
  @inline(__always)
  mutating func takeNumbersOnFastPath(_ take: (_ number: UnsafePointer<UInt8>, _ point: Int, _ count: Int) -> Bool) {
    guard let base = bytes.baseAddress else { return }
    while bytes.count - position >= ByteBlock.size + Self.padding {
      let start = base + position
      let numbers = NumberBlock(ByteBlock(start, count: ByteBlock.size))
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

  /// Padding of the text: the number of bytes after a block that may be read. Reading a number of up to 18 digits, a
  /// minus and a point eight bytes at a time touches at most 27 bytes from its beginning.
  static let padding = 32
}
