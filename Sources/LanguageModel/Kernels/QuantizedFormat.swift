import CPlatform

// The quantized formats of GGUF, 32 numbers a unit (CPlatform's QuantizedBlocks.h has what they mean). No format is
// rounded: a kernel computes what it would with the same numbers stored as float32.

/// Two vectors of 16 numbers.
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

/// Blocks of 32 numbers.
protocol ShortBlock: WeightFormat where Unit == LanePair {
  static var size: Int { get }
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes
}

extension ShortBlock {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> LanePair {
    let block = row + index * size
    return LanePair(low: numbers(block, 0), high: numbers(block, 1))
  }
  /// Rows of whole blocks have no incomplete units.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> LanePair { unit(row, index) }
}

/// Blocks of 256 numbers, in eight parts of 32.
protocol LongBlock: WeightFormat where Unit == LanePair {
  static var size: Int { get }
  static func numbers(_ block: UnsafeRawPointer, _ part: UInt32, _ half: Int32) -> Lanes
}

extension LongBlock {
  @inline(__always)
  static func unit(_ row: UnsafeRawPointer, _ index: Int) -> LanePair {
    let (block, part) = (row + (index >> 3) * size, UInt32(truncatingIfNeeded: index & 7))
    return LanePair(low: numbers(block, part, 0), high: numbers(block, part, 1))
  }
  /// Rows of whole blocks have no incomplete units.
  static func unit(_ row: UnsafeRawPointer, _ index: Int, first count: Int) -> LanePair { unit(row, index) }
}

enum Q4_0: ShortBlock {
  static var size: Int { 18 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_q4_0(block, half) }
}

enum Q4_1: ShortBlock {
  static var size: Int { 20 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_q4_1(block, half) }
}

enum Q5_0: ShortBlock {
  static var size: Int { 22 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_q5_0(block, half) }
}

enum Q5_1: ShortBlock {
  static var size: Int { 24 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_q5_1(block, half) }
}

enum Q8_0: ShortBlock {
  static var size: Int { 34 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ half: Int32) -> Lanes { lmpipe_q8_0(block, half) }
}

enum Q4_K: LongBlock {
  static var size: Int { 144 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ part: UInt32, _ half: Int32) -> Lanes {
    lmpipe_q4_k(block, part, half)
  }
}

enum Q5_K: LongBlock {
  static var size: Int { 176 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ part: UInt32, _ half: Int32) -> Lanes {
    lmpipe_q5_k(block, part, half)
  }
}

enum Q6_K: LongBlock {
  static var size: Int { 210 }
  @inline(__always)
  static func numbers(_ block: UnsafeRawPointer, _ part: UInt32, _ half: Int32) -> Lanes {
    lmpipe_q6_k(block, part, half)
  }
}
