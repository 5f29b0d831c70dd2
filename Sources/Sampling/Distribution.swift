import Numerics

/// The softmax of logits (vocabulary) divided by a temperature.
///
/// It is computed in float64 from the differences from the largest logit, so finite logits of any magnitude and
/// temperatures down to the smallest positive number give probabilities.
public struct Distribution {
  private let logits: UnsafeBufferPointer<Float>
  private let largest: Double
  private let temperature: Double
  /// ln Σ e^((logit - largest) / temperature). At least 0, because the term of the largest logit is 1.
  private let logSumOfExponentials: Double

  /// - Precondition: `logits` is not empty, all logits are finite, and the memory outlives the distribution;
  ///   `temperature` is positive.
  public init(_ logits: UnsafeBufferPointer<Float>, temperature: Double = 1) {
    precondition(!logits.isEmpty && temperature > 0)
    self.logits = logits
    self.temperature = temperature
    largest = Double(maximum(logits))
    logSumOfExponentials = naturalLogarithm(sumOfExponentials(logits, minus: largest, dividedBy: temperature))
  }

  /// The distribution at temperature 1 whose largest logit and sum of exponentials are known.
  init(_ logits: UnsafeBufferPointer<Float>, largest: Double, sumOfExponentials: Double) {
    self.logits = logits
    self.largest = largest
    temperature = 1
    logSumOfExponentials = naturalLogarithm(sumOfExponentials)
  }

  /// A candidate for the next token.
  public struct Candidate: Equatable, Sendable {
    public let id: Int
    /// The logit, not divided by the temperature.
    public let logit: Float
    /// The natural logarithm of the probability, at least `-Float.greatestFiniteMagnitude`, so always finite.
    public let logprob: Float
    /// The probability; 0 if it is less than the smallest positive float32.
    public let p: Float
  }

  /// Returns the log-probability and the probability of a sequence of tokens, each given the tokens before it (chain
  /// rule).
  public static func joint(_ tokens: [Candidate]) -> (logprob: Float, p: Float) {
    if tokens.count == 1 { return (tokens[0].logprob, tokens[0].p) }
    let sum = tokens.reduce(0.0) { $0 + Double($1.logprob) }
    return (finiteLogProbability(sum), Float(exponential(sum)))
  }

  public func candidate(_ id: Int) -> Candidate {
    let logprob = logProbability(id)
    return Candidate(id: id, logit: logits[id], logprob: finiteLogProbability(logprob), p: Float(exponential(logprob)))
  }

  /// Returns ln p, or -∞ if the quotient by a small temperature overflows float64.
  private func logProbability(_ id: Int) -> Double {
    (Double(logits[id]) - largest) / temperature - logSumOfExponentials
  }

  func probability(_ id: Int) -> Double { exponential(logProbability(id)) }

  /// The probabilities of all tokens (vocabulary).
  var probabilities: [Double] {
    [Double](unsafeUninitializedCapacity: logits.count) { result, count in
      for index in stride(from: 0, to: logits.count, by: Lanes.scalarCount) {
        let lanes = load(logits, at: index)
        let (low, high) = quotients(lanes, minus: largest, dividedBy: temperature)
        let (first, second) = (exponential(low - logSumOfExponentials), exponential(high - logSumOfExponentials))
        for lane in 0..<min(Lanes.scalarCount, logits.count - index) {
          result.initializeElement(at: index + lane, to: lane < 8 ? first[lane] : second[lane - 8])
        }
      }
      count = logits.count
    }
  }

  /// Returns the rank of a token, 1 for the most likely; ties by lower id.
  public func rank(_ id: Int) -> Int {
    1 + logits.indices.count { logits[$0] > logits[id] || logits[$0] == logits[id] && $0 < id }
  }

  /// The most likely token, or the one with the lowest id if there are several.
  public var mostLikely: Candidate {
    let largest = maximum(logits)
    return candidate(firstIndex(above: largest.nextDown, in: logits, from: 0))
  }

