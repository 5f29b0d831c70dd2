import Checkpoint
import TestSupport
import Testing
import Threads

@testable import LanguageModel

/// The kernels have a shape for each kind of vector registers and one for a single row; results must not show which.
@Suite struct KernelTests {
  /// Inputs, outputs: blocks that are full and not, columns that fill no vector, one panel of 64 and several.
  static let shapes = [(20, 5), (128, 16), (130, 64), (300, 150), (640, 33), (1024, 192)]
  #if os(macOS) && arch(x86_64)
    static let types: [ElementType] = [.float32, .bfloat16]
  #else
    static let types: [ElementType] = [.float32, .float16, .bfloat16]
  #endif

  @Test(arguments: shapes, types)
  func columnProductsOfEveryShapeAreTheSame(_ shape: (Int, Int), _ type: ElementType) {
    let weights = randomWeights(rows: shape.0, columns: shape.1, type)
    let bias = randomFloats(shape.1 + 16)  // padded to whole vectors
    compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      columnProduct(
        input, weights, bias: WeightVector(values: bias, count: shape.1), into: output, .gelu, pool,
        registers: registers)
    }
  }

  @Test(arguments: shapes, types)
  func rowProductsOfEveryShapeAreTheSame(_ shape: (Int, Int), _ type: ElementType) {
    let weights = randomWeights(rows: shape.1, columns: shape.0, type)
    compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      rowProduct(input, weights, into: output, pool, registers: registers)
    }
  }

  /// Computes 13 rows one by one, together and in two parts, with one thread and two.
  private func compareRoutes(
    inputs: Int, outputs: Int, _ product: (Matrix, Matrix, VectorRegisters, ThreadPool) -> Void
  ) {
    let rows = 13
    let input = Matrix(start: randomFloats(rows * inputs), rows: rows, columns: inputs)
    let output = Matrix(start: randomFloats(rows * outputs), rows: rows, columns: outputs)
    func bits() -> [UInt32] {
      Array(UnsafeRawBufferPointer(start: output.start, count: rows * outputs * 4).bindMemory(to: UInt32.self))
    }
    var expected: [UInt32]?
    for threads in [1, 2] {
      let pool = ThreadPool(threads: threads)
      for registers in VectorRegisters.allCases {
        for length in [1, 7, 13] {
          for row in stride(from: 0, to: rows, by: length) {
            let part = row..<min(row + length, rows)
            product(input.rows(part), output.rows(part), registers, pool)
          }
          expected = expected ?? bits()
          #expect(bits() == expected, "\(length) rows at a time, \(registers), \(threads) threads")
        }
      }
    }
  }

  private func randomFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    var generator = SeededGenerator(3)
    let values = UnsafeMutablePointer<Float>.allocate(capacity: count)  // lives as long as the tests
    for index in 0..<count { values[index] = .random(in: -1...1, using: &generator) }
    return values
  }

  /// Weights at an odd address, as a file may have them.
  private func randomWeights(rows: Int, columns: Int, _ type: ElementType) -> WeightMatrix {
    var generator = SeededGenerator(4)
    let start = UnsafeMutableRawPointer.allocate(byteCount: rows * columns * type.blockSize + 1, alignment: 16) + 1
    for index in 0..<rows * columns {
      let value = Float.random(in: -1...1, using: &generator)
      switch type {
      #if !(os(macOS) && arch(x86_64))
        case .float16: start.storeBytes(of: Float16(value), toByteOffset: 2 * index, as: Float16.self)
      #endif
      case .bfloat16:
        start.storeBytes(of: UInt16(value.bitPattern >> 16), toByteOffset: 2 * index, as: UInt16.self)
      default: start.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
      }
    }
    return WeightMatrix(start: start, type: type, rows: rows, columns: columns)
  }
}
