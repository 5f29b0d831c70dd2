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
public func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  var index = 0
  while index < bytes.count {
    if bytes[index] < 0x80 {
      index += 1
    } else {
      guard let length = utf8SequenceLength(bytes, at: index) else { return false }
      index += length
    }
  }
  return true
}

/// How many bytes at the end begin a UTF-8 sequence whose rest is still to come: 0 to 3.
public func incompleteUTF8Suffix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
  for length in 1..<4 where length <= bytes.count {
    if case .cutShort = UTF8Sequence(bytes, at: bytes.count - length) { return length }
  }
  return 0
}
