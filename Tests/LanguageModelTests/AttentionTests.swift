import Foundation
import TestSupport
import Testing
import Threads

@testable import LanguageModel

/// Attention against its plain definition in float64. Outputs are NaN before the kernel writes them.
@Suite struct AttentionTests {
  private let pool = ThreadPool(threads: 2)

  // MARK: Softmax

  @Test(arguments: 1...70)
  func softmaxNumeratorsMatchFloat64(_ length: Int) {
    for start in [0, 1, 7, 15, 16, 17, 33, length - 1] where start < length {
      var operands = Operands(seed: 6)
      let padded = paddedCount(length) + (length % 3 == 0 ? laneCount : 0)
      let scores = Matrix(start: operands.floats(padded, in: -30...30), rows: 1, columns: padded)
      let expected = PlainOperations.exponentials(scores.vector(0)[start..<length].map { $0 * 0.25 })
      for index in 0..<start { scores.start[index] = index % 2 == 0 ? .nan : 1000 }
      for index in length..<padded { scores.start[index] = .nan }
      let sum = exponentialsAndSum(scores.start, from: start, length, padded: padded, scale: 0.25)
      let found = scores.vector(0)
      #expect(areClose(Array(found[start..<length]), expected, within: 1e-6), "from \(start)")
      #expect(found[..<start].allSatisfy { $0 == 0 } && found[length...].allSatisfy { $0 == 0 })
      #expect(areClose([Double(sum)], [expected.reduce(0, +)], within: 1e-6), "from \(start)")
    }
  }

  // MARK: All positions

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
      attention(queries, segments, layer: layer, heads: heads, AttentionSettings(scale: scale), into: output, pool)
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

  // MARK: Windows, soft caps, ALiBi

  /// Heads, heads of keys and values, and the width of a head: all heads with their own keys, shared by some, by all.
  private static let shapes = [(2, 2, 8), (12, 4, 16), (3, 1, 20), (4, 2, 64)]

  /// Soft caps below and above the scores; the last two differ from no cap by less than the tolerance.
  private static let softcaps: [Float?] = [nil, 0.3, 2, 50, 1e5, 1e30]

  private static let windows = [1, 2, 15, 16, 17, 63, 64, 65, 100, 199, 200, 1000, Int.max]

  /// The queries (rows, heads · headDim) of one sequence, and its keys and values.
  private struct Sequence {
    static let rows = 200
    let (heads, kvHeads, headDim): (Int, Int, Int)
    let queries: Matrix
    /// Rows of queries, which are not used, and keys and values.
    let qkv: Matrix
    let cache: KeyValueCache
    /// The rows of `qkv` in float64.
    private let vectors: [[Double]]

    init(_ shape: (heads: Int, kvHeads: Int, headDim: Int)) {
      (heads, kvHeads, headDim) = shape
      var operands = Operands(seed: 9)
      queries = operands.matrix(Self.rows, heads * headDim)
      qkv = operands.matrix(Self.rows, (heads + 2 * kvHeads) * headDim)
      vectors = (0..<Self.rows).map(qkv.vector)
      cache = KeyValueCache(CacheShape(layers: 1, heads: kvHeads, headDim: headDim))
      cache.reserve(Self.rows)
      store()
    }

    /// Stores keys and values in the cache.
    func store() {
      for head in 0..<kvHeads { cache.store(qkv, layer: 0, head: head, first: 0) }
    }

    /// Sets all keys and values of some positions in the cache, but not in `qkv`.
    func damage(_ positions: Range<Int>, with number: Float) {
      let damaged = Matrix.poisoned(positions.count, qkv.columns)
      damaged.fill(with: number)
      for head in 0..<kvHeads { cache.store(damaged, layer: 0, head: head, first: positions.lowerBound) }
    }

    /// Computes some rows, which are divided into segments of `lengths`; the last one is repeated.
    func outputs(
      _ settings: AttentionSettings, rows: Range<Int> = 0..<rows, lengths: [Int], _ pool: ThreadPool
    ) -> Matrix {
      let output = Matrix.poisoned(rows.count, heads * headDim)
      var segments: [BatchSegment] = []
      var row = rows.lowerBound
      while row < rows.upperBound {
        let end = min(rows.upperBound, row + lengths[min(segments.count, lengths.count - 1)])
        segments.append(
          BatchSegment(rows: row - rows.lowerBound..<end - rows.lowerBound, first: row, cache: cache))
        row = end
      }
      attention(queries.rows(rows), segments, layer: 0, heads: heads, settings, into: output, pool)
      return output
    }

    /// Computes the attention weights of one head for some rows.
    func weights(_ settings: AttentionSettings, rows: Range<Int>, head: Int, _ pool: ThreadPool) -> Matrix {
      let weights = Matrix.poisoned(rows.count, rows.upperBound)
      attentionWeights(
        queries.rows(rows), first: rows.lowerBound, cache, layer: 0, head: head, heads: heads, settings, into: weights,
        pool)
      return weights
    }