  /// Returns the `count` most likely tokens (or all tokens, if there are fewer), most likely first, ties by lower id.
  public func mostLikely(_ count: Int) -> [Candidate] {
    // A binary min-heap of the best so far. Its root is the threshold: most tokens are rejected by one comparison with
    // it, 16 at a time. (The tokenizer's `MinimumHeap` inserts and removes elements; this one only replaces its root.)
    var heap = Array(logits.indices.prefix(max(0, count)))
    for root in (0..<heap.count / 2).reversed() { siftDown(&heap, root) }
    var id = heap.count
    while let root = heap.first {
      id = firstIndex(above: logits[root], in: logits, from: id)
      guard id < logits.count else { break }
      heap[0] = id
      siftDown(&heap, 0)
      id += 1
    }
    return heap.sorted { ranksBelow($1, $0) }.map(candidate)
  }

  /// Returns true if token a is less likely than token b, or equally likely with a higher id.
  private func ranksBelow(_ a: Int, _ b: Int) -> Bool { logits[a] != logits[b] ? logits[a] < logits[b] : a > b }

  /// Restores the heap below `parent`: moves its id down until no child ranks below it.
  private func siftDown(_ heap: inout [Int], _ parent: Int) {
    var parent = parent
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && ranksBelow(heap[child], heap[least]) {
        least = child
      }
      guard least != parent else { break }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

/// Returns a log-probability as float32, at least `-Float.greatestFiniteMagnitude`.
func finiteLogProbability(_ logprob: Double) -> Float { Float(max(logprob, -Double(Float.greatestFiniteMagnitude))) }

typealias Lanes = SIMD16<Float>

/// Returns the largest number. If it is zero, the sign may be either.
func maximum(_ numbers: UnsafeBufferPointer<Float>) -> Float {
  var largest = Lanes(repeating: numbers[0])
  for index in stride(from: 0, to: numbers.count, by: Lanes.scalarCount) {
    let lanes = load(numbers, at: index)
    largest = largest.replacing(with: lanes, where: lanes .> largest)
  }
  return largest.max()
}

/// Returns the index of the first number above `threshold` from `start` on, or the count if there is no such number.
private func firstIndex(above threshold: Float, in numbers: UnsafeBufferPointer<Float>, from start: Int) -> Int {
  var index = start
  while index < numbers.count, !any(load(numbers, at: index) .> threshold) { index += Lanes.scalarCount }
  while index < numbers.count, !(numbers[index] > threshold) { index += 1 }
  return min(index, numbers.count)
}

/// Returns Σ e^((number - shift) / divisor), added in 16 lanes (lane l has the indices l, l + 16, …).
private func sumOfExponentials(
  _ numbers: UnsafeBufferPointer<Float>, minus shift: Double, dividedBy divisor: Double
) -> Double {
  var (low, high) = (SIMD8<Double>(), SIMD8<Double>())
  for index in stride(from: 0, to: numbers.count, by: Lanes.scalarCount) {
    let exponents = quotients(load(numbers, at: index), minus: shift, dividedBy: divisor)
    low += exponential(exponents.low)
    high += exponential(exponents.high)
  }
  return (low + high).horizontalSum
}

/// Returns (number - shift) / divisor of each lane. Divisor 1 is a special case, because the division takes as long as
/// the exponential.
@inline(__always)
func quotients(_ lanes: Lanes, minus shift: Double, dividedBy divisor: Double)
  -> (low: SIMD8<Double>, high: SIMD8<Double>)
{
  let (low, high) = (SIMD8<Double>(lanes.lowHalf) - shift, SIMD8<Double>(lanes.highHalf) - shift)
  return divisor == 1 ? (low, high) : (low / divisor, high / divisor)
}

/// Returns the 16 numbers from `index` on. -∞ follows the last number: it is never the maximum, and its exponential is
/// 0.
@inline(__always)
func load(_ numbers: UnsafeBufferPointer<Float>, at index: Int) -> Lanes {
  if numbers.count - index >= Lanes.scalarCount {
    return UnsafeRawBufferPointer(numbers).loadUnaligned(
      fromByteOffset: index * MemoryLayout<Float>.stride, as: Lanes.self)
  }
  var lanes = Lanes(repeating: -.infinity)
  for lane in 0..<numbers.count - index { lanes[lane] = numbers[index + lane] }
  return lanes
}
