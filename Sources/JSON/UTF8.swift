/// What begins at a place in bytes that should be UTF-8 (Unicode 3.9, table 3-7).
enum UTF8Sequence {
  /// A well-formed sequence of so many bytes.
  case complete(Int)
  /// The beginning of a well-formed sequence, at the end of the bytes.
  case cutShort
  case malformed

  @inline(__always)
  init(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF  // the second byte's range is narrower after some first bytes
    switch bytes[index] {
    case 0..<0x80:
      self = .complete(1)
      return
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default:
      self = .malformed
      return
    }
    for offset in 1..<length {
      guard index + offset < bytes.count else {
        self = .cutShort
        return
      }
      guard (offset == 1 ? second : 0x80...0xBF).contains(bytes[index + offset]) else {
        self = .malformed
        return
      }
    }
    self = .complete(length)
  }
}

/// The length of the well-formed UTF-8 sequence that begins at `index`; nil where none does.
public func utf8SequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
  if case .complete(let length) = UTF8Sequence(bytes, at: index) { return length }
  return nil
}

/// Whether all of it is well-formed UTF-8.
public func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { utf8Prefix(bytes) == bytes.count }

/// How many bytes at the beginning are well-formed UTF-8.
func utf8Prefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
  guard let base = bytes.baseAddress else { return 0 }
  var index = 0
  while index < bytes.count {
    let rest = bytes.count - index
    guard let length = ByteBlock(base + index, count: rest).utf8Prefix else { break }
    index += min(length, rest)
  }
  while index < bytes.count, let length = utf8SequenceLength(bytes, at: index) { index += length }  // the exact place
  return index
}

extension ByteBlock {
  /// The length of the UTF-8 sequences that lie whole in a block which one begins with: all of it, or up to three bytes
  /// less. Nil where one is malformed.
  @inline(__always)
  fileprivate var utf8Prefix: Int? {
    guard from(0x80) != 0 else { return Self.size }
    let notContinuations = below(0x80) | from(0xC0)
    let firsts = from(0xC2)  // of two bytes or more; C0 and C1 begin nothing
    let firstsOfThree = from(0xE0)  // or more
    let firstsOfFour = from(0xF0)
    // Continuation bytes stand where a first byte wants them, and nowhere else.
    var malformed = ~notContinuations ^ (firsts << 1 | firstsOfThree << 2 | firstsOfFour << 3)
    malformed |= from(0xC0) & ~firsts | from(0xF5)
    if firstsOfThree != 0 {  // some first bytes narrow the range of the second
      malformed |= equal(0xE0) << 1 & below(0xA0) | equal(0xED) << 1 & from(0xA0)
      if firstsOfFour != 0 { malformed |= equal(0xF0) << 1 & below(0x90) | equal(0xF4) << 1 & from(0x90) }
    }
    guard malformed == 0 else { return nil }
    let cutShort = firsts & 1 << 63 | firstsOfThree & 3 << 62 | firstsOfFour & 7 << 61
    return min(cutShort.trailingZeroBitCount, Self.size)
  }
}

/// How many bytes at the end begin a UTF-8 sequence whose rest is still to come: 0 to 3.
public func incompleteUTF8Suffix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
  for length in 1..<4 where length <= bytes.count {
    if case .cutShort = UTF8Sequence(bytes, at: bytes.count - length) { return length }
  }
  return 0
}