    /// The attention weights and the output of one head at a position, in float64.
    func expected(
      _ settings: AttentionSettings, position: Int, head: Int
    ) -> (weights: [Double], output: [Double]) {
      func part(_ numbers: [Double], _ start: Int) -> [Double] {
        Array(numbers[start * headDim..<(start + 1) * headDim])
      }
      let (seen, kvHead) = (vectors[...position], head * kvHeads / heads)
      let slope = settings.slopes.isEmpty ? 0 : Double(settings.slopes[head])
      func bias(_ position: Int) -> Double {
        settings.roundsBiases ? bfloat16(slope * bfloat16(Double(position))) * Double(settings.scale) : 0
      }
      let weights = PlainOperations.attentionWeights(
        query: part(queries.vector(position), head), keys: seen.map { part($0, heads + kvHead) },
        scale: Double(settings.scale), window: settings.window, softcap: settings.softcap.map(Double.init),
        slope: settings.roundsBiases ? 0 : slope, bias: bias)
      let values = seen.map { part($0, heads + kvHeads + kvHead) }
      return (weights, (0..<headDim).map { d in PlainOperations.dot(weights, values.map { $0[d] }) })
    }
  }

  /// Random lengths of segments: one row, less than a tile, a tile, and more.
  private static let splits = {
    var generator = SeededGenerator(10)
    return (0..<3).map { _ in (0..<60).map { _ in Int.random(in: 1...9, using: &generator) } }
  }()

  /// The positions that are compared with float64: near the ends of blocks, pages and windows.
  private static let positions = [
    0, 1, 2, 14, 15, 16, 17, 32, 47, 62, 63, 64, 65, 79, 80, 98, 99, 100, 101, 127, 128, 129, 163, 198, 199,
  ]

