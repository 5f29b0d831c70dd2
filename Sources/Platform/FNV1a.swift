/// The 64-bit FNV-1a hash of a sequence of bytes (Fowler, Noll and Vo). It is stable across runs and machines.
public struct FNV1a: Sendable {
  /// The hash of the bytes so far.
  public var value: UInt64 = 0xCBF2_9CE4_8422_2325  // the offset basis

  @inlinable
  public init() {}

  @inlinable @inline(__always)
  public mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }  // the FNV prime
}
