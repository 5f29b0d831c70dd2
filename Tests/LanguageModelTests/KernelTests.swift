import Checkpoint
import Foundation
import Testing
import Threads

@testable import LanguageModel

/// Matrix products against float64, and the equality of their bits over all paths: number of rows, shape of the
/// micro-kernel, number of threads.
@Suite struct KernelTests {
  /// Inputs and outputs: full and partial blocks of KC inputs, columns that do not fill a vector, one packed panel and
  /// several, weight rows shorter and longer than 4,096 bytes.
  static let shapes = [(20, 5), (128, 16), (130, 64), (300, 150), (640, 33), (1024, 192), (139, 2100)]
  #if os(macOS) && arch(x86_64)
    static let types: [ElementType] = [.float32, .bfloat16, .float64]
  #else
    static let types: [ElementType] = [.float32, .float16, .bfloat16, .float64]
  #endif

  static let quantized = ElementType.allCases.filter { $0.blockLength > 1 }

  static let epilogues: [Epilogue] = [
    .store, .activate(.geluTanh), .activate(.gelu), .addToOutput, .addScaled(0.22),
  ]

  @Test(arguments: shapes, types)
  func matmulNNMatchesFloat64(_ shape: (inputs: Int, outputs: Int), _ type: ElementType) {
    let product = Product(shape.inputs, shape.outputs, type, layout: .inputsByOutputs)
    for epilogue in Self.epilogues {
      product.check(epilogue) { input, projection, output, registers, pool in
        matmulNN(input, projection, into: output, epilogue, pool, registers: registers)
      }
    }
  }

  @Test(arguments: shapes, types)
  func matmulNTMatchesFloat64(_ shape: (inputs: Int, outputs: Int), _ type: ElementType) {
    let product = Product(shape.inputs, shape.outputs, type, layout: .outputsByInputs)
    for epilogue in Self.epilogues {
      product.check(epilogue) { input, projection, output, registers, pool in
        matmulNT(input, [projection], into: output, epilogue, pool, registers: registers)
      }
    }
  }

  /// Rows of one block and of several, and rows longer than KC.
  @Test(arguments: [(256, 5), (512, 33), (1280, 70)], quantized)
  func quantizedMatmulNTMatchesFloat64(_ shape: (inputs: Int, outputs: Int), _ type: ElementType) {
    let product = Product(shape.inputs, shape.outputs, type, layout: .outputsByInputs)
    for epilogue in Self.epilogues {
      product.check(epilogue) { input, projection, output, registers, pool in
        matmulNT(input, [projection], into: output, epilogue, pool, registers: registers)
      }
    }
  }

  @Test(arguments: quantized)
  func quantizedWeightsMatchTheirFloat32Values(_ type: ElementType) {
    let product = Product(1280, 70, type, layout: .outputsByInputs)
    let weights = product.projection.weight
    let dequantized = WeightMatrix(
      start: UnsafeRawPointer(weights.floats), type: .float32, rows: weights.rows, columns: weights.columns)
    let pool = ThreadPool(threads: 1)
    for rows in [1, 2, 5, Product.rows] {
      let outputs = [weights, dequantized].map { weights in
        let output = Matrix.poisoned(rows, 70)
        matmulNT(product.input.rows(0..<rows), [Linear(weight: weights)], into: output, .store, pool)
        return output.bits
      }
      #expect(outputs[0] == outputs[1], "\(rows) rows")
    }
  }

  @Test func missingBiasIsZero() {
    var operands = Operands(seed: 11)
    let input = operands.matrix(3, 40)
    for layout in [Linear.Layout.inputsByOutputs, .outputsByInputs] {
      let isNN = layout == .inputsByOutputs
      let weights = operands.weights(rows: isNN ? 40 : 21, columns: isNN ? 21 : 40, .float32)
      let (without, with) = (Matrix.poisoned(3, 21), Matrix.poisoned(3, 21))
      let pool = ThreadPool(threads: 1)
      linear(input, Linear(weight: weights, layout: layout), into: without, .store, pool)
      let zeros = Matrix(start: operands.floats(32), rows: 1, columns: 32)
      zeros.fill(with: 0)
      let bias = WeightVector(values: zeros.start, count: 21)
      linear(input, Linear(weight: weights, layout: layout, bias: bias), into: with, .store, pool)
      #expect(without.bits == with.bits && without.vector(2).allSatisfy(\.isFinite))
    }
  }

