import Checkpoint
import Foundation
import Testing
import Threads

@testable import LanguageModel

/// Each operation of the forward pass except the matrix products (`KernelTests`) against its plain definition in
/// float64. Outputs are NaN before a kernel writes them.
@Suite struct OperationTests {
  private let pool = ThreadPool(threads: 2)

  // MARK: Activations

  /// Arguments from the range in which both functions are about 0 to the range in which both are about x.
  private static let arguments = (-3200...3200).map { Float($0) / 100 } + [-1e4, -1e-10, -0.0, 1e-30, 1e4]

  private func apply(_ function: (Lanes) -> Lanes, _ x: Float) -> [Double] {
    let result = function(Lanes(repeating: x))
    return (0..<laneCount).map { Double(result[$0]) }
  }

  @Test func geluMatchesFloat64() {
    for x in Self.arguments {
      let expected = PlainOperations.gelu(Double(x))
      // Relative to x, not to the result: far below zero tanh cancels in the definition itself.
      #expect(apply(gelu, x).allSatisfy { abs($0 - expected) <= 3e-7 * max(abs(Double(x)), 1e-30) }, "gelu(\(x))")
    }
  }

  @Test func siluMatchesFloat64() {
    for x in Self.arguments {
      let expected = PlainOperations.silu(Double(x))
      // The exponential in float32 is at most about 3e38.
      #expect(apply(silu, x).allSatisfy { abs($0 - expected) <= 1e-6 * abs(expected) + 1e-34 }, "silu(\(x))")
    }
  }

