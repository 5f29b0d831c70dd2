import Checkpoint
import Foundation
import TestSupport

@testable import LanguageModel

/// Random operands for tests of kernels. Their memory is never freed: it must outlive its views, which do not own it.
///
/// Each operand is generated from its own seed, so that a kernel that confuses two of them fails.
struct Operands {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed) }

  mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> UnsafeMutablePointer<Float> {
    let values = UnsafeMutablePointer<Float>.allocate(capacity: count)
    for index in 0..<count { values[index] = .random(in: range, using: &generator) }
    return values
  }

  mutating func matrix(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(start: floats(rows * columns), rows: rows, columns: columns)
  }

  /// A vector whose padding ends before an unmapped page.
  mutating func vector(_ count: Int) -> WeightVector {
    let capacity = paddedCount(count) + laneCount
    let values = Self.memoryBeforeUnmappedPage(capacity * MemoryLayout<Float>.size)
      .bindMemory(to: Float.self, capacity: capacity)
    for index in 0..<capacity { values[index] = .random(in: -1...1, using: &generator) }
    return WeightVector(values: values, count: count)
  }

  /// Weights that start at an odd address, as they may in a file, and end before an unmapped page.
  mutating func weights(rows: Int, columns: Int, _ type: ElementType) -> WeightMatrix {
    let blocks = rows * columns / type.blockLength
    let size = blocks * type.blockSize
    let start = Self.memoryBeforeUnmappedPage(size + (size + 1) % 2)
    for index in 0..<blocks {
      let value = Float.random(in: -1...1, using: &generator)
      let block = start + index * type.blockSize
      switch type {
      case .float16: block.storeBytes(of: Self.halfBits(value), as: UInt16.self)
      case .bfloat16: block.storeBytes(of: UInt16(value.bitPattern >> 16), as: UInt16.self)
      case .float32: block.storeBytes(of: value, as: Float.self)
      case .float64:  // not a float32
        block.storeBytes(of: Double(value) * (1 + 0x1p-26), as: Double.self)
      default:
        for byte in 0..<type.blockSize {
          block.storeBytes(of: .random(in: 0...255, using: &generator), toByteOffset: byte, as: UInt8.self)
        }
        setScales(value, in: block, type)
      }
    }
    return WeightMatrix(start: start, type: type, rows: rows, columns: columns)
  }

  /// Gives a block of random bytes scales for which its numbers are about as large as `value`.
  private func setScales(_ value: Float, in block: UnsafeMutableRawPointer, _ type: ElementType) {
    let bits = Self.halfBits(value / 100)
    switch type {
    case .mxfp4:
      block.storeBytes(of: UInt8(truncatingIfNeeded: Int(value.exponent) + 124), as: UInt8.self)
    case .iq1_m:  // four bits in each of four places
      for index in 0..<4 {
        let byte = block.load(fromByteOffset: 49 + 2 * index, as: UInt8.self)
        let part = UInt8(truncatingIfNeeded: bits >> (4 * index)) << 4
        block.storeBytes(of: byte & 15 | part, toByteOffset: 49 + 2 * index, as: UInt8.self)
      }
    default:
      let offset =
        switch type {
        case .q2_k: 80
        case .q3_k, .q6_k, .tq1_0, .tq2_0: type.blockSize - 2
        default: 0
        }
      block.storeBytes(of: bits, toByteOffset: offset, as: UInt16.self)
      if [.q4_1, .q5_1, .q2_k, .q4_k, .q5_k].contains(type) {  // these have a minimum as well
        block.storeBytes(of: Self.halfBits(value / 7), toByteOffset: offset + 2, as: UInt16.self)
      }
    }
  }

  /// Memory whose end is followed by an unmapped page, as with the last tensor of a mapped file: a read past the end
  /// crashes the test.
  static func memoryBeforeUnmappedPage(_ size: Int) -> UnsafeMutableRawPointer {
    let page = Int(getpagesize())
    let whole = (size + page - 1) / page * page
    let start = mmap(nil, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    mprotect(start + whole, page, PROT_NONE)
    return start + (whole - size)
  }

  /// A normal number in half precision, truncated to its ten bits.
  private static func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let exponent = Int(bits >> 23 & 0xFF) - 112
    guard exponent > 0 else { return 0 }
    return UInt16(bits >> 16 & 0x8000) | UInt16(exponent) << 10 | UInt16(bits >> 13 & 0x3FF)
  }
}

extension Matrix {
  /// A matrix of NaN: an element that a kernel does not write stays NaN, and no comparison with it succeeds.
  static func poisoned(_ rows: Int, _ columns: Int) -> Matrix {
    let matrix = Matrix(start: .allocate(capacity: rows * columns), rows: rows, columns: columns)
    matrix.fill(with: .nan)
    return matrix
  }

  func fill(with value: Float) { start.update(repeating: value, count: rows * columns) }

  func copy(from other: Matrix) { start.update(from: other.start, count: rows * columns) }

  /// A row in float64.
  func vector(_ index: Int) -> [Double] { (0..<columns).map { Double(row(index)[$0]) } }

  func hasBits(of other: Matrix) -> Bool { memcmp(start, other.start, rows * columns * MemoryLayout<Float>.size) == 0 }

  var bits: [UInt32] { UnsafeBufferPointer(start: start, count: rows * columns).map(\.bitPattern) }
}

extension WeightMatrix {
  /// The weights as float32, row-major.
  var floats: UnsafeMutablePointer<Float> {
    let numbers = UnsafeMutablePointer<Float>.allocate(capacity: rows * columns)
    numbers.initialize(repeating: .nan, count: rows * columns)
    for row in 0..<rows { copyRow(row, to: numbers + row * columns) }
    return numbers
  }
}

extension WeightVector {
  var doubles: [Double] { array.map(Double.init) }
}

/// True if both are finite, have the same length, and no two elements differ by more than `tolerance` times the larger
/// of 1 and the expected magnitude.
func areClose(_ found: [Double], _ expected: [Double], within tolerance: Double) -> Bool {
  found.count == expected.count
    && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
