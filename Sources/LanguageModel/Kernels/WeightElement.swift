import CPlatform

// How stored weights become float32 lanes. Widening is exact for all of them: a kernel computes the same whichever
// type its weights have.

/// The number of lanes in which the kernels compute. A property of the arithmetic, not of the processor: narrower
/// registers take two or four per vector, and the sums come out the same.
let laneCount = 16

/// How many numbers whole vectors have that hold `count`.
func paddedCount(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

typealias Lanes = SIMD16<Float>

protocol WeightElement: WeightFormat where Unit == Lanes {
  static var size: Int { get }
  /// 16 elements from an address of any alignment.
  static func load(_ address: UnsafeRawPointer) -> Lanes
  static func loadOne(_ address: UnsafeRawPointer) -> Float
}

extension WeightElement {
  /// The first `count` of 16 elements, and zeros; reads nothing past them.
  @inline(__always)
  static func load(_ address: UnsafeRawPointer, first count: Int) -> Lanes {
    var lanes = Lanes()
    for lane in 0..<count { lanes[lane] = loadOne(address + lane * size) }
    return lanes
  }
}

extension Float: WeightElement {
  static var size: Int { 4 }
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Lanes { address.loadUnaligned(as: Lanes.self) }
  @inline(__always)
  static func loadOne(_ address: UnsafeRawPointer) -> Float { address.loadUnaligned(as: Float.self) }
}

#if !(os(macOS) && arch(x86_64))  // the one platform whose ABI has no Float16
  extension Float16: WeightElement {
    static var size: Int { 2 }
    @inline(__always)
    static func load(_ address: UnsafeRawPointer) -> Lanes { lmpipe_widen_float16(address) }
    @inline(__always)
    static func loadOne(_ address: UnsafeRawPointer) -> Float { Float(address.loadUnaligned(as: Float16.self)) }
  }
#endif

/// The upper half of a float32.
struct BFloat16: WeightElement {
  static var size: Int { 2 }
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Lanes { lmpipe_widen_bfloat16(address) }
  @inline(__always)
  static func loadOne(_ address: UnsafeRawPointer) -> Float {
    Float(bitPattern: UInt32(address.loadUnaligned(as: UInt16.self)) << 16)
  }
}

@inline(__always)
func store(_ lanes: Lanes, _ address: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(address).storeBytes(of: lanes, as: Lanes.self)
}
