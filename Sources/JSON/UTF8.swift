/// The length of the well-formed UTF-8 sequence (Unicode 3.9, table 3-7) that begins at `index`; nil where none does.
public func utf8SequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
  let first = bytes[index]
  let length: Int
  var second: ClosedRange<UInt8> = 0x80...0xBF  // the second byte's range is narrower after some first bytes
  switch first {
  case 0..<0x80: return 1
  case 0xC2...0xDF: length = 2
  case 0xE0: (length, second) = (3, 0xA0...0xBF)
  case 0xED: (length, second) = (3, 0x80...0x9F)
  case 0xE1...0xEF: length = 3
  case 0xF0: (length, second) = (4, 0x90...0xBF)
  case 0xF1...0xF3: length = 4
  case 0xF4: (length, second) = (4, 0x80...0x8F)
  default: return nil
  }
  guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return nil }
  for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return nil }
  return length
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

/// How many bytes at the end begin a UTF-8 sequence that the rest has still to come of: 0 to 3.
public func incompleteUTF8Suffix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
  for length in 1..<4 where length <= bytes.count {
    let first = bytes[bytes.count - length]
    guard first & 0xC0 == 0xC0 else {
      if first & 0xC0 == 0x80 { continue }  // inside a sequence, perhaps: look at the byte before
      return 0
    }
    // Complete it with the continuation bytes that would be the most likely to be right, and see if it is one.
    let needed = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard length < needed else { return 0 }
    for second in [UInt8(0x80), 0xA0, 0x90] {
      var trial = Array(bytes[(bytes.count - length)...])
      while trial.count < needed { trial.append(trial.count == 1 ? second : 0x80) }
      if trial.withUnsafeBufferPointer({ utf8SequenceLength($0, at: 0) }) != nil { return length }
    }
    return 0
  }
  return 0
}
