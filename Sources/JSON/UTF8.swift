/// The result of decoding one UTF-8 sequence (Unicode 3.9, table 3-7).
enum UTF8Sequence {
  /// A well-formed sequence with its length in bytes.
  case complete(Int)
  /// The beginning of a well-formed sequence that is truncated by the end of the bytes.
  case truncated
  case malformed

  @inline(__always)
  init(_ bytes: Span<UInt8>, at index: Int) {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF  // narrower after some first bytes, see below
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
        self = .truncated
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

/// Returns the length of the well-formed UTF-8 sequence that begins at `index`; nil if the bytes there are not
/// well-formed.
public func utf8SequenceLength(_ bytes: Span<UInt8>, at index: Int) -> Int? {
  if case .complete(let length) = UTF8Sequence(bytes, at: index) { return length }
  return nil
}

/// Returns whether all bytes are well-formed UTF-8.
public func isUTF8(_ bytes: Span<UInt8>) -> Bool { bytes.withUnsafeBufferPointer(utf8Prefix) == bytes.count }

/// Returns the length of the longest prefix that is well-formed UTF-8.
func utf8Prefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
  guard let base = bytes.baseAddress else { return 0 }
  var index = 0
  while index < bytes.count {
    let rest = bytes.count - index
    guard let length = ByteBlock(base + index, count: rest).utf8Prefix else { break }
    index += min(length, rest)
  }
  // The exact end.
  while index < bytes.count, let length = utf8SequenceLength(bytes.span, at: index) { index += length }
  return index
}

extension ByteBlock {
  /// The length of the complete UTF-8 sequences in a block that begins with a sequence: 61 to 64 bytes. Nil if a
  /// sequence is malformed.
  @inline(__always)
  fileprivate var utf8Prefix: Int? {
    guard from(0x80) != 0 else { return Self.size }
    let notContinuations = below(0x80) | from(0xC0)
    let firsts = from(0xC2)  // of two bytes or more; C0 and C1 never occur
    let firstsOfThree = from(0xE0)  // or more
    let firstsOfFour = from(0xF0)
    // Continuation bytes must occur exactly at the positions that the first bytes determine.
    var malformed = ~notContinuations ^ (firsts << 1 | firstsOfThree << 2 | firstsOfFour << 3)
    malformed |= from(0xC0) & ~firsts | from(0xF5)
    if firstsOfThree != 0 {  // the ranges of second bytes that are narrower
      malformed |= equal(0xE0) << 1 & below(0xA0) | equal(0xED) << 1 & from(0xA0)
      if firstsOfFour != 0 { malformed |= equal(0xF0) << 1 & below(0x90) | equal(0xF4) << 1 & from(0x90) }
    }
    guard malformed == 0 else { return nil }
    let truncated = firsts & 1 << 63 | firstsOfThree & 3 << 62 | firstsOfFour & 7 << 61
    return min(truncated.trailingZeroBitCount, Self.size)
  }
}

/// Returns the number of bytes at the end, 0 to 3, that are the beginning of an incomplete UTF-8 sequence.
public func incompleteUTF8Suffix(_ bytes: Span<UInt8>) -> Int {
  for length in 1..<4 where length <= bytes.count {
    if case .truncated = UTF8Sequence(bytes, at: bytes.count - length) { return length }
  }
  return 0
}
