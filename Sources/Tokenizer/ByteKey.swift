import Platform

/// A byte string to look up in a hash table: its hash, and its first 16 bytes as two words, which decide nearly every
/// comparison.
struct ByteKey {
  private let bytes: UnsafePointer<UInt8>
  let count: Int
  private let head: (UInt64, UInt64)
  let hash: UInt64

  /// Creates the key of `bytes[..<count]`. `bytes[..<paddedCount]` must be readable (see "Padding" in Slab.swift).
  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>, count: Int, paddedCount: Int) {
    self.bytes = bytes
    self.count = count
    head = Self.head(bytes, count, paddedCount)
    var hash = UInt64(truncatingIfNeeded: count)
    if count > 16 { hash = Self.hash(UnsafeRawPointer(bytes) + 16, count - 16, hash) }
    self.hash = fold(head.0 ^ hashFactor1, head.1 ^ hash ^ hashFactor2)
  }

  /// Returns true if `other[..<count]` are the same bytes. `other` must have 16 readable bytes, even if `count` is
  /// less.
  @inline(__always)
  func equals(_ other: UnsafePointer<UInt8>) -> Bool {
    let theirs = Self.head(other, count, 16)
    guard (head.0 ^ theirs.0) | (head.1 ^ theirs.1) == 0 else { return false }
    return count <= 16 || memcmp(bytes + 16, other + 16, count - 16) == 0
  }

  /// Returns the first 16 bytes as two words, with zeros from `count` on.
  @inline(__always)
  private static func head(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ paddedCount: Int) -> (UInt64, UInt64) {
    guard paddedCount >= 16 else { return copiedHead(bytes, count) }
    let bytes = UnsafeRawPointer(bytes)
    return (
      bytes.loadUnaligned(as: UInt64.self) & (.max >> UInt64(max(0, 64 - 8 * count))),
      bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & (.max >> UInt64(max(0, 128 - 8 * count)))
    )
  }

  @inline(never)
  private static func copiedHead(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> (UInt64, UInt64) {
    var head: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &head) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: min(count, 16)))
    }
    return head
  }

  @inline(never)
  private static func hash(_ bytes: UnsafeRawPointer, _ count: Int, _ seed: UInt64) -> UInt64 {
    var hash = seed
    var index = 0
    while index + 8 <= count {
      hash = fold(hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self), hashFactor2)
      index += 8
    }
    while index < count {
      hash = fold(hash ^ UInt64(bytes.load(fromByteOffset: index, as: UInt8.self)), hashFactor1)
      index += 1
    }
    return hash
  }
}

/// Multiplies, and combines the two halves of the 128-bit product by exclusive or. Every bit of both factors affects
/// every bit of the result.
@inline(__always)
func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (high, low) = a.multipliedFullWidth(by: b)
  return high ^ low
}

/// Odd multipliers with about as many ones as zeros and no pattern: fractional digits of the golden ratio and of pi.
let hashFactor1: UInt64 = 0x9E37_79B9_7F4A_7C15
let hashFactor2: UInt64 = 0x243F_6A88_85A3_08D3
