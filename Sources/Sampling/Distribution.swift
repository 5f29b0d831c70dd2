import Numerics

/// The softmax of a vocabulary of logits, divided by a temperature. Computed in float64 from the differences to the
/// greatest logit: so logits of any finite size, and temperatures down to the least positive number, give probabilities.
public struct Distribution {
  private let logits: UnsafeBufferPointer<Float>
  private let greatest: Double
  private let temperature: Double
  /// ln Σ e^((logit - greatest) / temperature): at least 0, as the greatest logit adds 1.
  private let logSumOfExponentials: Double

  /// `logits` are finite, at least one, and outlive the distribution. `temperature` is positive.
  public init(_ logits: UnsafeBufferPointer<Float>, temperature: Double = 1) {
    precondition(!logits.isEmpty && temperature > 0)
    self.logits = logits
    self.temperature = temperature
    greatest = Double(maximum(logits))
    logSumOfExponentials = naturalLogarithm(sumOfExponentials(logits, minus: greatest, dividedBy: temperature))
  }

  /// A token as the next one.
  public struct Candidate: Equatable, Sendable {
    public let id: Int
    /// The raw score.
    public let logit: Float
    /// The natural logarithm of the probability, always finite: `-Float.greatestFiniteMagnitude` if it is less than that.
    public let logprob: Float
    /// The probability; 0 if it is less than any positive float32.
    public let p: Float
  }

  public func candidate(_ id: Int) -> Candidate {
    let logprob = logProbability(id)
    return Candidate(
      id: id, logit: logits[id], logprob: Float(max(logprob, -Double(Float.greatestFiniteMagnitude))),
      p: Float(exponential(logprob)))
  }

  /// -∞ if the quotient by a small temperature leaves float64.
  private func logProbability(_ id: Int) -> Double {
    (Double(logits[id]) - greatest) / temperature - logSumOfExponentials
  }

  func probability(_ id: Int) -> Double { exponential(logProbability(id)) }

  /// Of all tokens.
  var probabilities: [Double] {
    [Double](unsafeUninitializedCapacity: logits.count) { result, count in
      for index in stride(from: 0, to: logits.count, by: Lanes.scalarCount) {
        let lanes = load(logits, at: index)
        let (low, high) = quotients(lanes, minus: greatest, dividedBy: temperature)
        let (first, second) = (exponential(low - logSumOfExponentials), exponential(high - logSumOfExponentials))
        for lane in 0..<min(Lanes.scalarCount, logits.count - index) {
          result.initializeElement(at: index + lane, to: lane < 8 ? first[lane] : second[lane - 8])
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

/// Σ e^((number - shift) / divisor), added up in 16 lanes, lane l those of the indices l, l + 16, …
private func sumOfExponentials(
  _ numbers: UnsafeBufferPointer<Float>, minus shift: Double, dividedBy divisor: Double
) -> Double {
  var (low, high) = (SIMD8<Double>(), SIMD8<Double>())
  for index in stride(from: 0, to: numbers.count, by: Lanes.scalarCount) {
    let exponents = quotients(load(numbers, at: index), minus: shift, dividedBy: divisor)
    low += exponential(exponents.low)
    high += exponential(exponents.high)
  }
  return (low + high).orderedSum
}

/// (number - shift) / divisor of each lane. Without the division if it changes nothing: it takes as long as the
/// exponential.
@inline(__always)
private func quotients(_ lanes: Lanes, minus shift: Double, dividedBy divisor: Double)
  -> (low: SIMD8<Double>, high: SIMD8<Double>)
{
  let (low, high) = (SIMD8<Double>(lanes.lowHalf) - shift, SIMD8<Double>(lanes.highHalf) - shift)
  return divisor == 1 ? (low, high) : (low / divisor, high / divisor)
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
