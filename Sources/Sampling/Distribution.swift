import Numerics

/// The softmax of a vocabulary of logits: probabilities of the raw distribution, before any temperature or filter.
/// Computed in float64.
public struct Distribution {
  private let logits: UnsafeBufferPointer<Float>
  /// ln Σ e^logit
  private let logSumOfExponentials: Double

  /// `logits` are finite, at least one, and outlive the distribution.
  public init(_ logits: UnsafeBufferPointer<Float>) {
    precondition(!logits.isEmpty)
    self.logits = logits
    let shift = Double(maximum(logits))
    logSumOfExponentials = shift + naturalLogarithm(sumOfExponentials(logits, minus: shift))
  }

  /// What is known of one token as the next one.
  public struct Candidate: Equatable, Sendable {
    public let id: Int
    /// The raw score.
    public let logit: Float
    /// Natural logarithm of the probability.
    public let logprob: Float
    /// The probability.
    public let p: Float
  }

  public func candidate(_ id: Int) -> Candidate {
    let logprob = Double(logits[id]) - logSumOfExponentials
    return Candidate(id: id, logit: logits[id], logprob: Float(logprob), p: Float(exponential(logprob)))
  }

  func probability(_ id: Int) -> Double { exponential(Double(logits[id]) - logSumOfExponentials) }

  /// Of all tokens.
  var probabilities: [Double] {
    [Double](unsafeUninitializedCapacity: logits.count) { result, count in
      for index in stride(from: 0, to: logits.count, by: Lanes.scalarCount) {
        let lanes = load(logits, at: index)
        let low = exponential(SIMD8<Double>(lanes.lowHalf) - logSumOfExponentials)
        let high = exponential(SIMD8<Double>(lanes.highHalf) - logSumOfExponentials)
        for lane in 0..<min(Lanes.scalarCount, logits.count - index) {
          result.initializeElement(at: index + lane, to: lane < 8 ? low[lane] : high[lane - 8])
        }
      }
      count = logits.count
    }
  }

  /// The likeliest token; of several the one with the lowest id.
  public var likeliest: Candidate {
    let greatest = maximum(logits)
    return candidate(firstIndex(above: greatest.nextDown, in: logits, from: 0))
  }

  /// The `count` likeliest tokens (or all, if they are fewer), likeliest first, ties by lower id.
  public func likeliest(_ count: Int) -> [Candidate] {
    // A heap whose root is the least of the best so far: most tokens are dismissed by one comparison with it.
    var heap = Array(logits.indices.prefix(max(0, count)))
    for root in (0..<heap.count / 2).reversed() { sift(&heap, root) }
    var id = heap.count
    while let least = heap.first {
      id = firstIndex(above: logits[least], in: logits, from: id)
      guard id < logits.count else { break }
      heap[0] = id
      sift(&heap, 0)
      id += 1
    }
    return heap.sorted { isLess($1, $0) }.map(candidate)
  }

  private func isLess(_ a: Int, _ b: Int) -> Bool { logits[a] != logits[b] ? logits[a] < logits[b] : a > b }

  /// Moves the id at `parent` down until none of its children is less.
  private func sift(_ heap: inout [Int], _ parent: Int) {
    var parent = parent
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isLess(heap[child], heap[least]) {
        least = child
      }
      guard least != parent else { break }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

private typealias Lanes = SIMD16<Float>

/// The greatest number; of the two zeros either.
private func maximum(_ numbers: UnsafeBufferPointer<Float>) -> Float {
  var greatest = Lanes(repeating: numbers[0])
  for index in stride(from: 0, to: numbers.count, by: Lanes.scalarCount) {
    let lanes = load(numbers, at: index)
    greatest = greatest.replacing(with: lanes, where: lanes .> greatest)
  }
  return greatest.max()
}

/// The index of the first number above `least`, not counting those before `start`; the count where there is none.
private func firstIndex(above least: Float, in numbers: UnsafeBufferPointer<Float>, from start: Int) -> Int {
  var index = start
  while index < numbers.count, !any(load(numbers, at: index) .> least) { index += Lanes.scalarCount }
  while index < numbers.count, !(numbers[index] > least) { index += 1 }
  return min(index, numbers.count)
}

/// Σ e^(number - shift), added up in 16 lanes, lane l those of the indices l, l + 16, …
private func sumOfExponentials(_ numbers: UnsafeBufferPointer<Float>, minus shift: Double) -> Double {
  var (low, high) = (SIMD8<Double>(), SIMD8<Double>())
  for index in stride(from: 0, to: numbers.count, by: Lanes.scalarCount) {
    let lanes = load(numbers, at: index)
    low += exponential(SIMD8<Double>(lanes.lowHalf) - shift)
    high += exponential(SIMD8<Double>(lanes.highHalf) - shift)
  }
  return (low + high).orderedSum
}

/// The numbers from `index` on; -∞ behind the last, which is no maximum and has the exponential 0.
@inline(__always)
private func load(_ numbers: UnsafeBufferPointer<Float>, at index: Int) -> Lanes {
  if numbers.count - index >= Lanes.scalarCount {
    return UnsafeRawBufferPointer(numbers).loadUnaligned(
      fromByteOffset: index * MemoryLayout<Float>.stride, as: Lanes.self)
  }
  var lanes = Lanes(repeating: -.infinity)
  for lane in 0..<numbers.count - index { lanes[lane] = numbers[index + lane] }
  return lanes
}
