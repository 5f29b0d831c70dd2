import Checkpoint
import Foundation
import Testing
import Threads

@testable import LanguageModel

/// Each operation of the forward pass except the matrix products (`KernelTests`), activations (`ActivationTests`),
/// elementwise operations (`ElementwiseTests`), RoPE (`RoPETests`) and attention (`AttentionTests`) against its plain
/// definition in float64. Outputs are NaN before a kernel writes them.
@Suite struct OperationTests {
  private let pool = ThreadPool(threads: 2)

  // MARK: Normalization

  @Test(arguments: [1, 3, 15, 16, 17, 40, 768], [1, 17])
  func layerNormMatchesFloat64(_ width: Int, _ rows: Int) {
    var operands = Operands(seed: 2)
    let input = operands.matrix(rows, width)
    for row in 0..<rows {
      for column in 0..<width { input.row(row)[column] += Float(row) }  // means that are not zero
    }
    let norm = LayerNorm(weight: operands.vector(width), bias: operands.vector(width), epsilon: 1e-3)
    let output = Matrix.poisoned(rows, width)
    normalize(input, norm, into: output, pool)
    for row in 0..<rows {
      let expected = PlainOperations.layerNorm(
        input.vector(row), weight: norm.weight.doubles, bias: norm.bias.doubles, epsilon: Double(norm.epsilon))
      // The differences from a mean of up to 17 have the rounding error of numbers of that size, times 1 / √ε.
      #expect(areClose(output.vector(row), expected, within: width == 1 ? 1e-4 : 1e-5), "row \(row)")
    }
    let normalized = output.bits
    for row in 0..<rows { norm.normalize(input.row(row), into: input.row(row)) }  // in place
    #expect(input.bits == normalized)
  }

  @Test(arguments: [1, 15, 40])
  func layerNormWithoutWeightOrBiasMatchesFloat64(_ width: Int) {
    var operands = Operands(seed: 22)
    let (input, weight, bias) = (operands.matrix(2, width), operands.vector(width), operands.vector(width))
    for (weight, bias) in [(nil, bias), (weight, nil), (nil, nil)] as [(WeightVector?, WeightVector?)] {
      let norm = LayerNorm(weight: weight ?? .ones(width), bias: bias ?? .zeros(width), epsilon: 1e-3)
      let output = Matrix.poisoned(2, width)
      normalize(input, norm, into: output, pool)
      for row in 0..<2 {
        let expected = PlainOperations.layerNorm(
          input.vector(row), weight: weight?.doubles ?? .init(repeating: 1, count: width),
          bias: bias?.doubles ?? .init(repeating: 0, count: width), epsilon: Double(norm.epsilon))
        #expect(areClose(output.vector(row), expected, within: 1e-5), "row \(row)")
      }
    }
  }

  @Test(arguments: [1, 3, 15, 16, 17, 40, 768], [1, 17])
  func rmsNormMatchesFloat64(_ width: Int, _ rows: Int) {
    var operands = Operands(seed: 3)
    let input = operands.matrix(rows, width)
    let norm = RMSNorm(weight: operands.vector(width), epsilon: 1e-3)
    let output = Matrix.poisoned(rows, width)
    normalize(input, norm, into: output, pool)
    for row in 0..<rows {
      let expected = PlainOperations.rmsNorm(
        input.vector(row), weight: norm.weight.doubles, epsilon: Double(norm.epsilon))
      #expect(areClose(output.vector(row), expected, within: 1e-6), "row \(row)")
    }
    let normalized = output.bits
    for row in 0..<rows { norm.normalize(input.row(row), into: input.row(row)) }  // in place
    #expect(input.bits == normalized)
  }

  // MARK: Epilogue

  @Test(arguments: 1...20)
  func epiloguesWriteOnlyTheirColumns(_ count: Int) {
    var operands = Operands(seed: 8)
    let (sums, bias, previous) = (operands.matrix(1, 16), operands.vector(16), operands.matrix(1, 20))
    for epilogue in KernelTests.epilogues {
      for bias in [bias, nil] {
        let output = Matrix.poisoned(1, 20)
        if epilogue.readsOutput { output.copy(from: previous) }
        epilogue.apply(Float.load(sums.start), bias: bias?.values, output.start, count: count)
        let written = min(count, laneCount)
        let expected = (0..<written).map { column in
          let sum = sums.vector(0)[column] + (bias?.doubles[column] ?? 0)
          return epilogue.definition(sum, previous: previous.vector(0)[column])
        }
        #expect(areClose(Array(output.vector(0)[..<written]), expected, within: 5e-7))
        let rest = output.bits[written...]
        #expect(Array(rest) == Array((epilogue.readsOutput ? previous : .poisoned(1, 20)).bits[written...]))
      }
    }
  }

  // MARK: Memory

  @Test func workspaceMatricesDoNotOverlap() {
    let workspace = Workspace()
    // More memory in each lifetime, and then less.
    let lifetimes = [
      [(3, 5), (1, 1), (0, 7)], [(40, 33), (2, 2)], [(1, 1), (300, 70), (2, 9), (500, 70), (1, 3)], [(7, 0), (3, 5)],
      [(300, 70), (2, 2)], [],
    ]
    for shapes in lifetimes {
      workspace.reset()
      let matrices = shapes.map { workspace.matrix($0.0, $0.1) }
      #expect(matrices.map(\.rows) == shapes.map(\.0) && matrices.map(\.columns) == shapes.map(\.1))
      for (index, matrix) in matrices.enumerated() {
        #expect(UInt(bitPattern: matrix.start) % 64 == 0)
        matrix.fill(with: Float(index))
      }
      for (index, matrix) in matrices.enumerated() {
        for row in 0..<matrix.rows { #expect(matrix.vector(row).allSatisfy { $0 == Double(index) }) }
      }
    }
  }

  @Test func segmentsFollowTheirRows() {
    let caches = (0..<3).map { _ in KeyValueCache(CacheShape(layers: 1, heads: 1, headDim: 4)) }
    let segments = [
      BatchSegment(rows: 0..<5, first: 10, cache: caches[0]), BatchSegment(rows: 5..<6, first: 0, cache: caches[1]),
      BatchSegment(rows: 6..<10, first: 3, cache: caches[2]),
    ]
    let clamped = segments.clamped(to: 3..<8)
    #expect(clamped.map(\.rows) == [0..<2, 2..<3, 3..<5])
    #expect(clamped.map(\.first) == [13, 0, 3])
    #expect(zip(clamped, caches).allSatisfy { $0.cache === $1 })
    let parts = [segments[0].part(at: 12..<14), segments[2].part(at: 3..<3), segments[2].part(at: 4..<6)]
    #expect(parts.map(\.rows) == [2..<4, 6..<6, 7..<9])
    #expect(parts.compacted.map(\.rows) == [0..<2, 2..<2, 2..<4])
    #expect(parts.compacted.map(\.first) == [12, 3, 4])
  }
}