  /// Compares all routes with each other at all positions, and one of them with float64: one head at some positions.
  private func check(_ sequence: Sequence, _ settings: AttentionSettings) {
    let output = sequence.outputs(settings, lengths: [Sequence.rows], pool)
    let weights = (0..<sequence.heads).map { sequence.weights(settings, rows: 0..<Sequence.rows, head: $0, pool) }
    for (index, position) in Self.positions.enumerated() {
      let head = index % sequence.heads
      let place = "\(settings), position \(position), head \(head)"
      let found = output.vector(position)[head * sequence.headDim..<(head + 1) * sequence.headDim]
      let expected = sequence.expected(settings, position: position, head: head)
      #expect(areClose(Array(found), expected.output, within: 2e-6), "\(place)")
      let row = Array(weights[head].vector(position)[...position])
      #expect(areClose(row, expected.weights, within: 2e-6), "\(place)")
      #expect(row.dropLast(settings.window ?? .max).allSatisfy { $0 == 0 }, "\(place)")
      #expect(
        sequence.weights(settings, rows: position..<position + 1, head: head, pool).vector(0) == row, "\(place)")
    }
    for lengths in Self.splits + [[1], [6], [5], [131, 1, 68]] {
      let other = sequence.outputs(settings, lengths: lengths, pool)
      #expect(other.hasBits(of: output), "\(settings), segments of \(lengths)")
    }
  }

  @Test(arguments: shapes, windows)
  func windowsMatchFloat64(_ shape: (Int, Int, Int), _ window: Int) {
    let sequence = Sequence(shape)
    let settings = AttentionSettings(scale: 3 / Float(sequence.headDim).squareRoot(), window: window)
    check(sequence, settings)
    guard window >= Sequence.rows else { return }
    let all = sequence.outputs(AttentionSettings(scale: settings.scale), lengths: [Sequence.rows], pool)
    #expect(sequence.outputs(settings, lengths: [Sequence.rows], pool).hasBits(of: all))
  }

  @Test(arguments: shapes, softcaps)
  func softcapsAndSlopesMatchFloat64(_ shape: (Int, Int, Int), _ softcap: Float?) {
    let sequence = Sequence(shape)
    for window in [nil, 2, 17, 64, 100] {
      for slopes in [[], AttentionSettings.alibiSlopes(heads: sequence.heads)] {
        let scale = 3 / Float(sequence.headDim).squareRoot()
        check(sequence, AttentionSettings(scale: scale, window: window, softcap: softcap, slopes: slopes))
      }
    }
  }

  @Test(arguments: [1, 2, 16, 17, 63, 64, 65, 100], [Float.nan, .infinity])
  func positionsBeforeTheWindowAreNotUsed(_ window: Int, _ number: Float) {
    for (softcap, slopes) in [(nil, []), (2, [0.5, 0.25, 0.125])] as [(Float?, [Float])] {
      let settings = AttentionSettings(scale: 0.5, window: window, softcap: softcap, slopes: slopes)
      let sequence = Sequence((3, 1, 20))
      for first in [window, 101, 128, 150, 199] where first >= window {
        for count in [1, 2, 6] where first + count <= Sequence.rows {
          sequence.store()
          let rows = first..<first + count
          let before = sequence.outputs(settings, rows: rows, lengths: [count], pool)
          sequence.damage(0..<first - window + 1, with: number)  // the positions before the window of the first row
          let after = sequence.outputs(settings, rows: rows, lengths: [count], pool)
          #expect(after.hasBits(of: before), "rows \(rows)")
          // Row by row, each without the positions before its own window.
          for row in rows {
            sequence.damage(0..<row - window + 1, with: number)
            let one = sequence.outputs(settings, rows: row..<row + 1, lengths: [1], pool)
            #expect(one.hasBits(of: before.rows(row - first..<row - first + 1)), "row \(row)")
          }
        }
      }
    }
  }

  // MARK: Rounded biases

  @Test(arguments: shapes, [nil, 2])
  func roundedBiasesMatchFloat64(_ shape: (Int, Int, Int), _ softcap: Float?) {
    let sequence = Sequence(shape)
    for window in [nil, 2, 17, 64, 100] {
      var settings = AttentionSettings(
        scale: 3 / Float(sequence.headDim).squareRoot(), window: window, softcap: softcap,
        slopes: AttentionSettings.alibiSlopes(heads: sequence.heads).map(AttentionSettings.bfloat16))
      settings.roundsBiases = true
      check(sequence, settings)
    }
  }

  /// Values of torch: `torch.tensor(x).bfloat16().float()`.
  @Test func roundsToBFloat16() {
    let pairs: [(Float, Float)] = [
      (0, 0), (-0.0, -0.0), (1, 1), (257, 256), (258, 258), (259, 260), (261, 260), (-259, -260),
      (0.70710677, 0.70703125), (0.1, 0.100097656), (3.38e38, 3.3762391e38),
      (Float(bitPattern: 0x116C2), Float(bitPattern: 0x10000)),  // 1e-40
    ]
    for (number, expected) in pairs { #expect(AttentionSettings.bfloat16(number) == expected, "\(number)") }
  }

  // MARK: Slopes

  /// Values of `build_alibi_tensor` of transformers 5.24 with torch.
  @Test func alibiSlopesMatchTransformers() {
    #expect(AttentionSettings.alibiSlopes(heads: 1) == [0.00390625])
    #expect(AttentionSettings.alibiSlopes(heads: 2) == [0.0625, 0.00390625])
    #expect(AttentionSettings.alibiSlopes(heads: 3) == [0.0625, 0.00390625, 0.25])
    #expect(
      AttentionSettings.alibiSlopes(heads: 24).map(\.bitPattern) == [
        0x3F35_04F3, 0x3EFF_FFFF, 0x3EB5_04F3, 0x3E7F_FFFF, 0x3E35_04F2, 0x3DFF_FFFE, 0x3DB5_04F2, 0x3D7F_FFFE,
        0x3D35_04F1, 0x3CFF_FFFD, 0x3CB5_04F1, 0x3C7F_FFFD, 0x3C35_04F1, 0x3BFF_FFFC, 0x3BB5_04F0, 0x3B7F_FFFB,
        0x3F57_44FD, 0x3F18_37F1, 0x3ED7_44FE, 0x3E98_37F1, 0x3E57_44FF, 0x3E18_37F2, 0x3DD7_44FF, 0x3D98_37F3,
      ])
  }

  @Test(arguments: 1...200)
  func alibiSlopesArePowers(_ heads: Int) {
    var n = 1
    while 2 * n <= heads { n *= 2 }
    func power(_ n: Int, _ exponent: Int) -> Double { pow(Double(Float(exp2(-8 / Double(n)))), Double(exponent)) }
    let expected = (1...n).map { power(n, $0) } + (0..<heads - n).map { power(2 * n, 2 * $0 + 1) }
    let found = AttentionSettings.alibiSlopes(heads: heads)
    #expect(found.count == heads)
    #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 6e-8 * $1 })
  }

  @Test(arguments: [0, -1, Int.min])
  func noHeadsHaveNoSlopes(_ heads: Int) { #expect(AttentionSettings.alibiSlopes(heads: heads).isEmpty) }
}

/// Returns a number with the 8 significant bits of bfloat16, ties to even. It must be in the range of normal numbers.
private func bfloat16(_ number: Double) -> Double {
  guard number != 0 else { return 0 }
  let unit = number.binade.magnitude / 128
  return (number / unit).rounded(.toNearestOrEven) * unit
}
