import CPlatform
import Checkpoint

// Dequantization: how stored weights become float32, one unit at a time (16 numbers of the floating-point types, 32 or
// 256 of the quantized types). It is exact for all types except float64, which is rounded to the nearest float32. So a
// kernel gives the same result for weights of any type as for the same numbers stored as float32.
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

// MARK: Formats

/// Consecutive weights of a row, as vectors of float32.
protocol WeightUnit {
  static var length: Int { get }
  /// Returns `sum` plus the products with `length` inputs, lane by lane, in the order of the vectors.
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes
  func store(_ target: UnsafeMutablePointer<Float>)
}

/// A type of stored weights.
protocol WeightFormat {
  associatedtype Unit: WeightUnit
  /// Dequantizes the unit at an index of a row that may start at any address.
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> Unit
  /// Dequantizes the last, partial unit of a row: its first `count` numbers, followed by zeros.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> Unit
}

extension WeightFormat {
  /// Dequantizes a row of `count` weights into `target`, which has room for whole units. If the last unit is partial,
  /// zeros follow the last weight.
  @inline(__always)
  static func dequantize(_ row: UnsafeRawPointer, count: Int, into target: UnsafeMutablePointer<Float>) {
    let (whole, rest) = count.quotientAndRemainder(dividingBy: Unit.length)
    for index in 0..<whole { unit(row, index).store(target + index * Unit.length) }
    if rest > 0 { unit(row, whole, first: rest).store(target + whole * Unit.length) }
  }
}

extension Lanes: WeightUnit {
  static var length: Int { laneCount }
  @inline(__always)
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    sum.addingProduct(Float.load(x), self)
  }
}

// MARK: Floating-point types

/// A floating-point type of weights.
protocol WeightElement: WeightFormat where Unit == Lanes {
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

  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> Lanes { load(row + index * laneCount * size) }
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> Lanes {
    load(row + index * laneCount * size, first: count)
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

// MARK: Quantized types of GGUF files (QuantizedBlocks.h describes the blocks)

/// The unit of the quantized types: 32 numbers in two vectors.
struct LanePair: WeightUnit {
  var low: Lanes
  var high: Lanes

  static var length: Int { 2 * laneCount }

  @inline(__always)
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    sum.addingProduct(Float.load(x), low).addingProduct(Float.load(x + laneCount), high)
  }

  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>) {
    LanguageModel.store(low, target)
    LanguageModel.store(high, target + laneCount)
  }
}

/// A type with blocks of 32 numbers.
protocol QuantizedBlock: WeightFormat where Unit == LanePair {
  /// The bytes of a block.
  static var size: Int { get }
  /// Returns the first (0) or second (1) half of a block.
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes
}

extension QuantizedBlock {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> LanePair {
    let block = row + index * size
    return LanePair(low: dequantize(block, 0), high: dequantize(block, 1))
  }
  /// Rows are whole blocks, so there are no partial units.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> LanePair { unit(row, index) }
}

/// A type with super-blocks of 256 numbers, which are eight sub-blocks of 32.
protocol QuantizedSuperBlock: WeightFormat where Unit == LanePair {
  /// The bytes of a super-block.
  static var size: Int { get }
  /// Returns the first (0) or second (1) half of a sub-block.
  static func dequantize(_ block: UnsafeRawPointer, _ subBlock: UInt32, _ half: Int32) -> Lanes
}

extension QuantizedSuperBlock {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> LanePair {
    let (block, subBlock) = (row + (index >> 3) * size, UInt32(truncatingIfNeeded: index & 7))
    return LanePair(low: dequantize(block, subBlock, 0), high: dequantize(block, subBlock, 1))
  }
  /// Rows are whole blocks, so there are no partial units.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> LanePair { unit(row, index) }
}

enum Q4_0: QuantizedBlock {
  static var size: Int { 18 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_q4_0(block, half) }
}

enum Q4_1: QuantizedBlock {
  static var size: Int { 20 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_q4_1(block, half) }
}

enum Q5_0: QuantizedBlock {
  static var size: Int { 22 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_q5_0(block, half) }
}

enum Q5_1: QuantizedBlock {
  static var size: Int { 24 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_q5_1(block, half) }
}

enum Q8_0: QuantizedBlock {
  static var size: Int { 34 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_q8_0(block, half) }
}

enum IQ4_NL: QuantizedBlock {
  static var size: Int { 18 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_iq4_nl(block, half) }
}

enum MXFP4: QuantizedBlock {
  static var size: Int { 17 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_dequantize_mxfp4(block, half) }
}

enum Q4_K: QuantizedSuperBlock {
  static var size: Int { 144 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ subBlock: UInt32, _ half: Int32) -> Lanes {
    lmpipe_dequantize_q4_k(block, subBlock, half)
  }
}

enum Q5_K: QuantizedSuperBlock {
  static var size: Int { 176 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ subBlock: UInt32, _ half: Int32) -> Lanes {
    lmpipe_dequantize_q5_k(block, subBlock, half)
  }
}