  /// Several layers with one input, of several types and sizes, whose outputs are adjacent columns.
  @Test func adjacentProductsEqualSeparateOnes() {
    let (rows, inputs) = (9, 256)
    var operands = Operands(seed: 12)
    let projections = [
      (40, ElementType.q4_k), (17, .float32), (64, .q8_0), (1, .bfloat16), (33, .iq3_s), (18, .iq4_nl), (5, .q2_k),
    ].map { outputs, type in
      Linear(weight: operands.weights(rows: outputs, columns: inputs, type), bias: operands.vector(outputs))
    }
    let pool = ThreadPool(threads: 2)
    let input = operands.matrix(rows, inputs)
    let adjacent = Matrix.poisoned(rows, 178)
    matmulNT(input, projections, into: adjacent, .store, pool)
    var column = 0
    for projection in projections {
      let separate = Matrix.poisoned(rows, projection.outputs)
      matmulNT(input, [projection], into: separate, .store, pool)
      for row in 0..<rows {
        #expect(Array(adjacent.vector(row)[column..<column + projection.outputs]) == separate.vector(row))
      }
      column += projection.outputs
    }
  }

  /// Parts of a fused projection give the bits of the fused product, with the columns in another order: queries, keys
  /// and values of one head in turn (GPT-NeoX), and several queries per group (Falcon).
  @Test(arguments: types + quantized)
  func splitProjectionsEqualTheFusedOne(_ type: ElementType) {
    let inputs = 256
    let pool = ThreadPool(threads: 2)
    for (groups, sizes) in [(3, [20, 20, 20]), (2, [48, 16, 16]), (1, [7, 1]), (4, [5])] {
      var operands = Operands(seed: 13)
      let groupRows = sizes.reduce(0, +)
      let outputs = groups * groupRows
      let weight = operands.weights(rows: outputs, columns: inputs, type)
      for bias in [operands.vector(outputs), nil] {
        let projection = Linear(weight: weight, bias: bias)
        let parts = projection.split(groups: groups, sizes: sizes)
        #expect(parts.map(\.outputs) == sizes.flatMap { Array(repeating: $0, count: groups) })
        var columns: [Int] = []  // of the fused product, in the order of the parts
        for (index, size) in sizes.enumerated() {
          for group in 0..<groups {
            let start = group * groupRows + sizes[..<index].reduce(0, +)
            columns += start..<start + size
          }
        }
        for rows in [1, 2, 16, 29] {
          let input = operands.matrix(rows, inputs)
          let (fused, split) = (Matrix.poisoned(rows, outputs), Matrix.poisoned(rows, outputs))
          linear(input, projection, into: fused, .store, pool)
          linear(input, adjacent: parts, into: split, pool)
          #expect(isFinite(fused.start, count: rows * outputs))
          for row in 0..<rows {
            #expect(columns.map { fused.row(row)[$0].bitPattern } == split.rows(row..<row + 1).bits)
          }
        }
      }
    }
  }

  /// Each row of a view has the numbers of the row of the whole.
  @Test(arguments: types + quantized)
  func viewsOfRowsHaveTheirNumbers(_ type: ElementType) {
    var operands = Operands(seed: 14)
    let weights = operands.weights(rows: 6, columns: 256, type)
    let whole = Matrix(start: weights.floats, rows: 6, columns: 256)
    for range in [0..<6, 2..<5, 5..<6, 3..<3] {
      let part = Matrix(start: weights.rows(range).floats, rows: range.count, columns: 256)
      #expect(part.bits == whole.rows(range).bits)
    }
  }

