/// Multiplies and folds the 128 bits of the product: every bit of both factors reaches every bit of the result.
@inline(__always)
func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (high, low) = a.multipliedFullWidth(by: b)
  return high ^ low
}

/// Odd, with as many ones as zeros and no pattern: digits of the golden ratio and of π.
let hashFactor1: UInt64 = 0x9E37_79B9_7F4A_7C15
let hashFactor2: UInt64 = 0x243F_6A88_85A3_08D3

/// A hash of `bytes[..<count]`, which reads nothing else.
@inline(__always)
func hashBytes(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
  let raw = UnsafeRawPointer(bytes)
  let last: UInt64  // up to eight bytes at the end; they may overlap those before
  var hash = UInt64(truncatingIfNeeded: count) &* hashFactor1
  if count >= 8 {
    var index = 0
    while index + 8 < count {
      hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self), hashFactor2)
      index += 8
    }
    last = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
  } else if count >= 4 {
    let head = raw.loadUnaligned(as: UInt32.self)
    last = UInt64(head) | UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
  } else {
    last = count == 0 ? 0 : UInt64(bytes[0]) | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count - 1]) << 16
  }
  return fold(hash ^ last, hashFactor1)
}

/// Whether `a[..<count]` and `b[..<count]` are the same bytes.
@inline(__always)
func areEqual(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
  @inline(__always) func differ<Word: FixedWidthInteger>(_ offset: Int, as type: Word.Type) -> Bool {
    a.loadUnaligned(fromByteOffset: offset, as: type) != b.loadUnaligned(fromByteOffset: offset, as: type)
  }
  if count >= 8 {
    var index = 0
    while index + 8 < count {
      if differ(index, as: UInt64.self) { return false }
      index += 8
    }
    return !differ(count - 8, as: UInt64.self)
  }
  if count >= 4 { return !differ(0, as: UInt32.self) && !differ(count - 4, as: UInt32.self) }
  for index in 0..<count where differ(index, as: UInt8.self) { return false }
  return true
}