  @Test(arguments: [1, 5, 16, 37, 128], [1, 9])
  func swigluMatchesFloat64(_ inner: Int, _ rows: Int) {
    var operands = Operands(seed: 1)
    let input = Matrix(start: operands.floats(rows * 2 * inner, in: -8...8), rows: rows, columns: 2 * inner)
    let output = Matrix.poisoned(rows, inner)
    swiglu(input, into: output, pool)
    for row in 0..<rows {
      let numbers = input.vector(row)
      let expected = (0..<inner).map { PlainOperations.silu(numbers[$0]) * numbers[inner + $0] }
      #expect(areClose(output.vector(row), expected, within: 1e-6))
    }
  }

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
    layerNorm(input, norm, into: output, pool)
    for row in 0..<rows {
      let expected = PlainOperations.layerNorm(
        input.vector(row), weight: norm.weight.doubles, bias: norm.bias.doubles, epsilon: Double(norm.epsilon))
      // The differences from a mean of up to 17 have the rounding error of numbers of that size, times 1 / √ε.
      #expect(areClose(output.vector(row), expected, within: width == 1 ? 1e-4 : 1e-5), "row \(row)")
    }
  }

  @Test(arguments: [1, 3, 15, 16, 17, 40, 768], [1, 17])
  func rmsNormMatchesFloat64(_ width: Int, _ rows: Int) {
    var operands = Operands(seed: 3)
    let input = operands.matrix(rows, width)
    let norm = RMSNorm(weight: operands.vector(width), epsilon: 1e-3)
    let output = Matrix.poisoned(rows, width)
    rmsNorm(input, norm, into: output, pool)
    for row in 0..<rows {
      let expected = PlainOperations.rmsNorm(
        input.vector(row), weight: norm.weight.doubles, epsilon: Double(norm.epsilon))
      #expect(areClose(output.vector(row), expected, within: 1e-6), "row \(row)")
    }
    let normalized = output.bits
    for row in 0..<rows { norm.normalize(input.row(row), into: input.row(row)) }  // in place
    #expect(input.bits == normalized)
  }

  // MARK: RoPE

  private static let headDim = 20
  /// 10000^(-2i / headDim)
  private static let frequencies = (0..<headDim / 2).map { pow(10_000, -2 * Double($0) / Double(headDim)) }

  private func checkRoPE(_ rope: RoPE, _ frequencies: [Double], isInterleaved: Bool) {
    var operands = Operands(seed: 4)
    for position in [0, 1, 2, 63, 1000] {
      let (numbers, table) = (operands.matrix(1, Self.headDim), Matrix.poisoned(1, Self.headDim))
      let expected = PlainOperations.rope(
        numbers.vector(0), position: position, frequencies: frequencies, isInterleaved: isInterleaved)
      rope.writeCosSin(ofPosition: position, into: table.start)
      let angles = frequencies.map { Double(position) * $0 }
      // Frequencies and angles are rounded to float32.
      let tolerance = 2e-7 * Double(max(1, position))
      #expect(areClose(table.vector(0), angles.map { cos($0) } + angles.map { sin($0) }, within: tolerance))
      rope.apply(table.start, to: numbers.start)
      #expect(areClose(numbers.vector(0), expected, within: 2 * tolerance), "position \(position)")
    }
  }

  @Test(arguments: [false, true])
  func ropeMatchesFloat64(_ isInterleaved: Bool) {
    let pairing = isInterleaved ? RoPEConfiguration.Pairing.interleaved : .neox
    func rope(_ scaling: RoPEConfiguration.Scaling, _ factors: [Float] = []) -> RoPE {
      RoPE(
        RoPEConfiguration(base: 10_000, scaling: scaling, pairing: pairing), headDim: Self.headDim,
        frequencyFactors: factors)
    }
    checkRoPE(rope(.none), Self.frequencies, isInterleaved: isInterleaved)
    checkRoPE(rope(.linear(factor: 4)), Self.frequencies.map { $0 / 4 }, isInterleaved: isInterleaved)
    let factors = (0..<Self.headDim / 2).map { 1 + Float($0) / 3 }
    checkRoPE(
      rope(.frequencyFactors, factors), zip(Self.frequencies, factors).map { $0 / Double($1) },
      isInterleaved: isInterleaved)
  }

  @Test func ropeKeepsNorms() {
    var operands = Operands(seed: 5)
    let numbers = operands.matrix(1, Self.headDim)
    let rope = RoPE(RoPEConfiguration(base: 10_000, scaling: .none, pairing: .neox), headDim: Self.headDim)
    let before = numbers.vector(0)
    let table = Matrix.poisoned(1, Self.headDim)
    rope.writeCosSin(ofPosition: 77, into: table.start)
    rope.apply(table.start, to: numbers.start)
    let after = numbers.vector(0)
    for pair in 0..<Self.headDim / 2 {
      let other = pair + Self.headDim / 2
      #expect(abs(hypot(before[pair], before[other]) - hypot(after[pair], after[other])) < 1e-6)
    }
  }

  // MARK: Attention

  @Test(arguments: 1...70)
  func softmaxNumeratorsMatchFloat64(_ length: Int) {
    var operands = Operands(seed: 6)
    let padded = paddedCount(length) + (length % 3 == 0 ? laneCount : 0)
    let scores = Matrix(start: operands.floats(padded, in: -30...30), rows: 1, columns: padded)
    let expected = PlainOperations.exponentials(scores.vector(0)[..<length].map { $0 * 0.25 })
    for index in length..<padded { scores.start[index] = .nan }
    let sum = exponentialsAndSum(scores.start, length, padded: padded, scale: 0.25)
    let found = scores.vector(0)
    #expect(areClose(Array(found[..<length]), expected, within: 1e-6))
    #expect(found[length...].allSatisfy { $0 == 0 })
    #expect(areClose([Double(sum)], [expected.reduce(0, +)], within: 1e-6))
  }

  /// Heads, heads of keys and values (grouped-query and multi-query attention), and the width of a head: less than a
  /// vector, whole vectors, and more than the four that one pass over the values takes.
  @Test(arguments: [(2, 2, 10), (4, 2, 16), (6, 1, 64), (3, 3, 72)])
  func attentionMatchesFloat64(_ heads: Int, _ kvHeads: Int, _ headDim: Int) {
    var operands = Operands(seed: 7)
    let layers = 2
    let qkvWidth = (heads + 2 * kvHeads) * headDim
    // Positions before the batch and in it: within a block, over the ends of blocks and pages.
    let lengths = [(0, 1), (0, 7), (5, 1), (15, 3), (60, 13), (64, 6), (129, 1)]
    let rows = lengths.reduce(0) { $0 + $1.1 }
    let queries = operands.matrix(rows, qkvWidth)
    let scale = 1 / Float(headDim).squareRoot()
    for layer in 0..<layers {
      let output = Matrix.poisoned(rows, heads * headDim)
      var segments: [BatchSegment] = []
      var contents: [Matrix] = []
      var row = 0
      for (first, count) in lengths {
        let cache = KeyValueCache(CacheShape(layers: layers, heads: kvHeads, headDim: headDim))
        cache.reserve(first + count)
        let qkv = operands.matrix(first + count, qkvWidth)
        let other = operands.matrix(first + count, qkvWidth)  // of the other layer
        for head in 0..<kvHeads {
          cache.store(qkv.rows(0..<first), layer: layer, head: head, first: 0)
          cache.store(qkv.rows(first..<first + count), layer: layer, head: head, first: first)
          cache.store(other, layer: 1 - layer, head: head, first: 0)
        }
        segments.append(BatchSegment(rows: row..<row + count, first: first, cache: cache))
        contents.append(qkv)
        row += count
      }
      attention(queries, segments, layer: layer, heads: heads, scale: scale, into: output, pool)
      for (sequence, qkv) in zip(segments, contents) {
        for (index, row) in sequence.rows.enumerated() {
          let seen = (0...sequence.first + index).map { qkv.vector($0) }
          for head in 0..<heads {
            let kvHead = head * kvHeads / heads
            func part(_ numbers: [Double], _ start: Int) -> [Double] {
              Array(numbers[start * headDim..<(start + 1) * headDim])
            }
            let expected = PlainOperations.attention(
              query: part(queries.vector(row), head), keys: seen.map { part($0, heads + kvHead) },
              values: seen.map { part($0, heads + kvHeads + kvHead) }, scale: Double(scale))
            #expect(
              areClose(part(output.vector(row), head), expected, within: 1e-6),
              "row \(row), head \(head), layer \(layer)")
          }
        }
      }
    }
  }

  // MARK: Epilogue

  @Test(arguments: 1...20)
  func epiloguesWriteOnlyTheirColumns(_ count: Int) {
    var operands = Operands(seed: 8)
    let (sums, bias, previous) = (operands.matrix(1, 16), operands.vector(16), operands.matrix(1, 20))
    for epilogue in KernelTests.epilogues {
      for bias in [bias, nil] {
        let output = Matrix.poisoned(1, 20)
        if epilogue == .addToOutput { output.copy(from: previous) }
        epilogue.apply(Float.load(sums.start), bias: bias?.values, output.start, count: count)
        let written = min(count, laneCount)
        let expected = (0..<written).map { column in
          let sum = sums.vector(0)[column] + (bias?.doubles[column] ?? 0)
          return switch epilogue {
          case .store: sum
          case .gelu: PlainOperations.gelu(sum)
          case .addToOutput: previous.vector(0)[column] + sum
          }
        }
        #expect(areClose(Array(output.vector(0)[..<written]), expected, within: 5e-7))
        let rest = output.bits[written...]
        #expect(Array(rest) == Array((epilogue == .addToOutput ? previous : .poisoned(1, 20)).bits[written...]))
      }
    }
  }

  // MARK: Memory

  @Test func workspaceMatricesDoNotOverlap() {
    let workspace = Workspace()
    for shapes in [[(3, 5), (1, 1), (0, 7)], [(40, 33), (2, 2)]] {
      let matrices = workspace.matrices(shapes.map { (rows: $0.0, columns: $0.1) })
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
