import Checkpoint
import Foundation
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

  static let quantized: [ElementType] = [.q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_k, .q5_k, .q6_k]

  @Test(arguments: shapes, types)
  func columnProductsOfEveryShapeAreTheSame(_ shape: (Int, Int), _ type: ElementType) {
    let weights = randomWeights(rows: shape.0, columns: shape.1, type)
    let bias = WeightVector(values: randomFloats(shape.1 + 16), count: shape.1)  // padded to whole vectors
    let map = Linear(weight: weights, layout: .inputsByOutputs, bias: bias)
    compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      matmulNN(input, map, into: output, .gelu, pool, registers: registers)
    }
  }

  @Test(arguments: shapes, types)
  func rowProductsOfEveryShapeAreTheSame(_ shape: (Int, Int), _ type: ElementType) {
    let map = Linear(weight: randomWeights(rows: shape.1, columns: shape.0, type))
    compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      matmulNT(input, [map], into: output, .store, pool, registers: registers)
    }
  }

  /// Rows of one block and of several, and longer than what is multiplied at a time.
  @Test(arguments: [(256, 5), (512, 33), (1280, 70)], quantized)
  func quantizedMatmulNTsOfEveryShapeAreTheSame(_ shape: (Int, Int), _ type: ElementType) {
    let weights = randomWeights(rows: shape.1, columns: shape.0, type)
    let widened = WeightMatrix(
      start: UnsafeRawPointer(floats(of: weights)), type: .float32, rows: weights.rows, columns: weights.columns)
    let bias = WeightVector(values: randomFloats(shape.1 + 16), count: shape.1)
    let expected = compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      matmulNT(
        input, [Linear(weight: widened, bias: bias)], into: output, .gelu, pool, registers: registers)
    }
    let found = compareRoutes(inputs: shape.0, outputs: shape.1) { input, output, registers, pool in
      matmulNT(
        input, [Linear(weight: weights, bias: bias)], into: output, .gelu, pool, registers: registers)
    }
    #expect(found == expected, "\(type.rawValue) differs from the same numbers as float32")
  }

  @Test func rowProductsAreThePlainSums() {
    let (rows, inputs, outputs) = (7, 1050, 19)
    let weights = randomWeights(rows: outputs, columns: inputs, .float32)
    let x = Matrix(start: randomFloats(rows * inputs), rows: rows, columns: inputs)
    let y = Matrix(start: randomFloats(rows * outputs), rows: rows, columns: outputs)
    matmulNT(x, [Linear(weight: weights)], into: y, .store, ThreadPool(threads: 1))
    let numbers = floats(of: weights)
    for row in 0..<rows {
      for output in 0..<outputs {
        let sum = (0..<inputs).reduce(0.0) { $0 + Double(x.row(row)[$1]) * Double(numbers[output * inputs + $1]) }
        #expect(abs(Double(y.row(row)[output]) - sum) < 1e-4)
      }
    }
  }

  /// Maps of one input, of several types and sizes, have their outputs side by side.
  @Test func productsSideBySideAreWhatEachIsAlone() {
    let (rows, inputs) = (9, 256)
    let maps = [(40, ElementType.q4_k), (17, .float32), (64, .q8_0), (1, .bfloat16)].map { outputs, type in
      Linear(weight: randomWeights(rows: outputs, columns: inputs, type))
    }
    let pool = ThreadPool(threads: 2)
    let x = Matrix(start: randomFloats(rows * inputs), rows: rows, columns: inputs)
    let together = Matrix(start: randomFloats(rows * 122), rows: rows, columns: 122)
    matmulNT(x, maps, into: together, .store, pool)
    var column = 0
    for map in maps {
      let alone = Matrix(start: randomFloats(rows * map.outputs), rows: rows, columns: map.outputs)
      matmulNT(x, [map], into: alone, .store, pool)
      for row in 0..<rows {
        for output in 0..<map.outputs { #expect(together.row(row)[column + output] == alone.row(row)[output]) }
      }
      column += map.outputs
    }
  }

  /// The numbers that the gguf package reads in random blocks (Scripts/reference/gguf/make_blocks.py).
  @Test func blocksHoldWhatTheirDefinitionSays() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/blocks.txt")
    var types: Set<ElementType> = []
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      let type = try #require(ElementType(rawValue: String(words[0])))
      let (blocks, numbers) = (bytes(words[1]), bytes(words[2]))
      let weights = blocks.withUnsafeBytes { blocks in
        let copy = memoryBeforeAGap(blocks.count)
        copy.copyMemory(from: blocks.baseAddress!, byteCount: blocks.count)
        return WeightMatrix(start: copy, type: type, rows: 1, columns: numbers.count / 4)
      }
      let found = UnsafeRawBufferPointer(start: floats(of: weights), count: numbers.count)
      #expect(Array(found) == numbers, "\(type.rawValue)")
      types.insert(type)
    }
    #expect(types == Set(Self.quantized))
  }

  private func bytes(_ hexadecimal: Substring) -> [UInt8] {
    let digits = hexadecimal.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// The weights as float32.
  private func floats(of weights: WeightMatrix) -> UnsafeMutablePointer<Float> {
    let numbers = randomFloats(weights.rows * weights.columns)
    for row in 0..<weights.rows { weights.copyRow(row, to: numbers + row * weights.columns) }
    return numbers
  }

  /// Computes 13 rows one by one, together and in two parts, with one thread and two; returns the outputs' bits.
  @discardableResult
  private func compareRoutes(
    inputs: Int, outputs: Int, _ product: (Matrix, Matrix, VectorRegisters, ThreadPool) -> Void
  ) -> [UInt32] {
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
    return bits()
  }

  private func randomFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    var generator = SeededGenerator(3)
    let values = UnsafeMutablePointer<Float>.allocate(capacity: count)  // lives as long as the tests
    for index in 0..<count { values[index] = .random(in: -1...1, using: &generator) }
    return values
  }

  /// Memory as that of a tensor that ends with its file's last page: who reads on behind it ends the tests.
  private func memoryBeforeAGap(_ size: Int) -> UnsafeMutableRawPointer {
    let page = Int(getpagesize())
    let whole = (size + page - 1) / page * page
    let start = mmap(nil, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    mprotect(start + whole, page, PROT_NONE)
    return start + (whole - size)
  }

  /// Weights at an odd address, as a file may have them.
  private func randomWeights(rows: Int, columns: Int, _ type: ElementType) -> WeightMatrix {
    var generator = SeededGenerator(4)
    let blocks = rows * columns / type.blockLength
    let size = blocks * type.blockSize
    let start = memoryBeforeAGap(size + (size + 1) % 2)
    for index in 0..<blocks {
      let value = Float.random(in: -1...1, using: &generator)
      let block = start + index * type.blockSize
      switch type {
      case .float16: block.storeBytes(of: halfBits(value), as: UInt16.self)
      case .bfloat16: block.storeBytes(of: UInt16(value.bitPattern >> 16), as: UInt16.self)
      case .float32: block.storeBytes(of: value, as: Float.self)
      default:
        for byte in 0..<type.blockSize {
          block.storeBytes(of: .random(in: 0...255, using: &generator), toByteOffset: byte, as: UInt8.self)
        }
        let scale = type == .q6_k ? 208 : 0
        block.storeBytes(of: halfBits(value / 100), toByteOffset: scale, as: UInt16.self)
        if [.q4_1, .q5_1, .q4_k, .q5_k].contains(type) {  // a minimum as well
          block.storeBytes(of: halfBits(value / 7), toByteOffset: 2, as: UInt16.self)
        }
      }
    }
    return WeightMatrix(start: start, type: type, rows: rows, columns: columns)
  }

  /// A normal number as half precision, cut off behind its ten bits.
  private func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let exponent = Int(bits >> 23 & 0xFF) - 112
    guard exponent > 0 else { return 0 }
    return UInt16(bits >> 16 & 0x8000) | UInt16(exponent) << 10 | UInt16(bits >> 13 & 0x3FF)
  }
}
