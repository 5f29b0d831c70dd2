import CKernels
import Checkpoint

// Dequantization: how stored weights become float32. It is exact for all types except float64, which is rounded to the
// nearest float32. So a kernel gives the same result for weights of any type as for the same numbers stored as float32.
//
// There is no integer dot product (VNNI, NEON i8mm): it needs activations rounded to integers, and then the logits
// would depend on the type of the weights.

/// The number of lanes in which the kernels compute. It is part of the definition of the arithmetic and does not depend
/// on the processor: with narrower registers a vector takes two or four of them, and the sums are the same.
let laneCount = 16

/// Returns `count` rounded up to whole vectors.
func paddedCount(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

typealias Lanes = SIMD16<Float>

@inline(__always)
func store(_ lanes: Lanes, _ address: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(address).storeBytes(of: lanes, as: Lanes.self)
}

// MARK: Floating-point types

/// A floating-point type of weights.
protocol WeightElement {
  static var size: Int { get }
  /// Returns 16 elements from an address of any alignment.
  static func load(_ address: UnsafeRawPointer) -> Lanes
  static func loadOne(_ address: UnsafeRawPointer) -> Float
}

extension WeightElement {
  /// Returns `count` elements (less than 16) followed by zeros, and reads nothing past them.
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

/// float64, rounded to the nearest float32.
extension Double: WeightElement {
  static var size: Int { 8 }
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Lanes { lmpipe_float64_to_float32(address) }
  @inline(__always)
  static func loadOne(_ address: UnsafeRawPointer) -> Float { Float(address.loadUnaligned(as: Double.self)) }
}

#if !(os(macOS) && arch(x86_64))  // the only platform whose ABI has no Float16
  extension Float16: WeightElement {
    static var size: Int { 2 }
    @inline(__always)
    static func load(_ address: UnsafeRawPointer) -> Lanes { lmpipe_float16_to_float32(address) }
    @inline(__always)
    static func loadOne(_ address: UnsafeRawPointer) -> Float { Float(address.loadUnaligned(as: Float16.self)) }
  }
#endif

/// bfloat16: the upper half of a float32.
struct BFloat16: WeightElement {
  static var size: Int { 2 }
  @inline(__always)
  static func load(_ address: UnsafeRawPointer) -> Lanes { lmpipe_bfloat16_to_float32(address) }
  @inline(__always)
  static func loadOne(_ address: UnsafeRawPointer) -> Float {
    Float(bitPattern: UInt32(address.loadUnaligned(as: UInt16.self)) << 16)
  }
}

/// Calls `body` with the Swift type of a floating-point element type.
///
/// - Precondition: `type` is a floating-point type.
@inline(__always)
func withElementType(_ type: ElementType, _ body: (any WeightElement.Type) -> Void) {
  switch type {
  case .float32: body(Float.self)
  case .bfloat16: body(BFloat16.self)
  case .float64: body(Double.self)
  #if !(os(macOS) && arch(x86_64))
    case .float16: body(Float16.self)
  #endif
  default: preconditionFailure("WeightTable.tensor refuses other types")
  }
}

// MARK: Types of CKernels

extension ElementType {
  /// The type in CKernels.
  ///
  /// - Precondition: the type is computable.
  var weightType: lmpipe_weight_type {
    switch self {
    case .float64: lmpipe_f64
    case .float32: lmpipe_f32
    case .float16: lmpipe_f16
    case .bfloat16: lmpipe_bf16
    case .q4_0: lmpipe_q4_0
    case .q4_1: lmpipe_q4_1
    case .q5_0: lmpipe_q5_0
    case .q5_1: lmpipe_q5_1
    case .q8_0: lmpipe_q8_0
    case .iq4_nl: lmpipe_iq4_nl
    case .mxfp4: lmpipe_mxfp4
    case .q2_k: lmpipe_q2_k
    case .q3_k: lmpipe_q3_k
    case .q4_k: lmpipe_q4_k
    case .q5_k: lmpipe_q5_k
    case .q6_k: lmpipe_q6_k
    case .iq4_xs: lmpipe_iq4_xs
    case .iq3_s: lmpipe_iq3_s
    case .iq3_xxs: lmpipe_iq3_xxs
    case .iq2_s: lmpipe_iq2_s
    case .iq2_xs: lmpipe_iq2_xs
    case .iq2_xxs: lmpipe_iq2_xxs
    case .iq1_m: lmpipe_iq1_m
    case .iq1_s: lmpipe_iq1_s
    case .tq1_0: lmpipe_tq1_0
    case .tq2_0: lmpipe_tq2_0
    case .float8e4m3, .float8e5m2, .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .boolean, .other:
      preconditionFailure("WeightTable.tensor refuses other types")
    }
  }
}

/// Dequantizes `count` weights, which are whole blocks, into `target`.
func dequantize(_ weights: UnsafeRawPointer, _ type: ElementType, count: Int, into target: UnsafeMutablePointer<Float>)
{
  lmpipe_dequantize(type.weightType, weights, count, target)
}