  /// float64 is rounded to the nearest float32, ties to even, as by `Tensor.float()` of PyTorch.
  @Test func float64IsRounded() {
    let numbers: [Double] = [
      0.1, -1 / 3, 1 + 0x1p-24, 1 + 0x1.8p-23, 1 + 0x1.00001p-24, 1e300, -1e300, 1e-300, 1e-41, 0x1p-149, 0x1p-150,
      -0.0,
      Double(Float.greatestFiniteMagnitude) * (1 + 0x1p-26), 3e38, .pi, -7, 1e-6, 12345.678901, 2.5,
    ]
    let start = Operands.memoryBeforeUnmappedPage(numbers.count * 8 + 1)  // at an odd address
    numbers.withUnsafeBytes { start.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    let found = WeightMatrix(start: start, type: .float64, rows: 1, columns: numbers.count).floats
    for (index, number) in numbers.enumerated() {
      #expect(found[index].bitPattern == Float(number).bitPattern, "\(number)")
    }
  }

  /// The numbers that the gguf package reads in random blocks (Scripts/reference/gguf/make_blocks.py), also with
  /// scales that are infinite or not a number. NaN is equal to any NaN: its bits depend on the processor.
  @Test func blocksDequantizeToReferenceValues() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/blocks.txt")
    var types: Set<ElementType> = []
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ")
      let type = try #require(ElementType(rawValue: String(words[0])))
      let (blocks, numbers) = (bytes(words[1]), bytes(words[2]))
      let weights = blocks.withUnsafeBytes { blocks in
        let copy = Operands.memoryBeforeUnmappedPage(blocks.count)
        copy.copyMemory(from: blocks.baseAddress!, byteCount: blocks.count)
        return WeightMatrix(start: copy, type: type, rows: 1, columns: numbers.count / 4)
      }
      let found = Matrix(start: weights.floats, rows: 1, columns: weights.columns).bits
      let expected = numbers.withUnsafeBytes { bytes in
        (0..<weights.columns).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
      }
      func withoutPayload(_ bits: UInt32) -> UInt32 { Float(bitPattern: bits).isNaN ? .max : bits }
      #expect(found.map(withoutPayload) == expected.map(withoutPayload), "\(type.rawValue)")
      types.insert(type)
    }
    #expect(types == Set(Self.quantized))
  }

  private func bytes(_ hexadecimal: Substring) -> [UInt8] {
    let digits = hexadecimal.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

extension Epilogue {
  /// True if the result depends on the contents of the output.
  var readsOutput: Bool {
    switch self {
    case .store, .geluTanh, .call: false
    case .addToOutput, .addScaled: true
    }
  }

  /// The output for a sum that includes the bias.
  func definition(_ sum: Double, previous: Double) -> Double {
    switch self {
    case .store: sum
    case .geluTanh: PlainOperations.geluTanh(sum)
    case .call(let activation): PlainOperations.activation(activation, sum)
    case .addToOutput: previous + sum
    case .addScaled(let factor): previous + sum * Double(factor)
    }
  }
}

/// The operands of one matrix product, and its result in float64.
private struct Product {
  /// Enough for each path: one row (gemv), up to 16 (skinny gemm), and more (gemm, with a partial micro-kernel).
  static let rows = 29

  let input: Matrix
  let projection: Linear
  /// The contents of the output before the product, for epilogues that read it.
  let previous: Matrix
  private let inputs: Int
  private let outputs: Int
  /// input · weights + bias, and the sum of the magnitudes of all terms, for some rows and columns.
  private var expected: [(row: Int, column: Int, sum: Double, magnitude: Double)] = []

  init(_ inputs: Int, _ outputs: Int, _ type: ElementType, layout: Linear.Layout) {
    (self.inputs, self.outputs) = (inputs, outputs)
    var operands = Operands(seed: UInt64(inputs))
    input = operands.matrix(Self.rows, inputs)
    let isNN = layout == .inputsByOutputs
    projection = Linear(
      weight: operands.weights(rows: isNN ? inputs : outputs, columns: isNN ? outputs : inputs, type), layout: layout,
      bias: operands.vector(outputs))
    previous = operands.matrix(Self.rows, outputs)
    let weights = projection.weight.floats
    let (rowStep, inputStep) = isNN ? (1, outputs) : (inputs, 1)
    // Some columns of every row, and all elements of small products.
    let step = max(1, inputs * outputs / 1024)
    for row in 0..<Self.rows {
      for column in stride(from: row % step, to: outputs, by: step) {
        var sum = Double(projection.bias!.values[column])
        var magnitude = abs(sum)
        for k in 0..<inputs {
          let term = Double(input.row(row)[k]) * Double(weights[column * rowStep + k * inputStep])
          sum += term
          magnitude += abs(term)
        }
        expected.append((row, column, sum, magnitude))
      }
    }
  }

  /// Computes the rows one by one and in groups, with both register shapes, with one thread and two. Each result must
  /// have the bits of the first, and the first must be close to float64.
  func check(
    _ epilogue: Epilogue,
    _ multiply: (_ input: Matrix, _ projection: Linear, _ output: Matrix, VectorRegisters, ThreadPool) -> Void
  ) {
    let output = Matrix.poisoned(Self.rows, outputs)
    var first: Matrix?
    for threads in [1, 2] {
      let pool = ThreadPool(threads: threads)
      for registers in VectorRegisters.allCases {
        for length in [1, 2, 3, 6, 16, Self.rows] {
          // A path that writes nothing must fail, whatever the path before it wrote.
          if epilogue.readsOutput { output.copy(from: previous) } else { output.fill(with: .nan) }
          for row in stride(from: 0, to: Self.rows, by: length) {
            let part = row..<min(row + length, Self.rows)
            multiply(input.rows(part), projection, output.rows(part), registers, pool)
          }
          if let first {
            #expect(
              output.hasBits(of: first), "\(epilogue), \(length) rows at a time, \(registers), \(threads) threads")
          } else {
            compare(output, epilogue)
            let copy = Matrix.poisoned(Self.rows, outputs)
            copy.copy(from: output)
            first = copy
          }
        }
      }
    }
  }

  private func compare(_ output: Matrix, _ epilogue: Epilogue) {
    for element in expected {
      let found = Double(output.row(element.row)[element.column])
      let before = Double(previous.row(element.row)[element.column])
      let expected = epilogue.definition(element.sum, previous: before)
      // One unit in the last place of float32 is 2^-23 = 1.2e-7 of a number.
      let tolerance = 1e-6 * element.magnitude + 5e-7 * max(1, abs(expected))
      guard abs(found - expected) <= tolerance else {
        Issue.record("\(epilogue): row \(element.row), column \(element.column): \(found), expected \(expected)")
        return
      }
    }
    #expect(isFinite(output.start, count: Self.rows * outputs), "\(epilogue): an output was not written")
  }
}