enum Q6_K: QuantizedSuperBlock {
  static var size: Int { 210 }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, _ subBlock: UInt32, _ half: Int32) -> Lanes {
    lmpipe_dequantize_q6_k(block, subBlock, half)
  }
}

// MARK: Super-blocks that are dequantized as a whole (SuperBlocks.h)

/// A super-block of 256 numbers, whose scales are computed once for all its numbers.
struct SuperBlock<Format: UnrolledSuperBlock>: WeightUnit {
  let address: UnsafeRawPointer

  static var length: Int { 256 }

  @inline(__always)
  func addingProducts(to sum: Lanes, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    Format.addingProducts(to: sum, address, x)
  }

  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>) { Format.dequantize(address, into: target) }
}

/// A type with super-blocks of 256 numbers, whose loops over the parts of a super-block are unrolled.
protocol UnrolledSuperBlock: WeightFormat where Unit == SuperBlock<Self> {
  /// The bytes of a super-block.
  static var size: Int { get }
  /// Returns `sum` plus the products with 256 inputs, in the order of the parts.
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes
  /// Dequantizes 256 numbers.
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>)
}

extension UnrolledSuperBlock {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> SuperBlock<Self> {
    SuperBlock(address: row + index * size)
  }
  /// Rows are whole blocks, so there are no partial units.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> SuperBlock<Self> { unit(row, index) }
}

enum Q2_K: UnrolledSuperBlock {
  static var size: Int { 84 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_q2_k(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_q2_k(block, target)
  }
}

enum Q3_K: UnrolledSuperBlock {
  static var size: Int { 110 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_q3_k(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_q3_k(block, target)
  }
}

enum IQ4_XS: UnrolledSuperBlock {
  static var size: Int { 136 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq4_xs(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq4_xs(block, target)
  }
}

enum IQ3_S: UnrolledSuperBlock {
  static var size: Int { 110 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq3_s(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq3_s(block, target)
  }
}

enum IQ3_XXS: UnrolledSuperBlock {
  static var size: Int { 98 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq3_xxs(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq3_xxs(block, target)
  }
}

enum IQ2_S: UnrolledSuperBlock {
  static var size: Int { 82 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq2_s(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq2_s(block, target)
  }
}

enum IQ2_XS: UnrolledSuperBlock {
  static var size: Int { 74 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq2_xs(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq2_xs(block, target)
  }
}

enum IQ2_XXS: UnrolledSuperBlock {
  static var size: Int { 66 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq2_xxs(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq2_xxs(block, target)
  }
}

enum IQ1_M: UnrolledSuperBlock {
  static var size: Int { 56 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq1_m(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq1_m(block, target)
  }
}

enum IQ1_S: UnrolledSuperBlock {
  static var size: Int { 50 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_iq1_s(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_iq1_s(block, target)
  }
}

enum TQ1_0: UnrolledSuperBlock {
  static var size: Int { 54 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_tq1_0(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_tq1_0(block, target)
  }
}

enum TQ2_0: UnrolledSuperBlock {
  static var size: Int { 66 }
  @inline(__always)
  static func addingProducts(to sum: Lanes, _ block: UnsafeRawPointer, _ x: UnsafeMutablePointer<Float>) -> Lanes {
    lmpipe_add_products_tq2_0(sum, block, x)
  }
  @inline(__always)
  static func dequantize(_ block: UnsafeRawPointer, into target: UnsafeMutablePointer<Float>) {
    lmpipe_store_tq2_0(block, target)
  }
}

// MARK: Dispatch

/// Calls `body` with the Swift type of an element type, so that each kernel is compiled once per type.
@inline(__always)
func withFormat(_ type: ElementType, _ body: (any WeightFormat.Type) -> Void) {
  switch type {
  case .q4_0: body(Q4_0.self)
  case .q4_1: body(Q4_1.self)
  case .q5_0: body(Q5_0.self)
  case .q5_1: body(Q5_1.self)
  case .q8_0: body(Q8_0.self)
  case .q4_k: body(Q4_K.self)
  case .q5_k: body(Q5_K.self)
  case .q6_k: body(Q6_K.self)
  case .q2_k: body(Q2_K.self)
  case .q3_k: body(Q3_K.self)
  case .iq4_nl: body(IQ4_NL.self)
  case .iq4_xs: body(IQ4_XS.self)
  case .iq3_s: body(IQ3_S.self)
  case .iq3_xxs: body(IQ3_XXS.self)
  case .iq2_s: body(IQ2_S.self)
  case .iq2_xs: body(IQ2_XS.self)
  case .iq2_xxs: body(IQ2_XXS.self)
  case .iq1_m: body(IQ1_M.self)
  case .iq1_s: body(IQ1_S.self)
  case .tq1_0: body(TQ1_0.self)
  case .tq2_0: body(TQ2_0.self)
  case .mxfp4: body(MXFP4.self)
  default: withElementType(type) { body($0) }
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
