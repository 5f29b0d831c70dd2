import Numerics

/// The softmax of a vocabulary of logits: probabilities of the raw distribution, before any temperature or filter.
/// Computed in float64 in the order of the ids.
public struct Distribution {
  private let logits: UnsafeBufferPointer<Float>
  /// ln Σ e^logit
  private let logSumOfExponentials: Double

  /// `logits` are finite, at least one, and outlive the distribution.
  public init(_ logits: UnsafeBufferPointer<Float>) {
    precondition(!logits.isEmpty)
    self.logits = logits
    var maximum = logits[0]
    for logit in logits where logit > maximum { maximum = logit }
    let shift = Double(maximum)
    var sum = 0.0
    for logit in logits { sum += exponential(Double(logit) - shift) }
    logSumOfExponentials = shift + naturalLogarithm(sum)
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

  /// The likeliest token; of several the one with the lowest id.
  public var likeliest: Candidate { candidate(greatestIndex(logits)) }

  /// The `count` likeliest tokens (or all, if they are fewer), likeliest first, ties by lower id.
  public func likeliest(_ count: Int) -> [Candidate] {
    // A heap whose root is the least of the best so far: most tokens are dismissed by one comparison with it.
    var heap: [Int] = []
    heap.reserveCapacity(min(count, logits.count))
    func isLess(_ a: Int, _ b: Int) -> Bool { logits[a] != logits[b] ? logits[a] < logits[b] : a > b }
    for id in logits.indices {
      if heap.count < count {
        heap.append(id)
        var child = heap.count - 1
        while child > 0, isLess(heap[child], heap[(child - 1) / 2]) {
          heap.swapAt(child, (child - 1) / 2)
          child = (child - 1) / 2
        }
      } else if let least = heap.first, isLess(least, id) {
        heap[0] = id
        var parent = 0
        while true {
          var smallest = parent
          for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isLess(heap[child], heap[smallest])
          {
            smallest = child
          }
          guard smallest != parent else { break }
          heap.swapAt(parent, smallest)
          parent = smallest
        }
      }
    }
    return heap.sorted { isLess($1, $0) }.map(candidate)
  }
}

/// The index of the greatest number; of several the first.
private func greatestIndex(_ numbers: UnsafeBufferPointer<Float>) -> Int {
  var best = 0
  for index in numbers.indices where numbers[index] > numbers[best] { best = index }
  return best
}
